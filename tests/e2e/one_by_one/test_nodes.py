"""Nodes that stop, and nodes that join."""

from tests.e2e import operator, scenarios
from tests.e2e.manifests import EVICTED_SOON, daemonset, deployment
from tests.e2e.shell import Shell, eventually


def test_stopped_node(shell: Shell) -> None:
    """Pods of a node that stops are placed elsewhere."""
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    spread |= {"labelSelector": {"matchLabels": {"app": "web"}}}
    shell.apply(deployment(3, pod={"topologySpreadConstraints": [spread], "tolerations": EVICTED_SOON}))
    shell.rolled_out()
    node = shell.pods(app="web")[0]["spec"]["nodeName"]
    with operator.standing_still(node):
        eventually("three pods on other nodes", lambda: scenarios.ready_elsewhere(shell, node) == 3, 180)
    shell.rolled_out()


def test_joined_node(shell: Shell) -> None:
    """A DaemonSet has a pod on a node as soon as it has joined, and wants none while it is away."""
    shell.apply(daemonset())
    shell.kubectl("kopfwerk", "rollout", "status", "daemonset/web", "--timeout=120s")
    scenarios.node_joins(shell, "daemonsets.kopfwerk.dev")
