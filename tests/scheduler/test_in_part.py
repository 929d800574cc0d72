"""Where kube-scheduler shows a part of the nodes: a pod that fits on none of these may fit on others."""

import orjson
import pytest

from operators.scheduler import wire
from operators.scheduler.extender import UNKNOWN, Extender
from operators.scheduler.gangs import ELSEWHERE
from operators.scheduler.rules import rules
from tests.scheduler.building import node, pod, snapshot

SMALL = [f"small-{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("cpu", "in_part", "shown", "want_error"),
    [
        pytest.param("4", True, SMALL, ELSEWHERE, id="on a node that was not shown"),
        pytest.param("4", False, SMALL, "", id="on one that kube-scheduler has refused"),
        pytest.param("4", True, SMALL[1:], "", id="on one that it has refused, for it looks on until it has 100"),
        pytest.param("16", True, SMALL, "", id="on none"),
    ],
)
def test_a_pod_that_fits_elsewhere(cpu: str, shown: list[str], want_error: str, *, in_part: bool) -> None:
    """It is an error, after which kube-scheduler goes on from where it was; else it is told why."""
    nodes = snapshot(node("large", cpu="8"), *(node(name, cpu="1") for name in SMALL))
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0, in_part=in_part)

    answer = extender.filter(pod("p", cpu=cpu), shown)

    assert answer.nodes == []
    assert orjson.loads(wire.filtered(answer))["Error"] == want_error
    want_failed = {} if want_error else dict.fromkeys(shown, "Insufficient cpu")
    assert {**answer.failed, **answer.unresolvable} == want_failed


def test_a_pod_that_fits_is_placed_among_what_is_shown() -> None:
    """The best of those, though another would be better."""
    nodes = snapshot(node("small", cpu="1"), node("large", cpu="8"))
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0, in_part=True)

    assert extender.filter(pod("p", cpu="500m"), ["small"]).nodes == ["small"]


def test_a_node_that_is_not_known_is_refused() -> None:
    """However many there are: none of those that are known is taken in its place."""
    nodes = snapshot(*(node(f"node-{number}", cpu="8") for number in range(64)))
    assert nodes.alive.all(), "no row is free"
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0, in_part=True)

    answer = extender.filter(pod("p", cpu="1"), ["new"])

    assert (answer.nodes, answer.failed) == ([], {"new": UNKNOWN})
