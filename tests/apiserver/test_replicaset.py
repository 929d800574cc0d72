"""ReplicaSets as a user of kubectl meets them."""

import pytest

from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import REPLICASET, apply, available, items, pods

pytestmark = pytest.mark.cluster


def test_columns(shell: CommandLine) -> None:
    """The table is upstream's."""
    apply(shell, "ReplicaSet", 2)
    header, row = shell.done("get", "replicasets.kopfwerk.dev").splitlines()
    assert header.split() == ["NAME", "DESIRED", "CURRENT", "READY", "AGE"]
    assert row.split()[:4] == ["web", "2", "2", "2"]


def test_scale(shell: CommandLine) -> None:
    """The command kubectl scale works through the scale subresource, its precondition too."""
    apply(shell, "ReplicaSet", 1)
    shell.done("scale", REPLICASET, "--replicas=4")
    available(shell, REPLICASET, 4)
    assert shell.kubectl("scale", REPLICASET, "--current-replicas=9", "--replicas=1").code != 0
    assert len(pods(shell)) == 4


def test_events(shell: CommandLine) -> None:
    """The command kubectl describe shows what was done."""
    apply(shell, "ReplicaSet", 2)
    shell.done("wait", "--for=create", "events", "--field-selector=reason=SuccessfulCreate", "--timeout=20s")
    assert "Created pod: web-" in shell.done("describe", REPLICASET)


def test_relabelled_pod(shell: CommandLine) -> None:
    """A pod whose label is edited is let go, and another made."""
    apply(shell, "ReplicaSet", 2)
    name = pods(shell)[0]["metadata"]["name"]
    shell.done("label", "pod", name, "app=debug", "--overwrite")
    shell.done("wait", f"pod/{name}", "--for=jsonpath={.metadata.labels.app}=debug", "--timeout=20s")
    # Two were there before: only a third says that the operator has seen it, and has let go what would be deleted too.
    shell.done("scale", REPLICASET, "--replicas=3")
    available(shell, REPLICASET, 3)
    shell.done("delete", REPLICASET)
    shell.done("wait", "pod", "--selector=app=web", "--for=delete", "--timeout=40s")
    left = pods(shell)
    assert [pod["metadata"]["name"] for pod in left] == [name]
    assert "ownerReferences" not in left[0]["metadata"]


@pytest.mark.parametrize(
    ("cascade", "want_pods"),
    [
        pytest.param("background", 0, id="background"),
        pytest.param("foreground", 0, id="foreground"),
        pytest.param("orphan", 2, id="orphan"),
    ],
)
def test_delete(shell: CommandLine, cascade: str, want_pods: int) -> None:
    """Each way to delete leaves what it says."""
    apply(shell, "ReplicaSet", 2)
    shell.done("delete", REPLICASET, f"--cascade={cascade}", "--timeout=50s")
    if not want_pods:
        shell.done("wait", "pods", "--all", "--for=delete", "--timeout=50s")
    left = items(shell, "pods")
    assert len(left) == want_pods
    assert not any(pod["metadata"].get("ownerReferences") for pod in left)
