"""How old the pods that scaling down takes are, beside the youngest."""

import pytest

from operators.core.objects import PODS
from operators.core.plan import Batch, Create, Delete, Plan, Target
from operators.core.replicaset import Observed, age_ratios
from tests.support.builders import NOW, pod, replicaset

PARENT = replicaset()
YOUNG = pod("young", age=10)
MIDDLE = pod("middle", age=40)
OLD = pod("old", age=80)
UNREADY = pod("unready", age=5, ready=None)


def deleting(*names: str) -> Plan:
    """Return a plan that deletes pods."""
    return Plan((Batch(tuple(Delete(Target(PODS, "ns", name, f"uid-{name}")) for name in names)),))


@pytest.mark.parametrize(
    ("plan", "want_ratios"),
    [
        pytest.param(deleting("middle"), [4], id="one"),
        pytest.param(deleting("young", "old"), [1, 8], id="the-youngest-and-another"),
        pytest.param(deleting("unready"), [], id="one-that-is-not-ready"),
        pytest.param(deleting("young", "middle", "old", "unready"), [], id="all"),
        pytest.param(Plan((Batch((Create(PODS, PARENT),)),)), [], id="none-is-deleted"),
    ],
)
def test_ratios(plan: Plan, want_ratios: list[float]) -> None:
    """The age of what goes is measured in ages of the youngest ready pod."""
    assert age_ratios(Observed(PARENT, (YOUNG, MIDDLE, OLD, UNREADY), (), NOW), plan) == want_ratios
