"""The command lines of what is compared, and what the benchmark says of the apiserver."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench import world
from tests.bench.sides import COMPARED, KCM, KCM_JSON, NATIVE, OURS, QPS, Side

KEPT = ["/bin/kcm", "--leader-elect=false", "--controllers=*,-job-controller", "--kube-api-qps=200"]
CLUSTER: Any = SimpleNamespace(controller_manager=lambda: KEPT, operator_kubeconfig="operator.kubeconfig")


@pytest.mark.parametrize(
    ("side", "want"),
    [
        pytest.param(KCM, [], id="as it is"),
        pytest.param(KCM_JSON, ["--kube-api-content-type=application/json"], id="with our encoding"),
    ],
)
def test_kube_controller_manager(side: Side, want: list[str]) -> None:
    """It runs the controllers that Kopfwerk has and no others, and no limit keeps it back: the last flag counts."""
    command = [str(part) for part in side.command(CLUSTER)]
    assert [part for part in command if part.startswith("--controllers")] == ["--controllers=" + ",".join(COMPARED)]
    assert command[-len([*QPS, *want]) :] == [*QPS, *want]


@pytest.mark.parametrize(
    ("side", "want"), [pytest.param(OURS, False, id="ours"), pytest.param(NATIVE, True, id="native")]
)
def test_kopfwerk(side: Side, *, want: bool) -> None:
    """It runs on the kinds that the side's workloads are of, with no lease to wait for."""
    command = [str(part) for part in side.command(CLUSTER)]
    assert "--no-leader-elect" in command
    assert ("--native" in command) == want


def test_what_is_said_of_the_apiserver() -> None:
    """Its flags as far as they limit requests, and the seats that each priority level has."""
    seats = "apiserver_flowcontrol_nominal_limit_seats"
    levels = {"workload-low": 245, "exempt": 0}
    lines = [f'{seats}{{priority_level="{level}"}} {count}' for level, count in levels.items()]
    metrics = "\n".join([*lines, 'apiserver_other{priority_level="x"} 7'])
    api: Any = SimpleNamespace(get=lambda _: metrics)
    flags, told, _ = world.flow_control(api, ["--secure-port=1", "--max-requests-inflight=9"])
    assert flags == "inflight and fairness flags: --max-requests-inflight=9"
    assert told == "priority and fairness: 245 seats; exempt 0, workload-low 245"
