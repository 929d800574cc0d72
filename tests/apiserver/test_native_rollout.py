"""Stock kubectl's rollout commands where the built-in Deployments are ours."""

from collections.abc import Iterator

import pytest

from tests.apiserver import plugin_cli
from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import apply, items, pods
from tests.support.cluster import Shared

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("native")]

WEB = "deployments.apps/web"


@pytest.fixture
def shell(native: Shared, unique: str) -> Iterator[CommandLine]:
    """Return kubectl in a namespace of its own."""
    yield from plugin_cli.namespace(native.kubeconfig, unique)


def _rolled_out(shell: CommandLine, image: str) -> None:
    assert "successfully rolled out" in shell.done("rollout", "status", WEB, "--timeout=50s")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(shell)} == {image}


def test_undo(shell: CommandLine) -> None:
    """The commands status, history and undo see what our controller wrote."""
    apply(shell, "Deployment", 2, group="apps")
    shell.done("set", "image", WEB, "app=app:2")
    _rolled_out(shell, "app:2")
    history = shell.done("rollout", "history", WEB).split()
    assert [word for word in history if word.isdigit()] == ["1", "2"]
    shell.done("rollout", "undo", WEB)
    _rolled_out(shell, "app:1")
    history = shell.done("rollout", "history", WEB).split()
    assert [word for word in history if word.isdigit()] == ["2", "3"]
    shell.done("rollout", "undo", WEB, "--to-revision=2")
    _rolled_out(shell, "app:2")


def test_pause_and_resume(shell: CommandLine) -> None:
    """Nothing rolls while paused."""
    apply(shell, "Deployment", 2, group="apps")
    shell.done("rollout", "pause", WEB)
    shell.done("set", "image", WEB, "app=app:2")
    shell.done("wait", WEB, "--for=jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=DeploymentPaused")
    assert len(items(shell, "replicasets.apps")) == 1
    shell.done("rollout", "resume", WEB)
    _rolled_out(shell, "app:2")


def test_restart(shell: CommandLine) -> None:
    """Every pod is replaced."""
    apply(shell, "Deployment", 2, group="apps")
    before = {pod["metadata"]["uid"] for pod in pods(shell)}
    shell.done("rollout", "restart", WEB)
    _rolled_out(shell, "app:1")
    after = {pod["metadata"]["uid"] for pod in pods(shell)}
    assert len(after) == 2
    assert not before & after
