"""Whatever stands in whichever field of a pod that is asked about: a refusal that is clear, or an answer."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson
import pytest

from operators.core.objects import Obj
from operators.scheduler import wire
from operators.scheduler.extender import Extender
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import ZONE, member, node, pod, pod_object, snapshot

JUNK: Final = (None, -1, True, "x", "", ["x"], [None], {"x": 1}, {"x": ["x"]})
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
TERM: Final = {
    "topologyKey": ZONE,
    "labelSelector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
    "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
    "namespaces": ["default"],
}
NODE_TERM: Final = {
    "matchExpressions": [
        {"key": "a", "operator": "In", "values": ["b"]},
        {"key": "n", "operator": "Gt", "values": ["1"]},
    ],
    "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}],
}
WEIGHED: Final = {"weight": 1, "podAffinityTerm": TERM}
SPREAD: Final = {
    "maxSkew": 1,
    "minDomains": 2,
    "topologyKey": ZONE,
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": TERM["labelSelector"],
    "nodeAffinityPolicy": "Honor",
    "nodeTaintsPolicy": "Honor",
    "matchLabelKeys": ["a"],
}
SPEC: Final[Obj] = {
    "cpu": "100m",
    "priority": 3,
    "schedulerName": "kopfwerk",
    "overhead": {"cpu": "1m"},
    "resources": {"requests": {"cpu": "1m"}},
    "tolerations": [{"key": "a", "operator": "Exists", "value": "", "effect": "NoSchedule"}],
    "nodeSelector": {"a": "b"},
    "schedulingGates": [{"name": "g"}],
    "volumes": [{"name": "v", "image": {"reference": "r"}}],
    "affinity": {
        "nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [NODE_TERM]},
            PREFERRED: [{"weight": 1, "preference": NODE_TERM}],
        },
        "podAffinity": {REQUIRED: [TERM], PREFERRED: [WEIGHED]},
        "podAntiAffinity": {REQUIRED: [TERM], PREFERRED: [WEIGHED]},
    },
    "topologySpreadConstraints": [SPREAD, SPREAD | {"whenUnsatisfiable": "ScheduleAnyway"}],
    "initContainers": [
        {
            "name": "sidecar",
            "restartPolicy": "Always",
            "resources": {"requests": {"cpu": "1m"}, "limits": {"cpu": "1"}},
            "ports": [{"hostPort": 80, "hostIP": "127.0.0.1", "protocol": "TCP"}],
        }
    ],
}
ALONE: Final = pod_object("alone", labels={"a": "b"}, **copy.deepcopy(SPEC))
OF_A_GROUP: Final = member("one", minimum=2, timeout=5, **copy.deepcopy(SPEC))


def paths(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where each field and each element is, the whole first."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*at, key))


def replaced(obj: Obj, at: tuple[str | int, ...], junk: Any) -> Any:
    """Return the pod with something else in one place."""
    if not at:
        return junk
    found = copy.deepcopy(obj)
    inner: Any = found
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = junk
    return found


def world() -> Snapshot:
    """Return two nodes, and a pod on one of them."""
    there = pod("there", node="a", cpu="1", labels={"a": "b"})
    return snapshot(node("a", zone="z", labels={"a": "b", "n": "3"}), node("b", zone="y"), placed=(there,))


@pytest.mark.parametrize("asks", [pytest.param(ALONE, id="a pod"), pytest.param(OF_A_GROUP, id="one of a group")])
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda extender, body: wire.filtered(extender.filter(*wire.arguments(body))), id="filter"),
        pytest.param(lambda extender, body: extender.prioritize(*wire.arguments(body)), id="prioritize"),
        pytest.param(lambda extender, body: wire.preempted(extender.preempt(*wire.candidates(body))), id="preempt"),
        pytest.param(lambda extender, body: orjson.dumps(extender.explain(wire.asked_pod(body))), id="explain"),
    ],
)
def test_junk_in_any_field(asks: Obj, ask: Callable[[Extender, bytes], object]) -> None:
    """Nothing else than a BadRequestError comes of it, and a pod as it should be is placed by the same extender."""
    extender, refused = Extender(world(), lambda _: rules(), lambda: 0.0), 0
    for at in paths(asks):
        for junk in JUNK:
            asked = {"Pod": replaced(asks, at, junk), "NodeNames": ["a", "b"], "NodeNameToMetaVictims": {"a": {}}}
            try:
                ask(extender, orjson.dumps(asked))
            except wire.BadRequestError:
                refused += 1
            except Exception as error:
                raise AssertionError(f"{junk!r} in {at}: {error!r}") from error
    assert refused > 100
    fine = orjson.dumps({"Pod": pod_object("fine"), "NodeNames": ["a", "b"]})
    assert len(extender.filter(*wire.arguments(fine)).nodes) == 1


@pytest.mark.parametrize(
    ("at", "junk", "want_message"),
    [
        pytest.param(("spec", "nodeSelector"), ["x"], "Pod: nodeSelector has to be an object of strings", id="list"),
        pytest.param(
            ("spec", "topologySpreadConstraints", 0, "maxSkew"),
            "x",
            "Pod: maxSkew has to be a whole number",
            id="string for a number",
        ),
        pytest.param(("metadata", "uid"), [None], "Pod: uid has to be a string", id="list for a string"),
        pytest.param(("metadata", "labels", "a"), ["x"], "Pod: labels has to be an object of strings", id="label"),
        pytest.param(
            ("spec", "affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms", 0, "matchExpressions", 0, "operator"),
            "Like",
            "Pod: 'Like' is not a valid node selector operator",
            id="operator",
        ),
    ],
)
def test_the_field_is_named(at: tuple[str | int, ...], junk: Any, want_message: str) -> None:
    """The refusal says which field is wrong, and what it has to be."""
    body = orjson.dumps({"Pod": replaced(ALONE, at, junk), "NodeNames": ["a"]})
    with pytest.raises(wire.BadRequestError) as refusal:
        wire.arguments(body)
    assert str(refusal.value) == want_message
