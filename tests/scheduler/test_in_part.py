"""Where kube-scheduler shows a part of the nodes: a pod that fits on none of these may fit on others."""

import orjson
import pytest

from operators.scheduler import wire
from operators.scheduler.extender import ELSEWHERE, Extender
from operators.scheduler.rules import rules
from tests.scheduler.building import node, pod, snapshot


@pytest.mark.parametrize(
    ("cpu", "in_part", "want_error", "want_failed"),
    [
        pytest.param("4", True, ELSEWHERE, {}, id="on a node that was not shown"),
        pytest.param("4", False, "", {"small": "Insufficient cpu"}, id="on one that kube-scheduler has refused"),
        pytest.param("16", True, "", {"small": "Insufficient cpu"}, id="on none"),
    ],
)
def test_a_pod_that_fits_elsewhere(cpu: str, want_error: str, want_failed: dict[str, str], *, in_part: bool) -> None:
    """It is an error, after which kube-scheduler goes on from where it was; else it is told why."""
    nodes = snapshot(node("small", cpu="1"), node("large", cpu="8"))
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0, in_part=in_part)

    answer = extender.filter(pod("p", cpu=cpu), ["small"])

    assert answer.nodes == []
    assert orjson.loads(wire.filtered(answer))["Error"] == want_error
    assert {**answer.failed, **answer.unresolvable} == want_failed


def test_a_pod_that_fits_is_placed_among_what_is_shown() -> None:
    """The best of those, though another would be better."""
    nodes = snapshot(node("small", cpu="1"), node("large", cpu="8"))
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0, in_part=True)

    assert extender.filter(pod("p", cpu="500m"), ["small"]).nodes == ["small"]
