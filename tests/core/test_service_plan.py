"""The core Service that one of ours keeps, and what ours reports of it."""

from typing import Any

import orjson
import pytest

from operators.core import conditions
from operators.core.objects import Obj
from operators.core.plan import Create, Failure, Outcome, Patch, Plan
from operators.core.service import Observed, plan, report
from operators.core.service.wanted import COPIED
from tests.support.builders import NOW, ago, metadata
from tests.support.services import PORT, core, service

OURS = service()


def marked(*spec: str, labels: tuple[str, ...] = (), annotations: tuple[str, ...] = ()) -> Obj:
    """Return the annotation that remembers what a core Service has from ours."""
    parts = {"annotations": list(annotations), "labels": list(labels), "spec": list(spec)}
    return {COPIED: orjson.dumps({part: keys for part, keys in parts.items() if keys}).decode()}


def kept(ours: Obj = OURS, *, meta: Obj | None = None, copied: Obj | None = None, **spec: Any) -> Obj:
    """Return the core Service of one of ours."""
    made = core(owner=ours, **spec)
    made["metadata"] |= {"annotations": marked("ports", "type") if copied is None else copied, **(meta or {})}
    return made


def seen(ours: Obj, live: Obj | None) -> Observed:
    """Return what is observed."""
    return Observed(ours, live, NOW)


def patched(ours: Obj, live: Obj) -> Obj:
    """Return the patch of the core Service, empty where there is none."""
    steps = list(plan(seen(ours, live)).steps)
    assert all(isinstance(step, Patch) and step.resource_version == "1" for step in steps)
    return steps[0].body if steps else {}  # type: ignore[union-attr]


def test_create() -> None:
    """It has all that ours says but for the selector, and is ours."""
    ours = service(meta={"labels": {"team": "x"}, "annotations": {"note": "y"}}, publishNotReadyAddresses=False)
    (step,) = plan(seen(ours, None)).steps
    assert isinstance(step, Create)
    meta, spec = step.body["metadata"], step.body["spec"]
    assert spec == {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}
    assert meta["labels"] == {"team": "x"}
    assert meta["annotations"] == {"note": "y"} | marked("ports", "type", labels=("team",), annotations=("note",))
    assert [(ref["kind"], ref["uid"]) for ref in meta["ownerReferences"]] == [("Service", "uid-web")]


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        pytest.param({"clusterIP": "None"}, "SingleStack", id="headless"),
        pytest.param({"clusterIP": "None", "selector": None}, None, id="headless without a selector"),
        pytest.param({"clusterIP": "None", "ipFamilyPolicy": "PreferDualStack"}, "PreferDualStack", id="as it says"),
        pytest.param({"clusterIP": "None", "ipFamilies": ["IPv6", "IPv4"]}, None, id="two families"),
        pytest.param({}, None, id="with an address"),
    ],
)
def test_families_of_a_headless_one(spec: dict[str, Any], want: str | None) -> None:
    """The apiserver would give a headless one without a selector both, which ours has as the built-in has: one."""
    (step,) = plan(seen(service(**spec), None)).steps
    assert isinstance(step, Create)
    assert step.body["spec"].get("ipFamilyPolicy") == want


@pytest.mark.parametrize(
    ("ours", "live", "want"),
    [
        pytest.param(OURS, kept(), {}, id="nothing"),
        pytest.param(
            service(type="NodePort"),
            kept(type="NodePort", ports=[PORT | {"nodePort": 30080}], externalTrafficPolicy="Cluster"),
            {},
            id="what was allocated and defaulted stays",
        ),
        pytest.param(
            service(type="NodePort", ports=[{"port": 80, "protocol": "TCP", "nodePort": 30081}]),
            kept(type="NodePort", ports=[PORT | {"nodePort": 30080}]),
            {"spec": {"ports": [PORT | {"nodePort": 30081}]}},
            id="a port of the nodes that is asked for",
        ),
        pytest.param(
            OURS,
            kept(type="NodePort", ports=[PORT | {"nodePort": 30080}]),
            {"spec": {"type": "ClusterIP", "ports": [PORT]}},
            id="no port of the nodes any more",
        ),
        pytest.param(
            OURS,
            kept(trafficDistribution="PreferClose", copied=marked("ports", "trafficDistribution", "type")),
            {"metadata": {"annotations": marked("ports", "type")}, "spec": {"trafficDistribution": None}},
            id="a field that is gone from ours goes",
        ),
        pytest.param(OURS, kept(loadBalancerIP="192.0.2.7"), {}, id="a field that somebody else set stays"),
        pytest.param(OURS, kept(selector={"app": "web"}), {"spec": {"selector": None}}, id="a selector goes"),
        pytest.param(
            OURS,
            kept(meta={"annotations": {"cloud": "x"} | marked("ports", "type"), "labels": {"by": "cloud"}}),
            {},
            id="what others say of it stays",
        ),
        pytest.param(
            service(meta={"labels": {"a": "1"}}),
            kept(meta={"labels": {"b": "2"}}, copied=marked("ports", "type", labels=("b",))),
            {
                "metadata": {
                    "labels": {"a": "1", "b": None},
                    "annotations": marked("ports", "type", labels=("a",)),
                }
            },
            id="labels follow",
        ),
        pytest.param(OURS, kept(copied={COPIED: "?"}), {"metadata": {"annotations": marked("ports", "type")}},
                     id="what cannot be read is nothing"),
    ],
)  # fmt: skip
def test_change(ours: Obj, live: Obj, want: Obj) -> None:
    """What is written to a core Service that is there."""
    assert patched(ours, live) == want


