"""DaemonSets on real nodes."""

import pytest

from tests.e2e.manifests import daemonset
from tests.e2e.shell import Shell, run


@pytest.mark.xdist_group("all nodes")
def test_one_pod_on_each_node(shell: Shell) -> None:
    """Each node that lets pods on has one, also after an update; the others have none."""
    shell.apply(daemonset("agent"))
    shell.kubectl("kopfwerk", "rollout", "status", "daemonset/agent", "--timeout=300s")
    tainted = "-o=jsonpath={.items[?(@.spec.taints[*].effect=='NoSchedule')].metadata.name}"
    nodes = set(run("kubectl", "get", "nodes", "-o=jsonpath={.items[*].metadata.name}").split())
    want = nodes - set(run("kubectl", "get", "nodes", tainted).split())
    assert _nodes(shell) == sorted(want)
    shell.kubectl("kopfwerk", "set", "image", "daemonset/agent", "app=kopfwerk-e2e:v2")
    shell.kubectl("kopfwerk", "rollout", "status", "daemonset/agent", "--timeout=300s")
    assert _nodes(shell) == sorted(want)
    assert {pod["spec"]["containers"][0]["image"] for pod in shell.pods(app="agent")} == {"kopfwerk-e2e:v2"}


def _nodes(shell: Shell) -> list[str]:
    """Return the node of each pod."""
    return sorted(pod["spec"]["nodeName"] for pod in shell.pods(app="agent"))
