"""Profiles: upstream's rules and weights where nothing is said, and a clear refusal of what no rule understands."""

import pytest

from operators.core.objects import Obj
from operators.scheduler import placement
from operators.scheduler.rules import PREDICATES, WEIGHTS, InvalidProfileError, rules
from tests.scheduler.building import node, pod, rows, snapshot


def test_default_is_upstream() -> None:
    """Without a profile every predicate decides, and every priority has upstream's weight."""
    chosen = rules()
    assert list(chosen.predicates) == list(PREDICATES)
    assert {name: weight for name, (_, weight) in chosen.priorities.items()} == dict(WEIGHTS)


@pytest.mark.parametrize(
    ("strategy", "want_node"),
    [pytest.param("LeastAllocated", "b", id="spread"), pytest.param("MostAllocated", "a", id="pack")],
)
def test_strategy_chooses(strategy: str, want_node: str) -> None:
    """The busier node is avoided or filled up."""
    nodes = snapshot(node("a"), node("b"), placed=(pod("x", node="a", cpu="2", memory="4Gi"),))
    chosen = rules({"strategy": strategy, "weights": {"NodeResourcesFit": 10}})
    one = pod(cpu="1", memory="1Gi")
    assert nodes.names[placement.best(one, placement.score(one, nodes, chosen, rows(nodes)))] == want_node


def test_no_resources_stand_for_upstreams() -> None:
    """An empty list of what a strategy counts means CPU and memory, as one that is left out."""
    nodes = snapshot(node("a"), node("b"), placed=(pod("x", node="a", cpu="2", memory="4Gi"),))
    one = pod(cpu="1", memory="1Gi")
    got = placement.score(one, nodes, rules({"resources": {}}), rows(nodes))
    want = placement.score(one, nodes, rules(), rows(nodes))
    assert got.total.tolist() == want.total.tolist()


@pytest.mark.parametrize(
    ("profile", "want_message"),
    [
        pytest.param({"weight": {}}, "'weight' is no field", id="unknown field"),
        pytest.param({"predicates": ["Fit"]}, "'Fit' is no predicate", id="unknown predicate"),
        pytest.param({"weights": {"Fit": 1}}, "'Fit' is no priority", id="unknown priority"),
        pytest.param({"weights": {"ImageLocality": -1}}, "at least 0", id="negative weight"),
        pytest.param({"strategy": "Best"}, "'Best' is not a strategy", id="unknown strategy"),
        pytest.param({"strategy": "RequestedToCapacityRatio"}, "needs a shape", id="no shape"),
        pytest.param(
            {"strategy": "RequestedToCapacityRatio", "shape": [[50, 1], [50, 2]]},
            "rises",
            id="a shape that stands still",
        ),
    ],
)
def test_refused(profile: Obj, want_message: str) -> None:
    """A profile that cannot be meant is refused in words."""
    with pytest.raises(InvalidProfileError, match=want_message):
        rules(profile)