@pytest.mark.parametrize(
    ("ours", "live", "want_reason", "want_events"),
    [
        pytest.param(OURS, core(), "NameTaken", 1, id="nobody's"),
        pytest.param(OURS, core(owner=service("other")), "NameTaken", 1, id="somebody else's"),
        pytest.param(
            service(status={"conditions": [conditions.new("Ready", "False", "NameTaken", "", NOW)]}),
            core(),
            "NameTaken",
            0,
            id="said already",
        ),
        pytest.param(
            OURS, core(owner=service(meta={"uid": "older"})), "Pending", 0, id="of one of ours of this name, going"
        ),
        pytest.param(OURS, kept(meta={"deletionTimestamp": ago(1)}), "Pending", 0, id="on its way out"),
    ],
)
def test_a_name_that_is_taken(ours: Obj, live: Obj, want_reason: str, want_events: int) -> None:
    """What is not this object's is not touched; who has to do something about it is told."""
    made = plan(seen(ours, live))
    assert not list(made.steps)
    assert len(made.events) == want_events
    status = report(seen(ours, live), Outcome()) or {}
    ready = conditions.get(status["conditions"], "Ready") or {}
    assert (ready["status"], ready["reason"]) == ("False", want_reason)
    assert (conditions.get(status["conditions"], "Stalled") is not None) == (want_reason == "NameTaken")


def test_on_its_way_out() -> None:
    """Nothing is made for what is being deleted."""
    going = service(meta={"deletionTimestamp": ago(1)})
    assert plan(seen(going, None)) == Plan()
    assert report(seen(going, None), Outcome()) is None


@pytest.mark.parametrize(
    ("spec", "ingress", "want"),
    [
        pytest.param({}, [], ("10.96.0.7", "<none>", "80/TCP", "True"), id="ClusterIP"),
        pytest.param({"externalIPs": ["192.0.2.1", "192.0.2.2"]}, [],
                     ("10.96.0.7", "192.0.2.1,192.0.2.2", "80/TCP", "True"),
                     id="external addresses"),
        pytest.param({"type": "NodePort", "ports": [PORT | {"nodePort": 30080}]}, [],
                     ("10.96.0.7", "<none>", "80:30080/TCP", "True"), id="NodePort"),
        pytest.param({"type": "LoadBalancer"}, [], ("10.96.0.7", "<pending>", "80/TCP", "False"), id="awaited"),
        pytest.param({"type": "LoadBalancer"}, [{"ip": "192.0.2.9"}], ("10.96.0.7", "192.0.2.9", "80/TCP", "True"),
                     id="LoadBalancer"),
        pytest.param({"clusterIP": "None"}, [], ("None", "<none>", "80/TCP", "True"), id="headless"),
        pytest.param({"type": "ExternalName", "externalName": "x.io", "clusterIP": None, "ports": None}, [],
                     (None, "x.io", "<none>", "True"), id="ExternalName"),
    ],
)  # fmt: skip
def test_status(spec: dict[str, Any], ingress: list[Obj], want: tuple[str | None, ...]) -> None:
    """What was allocated, what the columns show, and whether all is in place."""
    live = kept(**spec)
    live["status"] = {"loadBalancer": {"ingress": ingress} if ingress else {}}
    status = report(seen(OURS, live), Outcome()) or {}
    (ready,) = status["conditions"]
    assert (status.get("clusterIP"), status["externalAddress"], status["portList"], ready["status"]) == want
    assert status["selector"] == "app=web"
    assert report(seen(OURS | {"status": status}, live), Outcome()) is None


@pytest.mark.parametrize(
    ("failure", "want"),
    [
        pytest.param(Failure(422, "Invalid", "spec.ports: Required value"), ("Invalid", True), id="refused for good"),
        pytest.param(Failure(403, "Forbidden", "exceeded quota"), ("Forbidden", False), id="refused for now"),
        pytest.param(Failure(0, "", "no answer"), ("NoAnswer", False), id="no answer"),
        pytest.param(Failure(409, "Conflict", "modified"), ("Pending", False), id="a conflict is nobody's fault"),
    ],
)
def test_failures(failure: Failure, want: tuple[str, bool]) -> None:
    """What the apiserver refuses is in the condition, and Stalled where only a change can help."""
    observed = seen(OURS, None)
    (step,) = plan(observed).steps
    status = report(observed, Outcome(((step, failure),))) or {}
    found = {condition["type"]: condition["reason"] for condition in status["conditions"]}
    assert (found["Ready"], "Stalled" in found) == want


def test_conditions_of_the_core_service() -> None:
    """They are ours too, and a condition's time is that of its status."""
    live = kept()
    live["status"]["conditions"] = [{"type": "LoadBalancerIPAllocated", "status": "True"}]
    since = conditions.new("Ready", "True", "InPlace", "", NOW) | {"lastTransitionTime": ago(99)}
    ours = service(status={"conditions": [since]})
    status = report(seen(ours, live), Outcome()) or {}
    assert [condition["type"] for condition in status["conditions"]] == ["LoadBalancerIPAllocated", "Ready"]
    assert status["conditions"][1]["lastTransitionTime"] == ago(99)
    assert metadata("x")["generation"] == status["observedGeneration"]
