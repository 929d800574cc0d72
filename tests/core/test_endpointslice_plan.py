"""What is written for the slices of a Service, beside which endpoint goes where."""

from typing import Any

import pytest

from operators.core.endpointslice import changes, figures, plan
from operators.core.endpointslice.observed import HEADLESS, MANAGED_BY, SERVICE_NAME
from operators.core.endpointslice.trigger import ANNOTATION
from operators.core.objects import Obj
from operators.core.plan import Create, Patch, Plan
from tests.support.builders import NOW, ago, metadata
from tests.support.services import MANAGER, after, backend, core, endpoint, kinds, seen, slice_

WEB, A, B = core(), backend("a"), backend("b")


@pytest.mark.parametrize(
    ("service", "more"),
    [
        pytest.param(WEB, {"selector": None}, id="without a selector"),
        pytest.param(core(type="ExternalName"), {}, id="an ExternalName"),
        pytest.param(core(meta={"deletionTimestamp": ago(1)}), {}, id="on its way out"),
    ],
)
def test_nothing_to_do(service: Obj, more: dict[str, Any]) -> None:
    """There are Services whose slices nobody here keeps."""
    stale = slice_("s", endpoint(B), of=WEB)
    assert plan(seen(service, A, slices=(stale,), **more)) == Plan()


def test_what_a_new_slice_says() -> None:
    """It is the Service's, by owner and by name; it says who manages it, and what triggered it."""
    named = core(meta={"labels": {"team": "x", MANAGED_BY: "no"}})
    (step,) = plan(seen(named, A, triggered=NOW)).steps
    assert isinstance(step, Create)
    meta = step.body["metadata"]
    assert meta["labels"] == {"team": "x", SERVICE_NAME: "web", MANAGED_BY: MANAGER}
    assert (meta["generateName"], meta["namespace"]) == ("web-", "ns")
    assert meta["annotations"] == {ANNOTATION: "2030-01-01T12:00:00Z"}
    (owner,) = meta["ownerReferences"]
    assert (owner["apiVersion"], owner["kind"], owner["uid"], owner["controller"]) == ("v1", "Service", "uid-web", True)


@pytest.mark.parametrize(
    ("service", "want"),
    [
        pytest.param(WEB, None, id="nothing new"),
        pytest.param(core(meta={"labels": {"tier": "x"}}), {"tier": "x"}, id="a label more"),
        pytest.param(core(clusterIP="None"), None, id="headless alone is no reason to write"),
    ],
)
def test_labels_follow(service: Obj, want: Obj | None) -> None:
    """The Service's labels are its slices'; a write brings those that say what it is along."""
    before = slice_("s", endpoint(A), of=WEB)
    steps = list(plan(seen(service, A, slices=(before,))).steps)
    assert [step.body.get("metadata", {}).get("labels") for step in steps if isinstance(step, Patch)] == (
        [want] if want else []
    )


def test_a_label_that_goes() -> None:
    """It goes from the slices too, and a write of any kind says whether the Service is headless."""
    labels = {SERVICE_NAME: "web", MANAGED_BY: MANAGER, "tier": "x"}
    before = slice_("s", endpoint(A), of=WEB, metadata=metadata("s", owner=WEB, labels=labels))
    (step,) = plan(seen(core(clusterIP="None"), A, slices=(before,))).steps
    assert isinstance(step, Patch)
    assert step.body["metadata"]["labels"] == {"tier": None, HEADLESS: ""}


def test_the_trigger_goes() -> None:
    """A write that nothing dated leaves no date behind."""
    meta = metadata("s", owner=WEB, labels={SERVICE_NAME: "web", MANAGED_BY: MANAGER}, annotations={ANNOTATION: "old"})
    before = slice_("s", endpoint(A), of=WEB, metadata=meta)
    (step,) = plan(seen(WEB, A, B, slices=(before,))).steps
    assert isinstance(step, Patch)
    assert step.body["metadata"]["annotations"] == {ANNOTATION: None}


def test_not_ready_at_once() -> None:
    """One look after a pod turned unready, its endpoint says so, in the one write that there is."""
    before = slice_("s", endpoint(A), endpoint(B), of=WEB)
    made = plan(seen(WEB, backend("a", ready=False), B, slices=(before,)))
    (left,) = after(made, before)
    assert {e["targetRef"]["name"]: e["conditions"]["ready"] for e in left["endpoints"]} == {"a": False, "b": True}


def test_a_service_that_was_replaced() -> None:
    """Slices of the one before it are not its own: they go, and it has new ones."""
    older = core(meta={"uid": "uid-older"})
    stale = slice_("s", endpoint(A), of=older)
    made = plan(seen(WEB, A, slices=(stale,)))
    assert kinds(made) == ["create", "delete"]


def test_a_place_is_held() -> None:
    """Without endpoints there is one slice, which stays as it is."""
    (step,) = plan(seen(WEB)).steps
    assert isinstance(step, Create)
    assert (step.body["endpoints"], step.body["ports"]) == ([], [])
    held = slice_("s", of=WEB, ports=None)
    assert plan(seen(WEB, slices=(held,))) == Plan()
    assert kinds(plan(seen(WEB, slices=(held, slice_("t", of=WEB, ports=None))))) == ["patch", "delete"]
    assert kinds(plan(seen(WEB, A, slices=(held,)))) == ["patch"]


def test_a_node_that_is_not_known() -> None:
    """Its pod is left out for now, said so, and looked at again; unless all are to be published."""
    made = plan(seen(WEB, A, B, nodes={}))
    assert [len(one["endpoints"]) for one in after(made)] == [0]
    assert made.requeue_after is not None
    assert made.events[0].message == (
        "Error updating Endpoint Slices for Service ns/web: skipping Pod a for Service ns/web: Node node-1 Not Found"
    )
    published = plan(seen(core(publishNotReadyAddresses=True), A, B, nodes={}))
    assert [len(one["endpoints"]) for one in after(published)] == [2]
    assert (published.events, published.requeue_after) == ((), None)


def test_what_is_counted() -> None:
    """Slices by operation, endpoints that come and go, and what there is afterwards."""
    before = slice_("s", endpoint(A), of=WEB)
    observed = seen(core(trafficDistribution="PreferSameZone"), B, slices=(before,))
    made = plan(observed)
    counted, there = changes(observed, made), figures(observed, made)
    assert (dict(counted.operations), counted.added, counted.removed) == ({"update": 1}, 1, 1)
    assert (there.endpoints, there.slices, there.needed, there.traffic_distribution) == (1, 1, 1, "PreferSameZone")
