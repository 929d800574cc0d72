"""When the benchmark takes a workload for arrived."""

from functools import partial

import pytest

from operators.core.objects import Obj
from tests.bench import workloads

GROUP = "apps"


def at(obj: Obj, generation: int = 1, **status: int) -> Obj:
    """Return a workload of generation 2 that says this of itself."""
    return obj | {
        "metadata": obj["metadata"] | {"generation": 2},
        "status": {"observedGeneration": generation + 1, **status},
    }


ALL = {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2}
EVERYWHERE = {
    "desiredNumberScheduled": 2,
    "currentNumberScheduled": 2,
    "updatedNumberScheduled": 2,
    "numberAvailable": 2,
}
RS = workloads.replicaset(GROUP, "web", 2)
DEPLOYMENT = workloads.deployment(GROUP, "web", 2)
SET = workloads.statefulset(GROUP, "web", 2)
DAEMON = workloads.daemonset(GROUP, "web")


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(at(RS, **ALL), True, id="all ready"),
        pytest.param(at(RS, 0, **ALL), False, id="the status is of before"),
        pytest.param(at(RS, **ALL | {"readyReplicas": 1}), False, id="one is not ready"),
        pytest.param(at(RS, **ALL | {"replicas": 3}), False, id="one too many"),
        pytest.param(at(workloads.replicaset(GROUP, "web", 0)), True, id="none wanted, and none there"),
        pytest.param(at(DEPLOYMENT, **ALL, updatedReplicas=1), False, id="an old one is left"),
        pytest.param(at(DEPLOYMENT, **ALL, updatedReplicas=2), True, id="a Deployment that is rolled out"),
        pytest.param(at(SET, **ALL, updatedReplicas=2), False, id="a StatefulSet that has yet to say so"),
        pytest.param(at(SET, **ALL, updatedReplicas=2, currentReplicas=2), True, id="a StatefulSet"),
        pytest.param(at(DAEMON, **EVERYWHERE), True, id="a DaemonSet"),
        pytest.param(at(DAEMON, **EVERYWHERE | {"updatedNumberScheduled": 1}), False, id="with an old pod"),
    ],
)
def test_up(obj: Obj, *, want: bool) -> None:
    """All that is wanted is there, of the newest template and available."""
    assert workloads.is_up(obj) == want


@pytest.mark.parametrize(
    ("nodes", "want"), [pytest.param(2, True, id="all of them"), pytest.param(3, False, id="one is to join yet")]
)
def test_on_so_many_nodes(nodes: int, *, want: bool) -> None:
    """A DaemonSet that has a pod on each node it knows is not there yet while it does not know all."""
    assert partial(workloads.is_on, nodes)(at(DAEMON, **EVERYWHERE)) == want


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param({}, True, id="none"),
        pytest.param({"replicas": 1}, False, id="one is left"),
        pytest.param({"terminatingReplicas": 1}, False, id="one is still ending"),
    ],
)
def test_down(status: dict[str, int], *, want: bool) -> None:
    """Nothing is left, what is ending included."""
    assert workloads.is_down(at(RS, **status)) == want


def test_how_they_roll() -> None:
    """Where order counts one at a time, else a tenth."""
    assert "updateStrategy" not in SET["spec"]
    many = workloads.statefulset(GROUP, "web", 500, parallel=True)["spec"]
    assert (many["podManagementPolicy"], many["updateStrategy"]) == ("Parallel", DAEMON["spec"]["updateStrategy"])
    assert DAEMON["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": "10%"}
