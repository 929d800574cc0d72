"""Deployments as a user of kubectl meets them."""

from typing import Any

import pytest

from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import DEPLOYMENT, apply, available, items, manifest, pods, until

pytestmark = pytest.mark.cluster


def test_columns(shell: CommandLine) -> None:
    """The table has upstream's columns."""
    apply(shell, "Deployment", 2)
    header, row = shell.done("get", "deployments.kopfwerk.dev").splitlines()
    assert header.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:4] == ["web", "2", "2", "2"]


def test_apply_rolls_out(shell: CommandLine) -> None:
    """A changed manifest is a rollout; the same manifest again is none."""
    apply(shell, "Deployment", 3)
    shell.done("apply", "--filename=-", stdin=manifest("Deployment", 3, image="app:2"))
    said = shell.plugin("rollout", "status", "deployment/web", "--timeout=50s")
    assert said.code == 0, said.stderr
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(shell)} == {"app:2"}
    shell.done("apply", "--filename=-", stdin=manifest("Deployment", 3, image="app:2"))
    shell.done("scale", DEPLOYMENT, "--replicas=4")  # once that is done, a rollout would have begun
    available(shell, DEPLOYMENT, 4)
    assert len(items(shell, "replicasets.kopfwerk.dev")) == 2


def test_scale_and_wait(shell: CommandLine) -> None:
    """The commands kubectl scale and wait work as with the built-in kind."""
    apply(shell, "Deployment", 1)
    shell.done("scale", DEPLOYMENT, "--replicas=5")
    available(shell, DEPLOYMENT, 5)
    shell.done("wait", DEPLOYMENT, "--for=condition=Available", "--timeout=20s")
    shell.done("wait", DEPLOYMENT, "--for=condition=Progressing", "--timeout=20s")
    shell.done("scale", DEPLOYMENT, "--replicas=0")
    until(shell, DEPLOYMENT, "replicas", 0)


def test_wait_for_what_generic_tools_wait_for(shell: CommandLine) -> None:
    """The condition Ready ends a wait when the latest template is rolled out, and not before: nobody waited earlier."""
    for version in ("app:1", "app:2", "app:3"):
        shell.done("apply", "--filename=-", stdin=manifest("Deployment", 3, image=version))
        shell.done("wait", DEPLOYMENT, "--for=condition=Ready", "--timeout=50s")
        assert {pod["spec"]["containers"][0]["image"] for pod in pods(shell) if not _is_ending(pod)} == {version}
        (web,) = items(shell, "deployments.kopfwerk.dev")
        assert web["status"]["availableReplicas"] == web["status"]["updatedReplicas"] == 3


def _is_ending(pod: dict[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def test_events(shell: CommandLine) -> None:
    """The command kubectl describe shows how it scaled."""
    apply(shell, "Deployment", 2)
    (replicaset,) = items(shell, "replicasets.kopfwerk.dev")
    shell.done("wait", "--for=create", "events", "--field-selector=reason=ScalingReplicaSet", "--timeout=20s")
    name = replicaset["metadata"]["name"]
    assert f"Scaled up replica set {name} from 0 to 2" in shell.done("describe", DEPLOYMENT)


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
    apply(shell, "Deployment", 2)
    shell.done("delete", DEPLOYMENT, f"--cascade={cascade}", "--timeout=50s")
    if want_pods:
        (replicaset,) = items(shell, "replicasets.kopfwerk.dev")
        assert not replicaset["metadata"].get("ownerReferences")
    else:
        shell.done("wait", "replicasets.kopfwerk.dev,pods", "--all", "--for=delete", "--timeout=50s")
    assert len(pods(shell)) == want_pods
