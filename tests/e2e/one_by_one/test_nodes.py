"""Nodes that stop, nodes that join, and nodes that are drained."""

from tests.e2e import operator, scenarios
from tests.e2e.manifests import EVICTED_SOON, daemonset, deployment
from tests.e2e.shell import Shell, eventually, run


def test_stopped_node(shell: Shell) -> None:
    """Pods of a node that stops are placed elsewhere."""
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    spread |= {"labelSelector": {"matchLabels": {"app": "web"}}}
    shell.apply(deployment(3, pod={"topologySpreadConstraints": [spread], "tolerations": EVICTED_SOON}))
    shell.rolled_out()
    node = shell.pods(app="web")[0]["spec"]["nodeName"]
    with operator.standing_still(node):
        eventually("three pods on other nodes", lambda: _ready_elsewhere(shell, node) == 3, 180)
    shell.rolled_out()


def test_joined_node(shell: Shell) -> None:
    """A DaemonSet has a pod on a node as soon as it has joined, and wants none while it is away."""
    shell.apply(daemonset())
    shell.kubectl("kopfwerk", "rollout", "status", "daemonset/web", "--timeout=120s")
    scenarios.node_joins(shell, "daemonsets.kopfwerk.dev")


def test_drain_within_a_disruption_budget(shell: Shell) -> None:
    """A drain waits for the replacements that the budget asks for, and ends."""
    shell.apply(deployment(3))
    shell.kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=2")
    shell.rolled_out()
    node = shell.pods(app="web")[0]["spec"]["nodeName"]
    try:
        run(
            "kubectl",
            "drain",
            node,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--pod-selector=app=web",
            "--timeout=120s",
        )
        shell.rolled_out()
        assert _ready_elsewhere(shell, node) == 3
    finally:
        run("kubectl", "uncordon", node)


def _ready_elsewhere(shell: Shell, node: str) -> int:
    """Count the ready pods that are not on a node."""
    found = [pod for pod in shell.pods(app="web") if pod["spec"].get("nodeName") not in (None, node)]
    return sum(
        {"type": "Ready", "status": "True"}.items() <= condition.items()
        for pod in found
        for condition in pod["status"].get("conditions", ())
    )
