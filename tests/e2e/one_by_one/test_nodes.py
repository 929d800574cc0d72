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
    leading = operator.place_of(operator.present_leader())
    on = {pod["spec"]["nodeName"]: pod["metadata"]["name"] for pod in shell.pods(app="web")}
    node = next(name for name in sorted(on) if name != leading)
    before = shell.get(f"node/{node}")["metadata"]["uid"]
    with operator.away(node):
        shell.kubectl("delete", "pod", on[node], "--force", "--grace-period=0")
        wanted = f"--for=jsonpath={{.status.desiredNumberScheduled}}={len(on) - 1}"
        shell.kubectl("wait", "daemonsets.kopfwerk.dev/web", wanted, "--timeout=60s")
        assert {pod["spec"]["nodeName"] for pod in shell.pods(app="web")} == on.keys() - {node}
    assert shell.get(f"node/{node}")["metadata"]["uid"] != before
    wanted = f"--for=jsonpath={{.status.numberReady}}={len(on)}"
    shell.kubectl("wait", "daemonsets.kopfwerk.dev/web", wanted, "--timeout=120s")
    assert {pod["spec"]["nodeName"] for pod in shell.pods(app="web")} == on.keys()
