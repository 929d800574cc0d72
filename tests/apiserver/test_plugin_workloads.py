"""The plugin on custom resources whose controllers run: what stock kubectl does for built-in ones."""

import pytest

from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import apply, items, manifest, pods, until

pytestmark = pytest.mark.cluster

WEB = "deployment/web"


def said(shell: CommandLine, *args: str) -> str:
    """Run the plugin, which has to succeed, and return what it prints."""
    answer = shell.plugin(*args)
    assert answer.code == 0, answer.stderr
    return answer.stdout


def rolled_out(shell: CommandLine, image: str) -> None:
    """Wait for the rollout, and look whether all pods have the image."""
    assert "successfully rolled out" in said(shell, "rollout", "status", WEB, "--timeout=50s")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(shell)} == {image}


def revisions(shell: CommandLine) -> list[str]:
    """Return the revisions of the history."""
    return [word for word in said(shell, "rollout", "history", WEB).split() if word.isdigit()]


def test_set_image_history_and_undo(shell: CommandLine) -> None:
    """A rollout by set image is in the history, and is undone to the last revision or to a chosen one."""
    apply(shell, "Deployment", 2)
    assert said(shell, "set", "image", WEB, "app=app:2") == "deployment.kopfwerk.dev/web image updated\n"
    rolled_out(shell, "app:2")
    assert revisions(shell) == ["1", "2"]
    assert "app:1" in said(shell, "rollout", "history", WEB, "--revision=1")
    assert said(shell, "rollout", "undo", WEB) == "deployment.kopfwerk.dev/web rolled back\n"
    rolled_out(shell, "app:1")
    assert revisions(shell) == ["2", "3"]
    said(shell, "rollout", "undo", WEB, "--to-revision=2")
    rolled_out(shell, "app:2")


def test_pause_holds_a_rollout_up_until_resume(shell: CommandLine) -> None:
    """A template that changes while paused makes no ReplicaSet; status says what it waits for."""
    apply(shell, "Deployment", 2)
    said(shell, "rollout", "pause", WEB)
    said(shell, "set", "env", WEB, "COLOUR=blue")
    until(shell, "deployments.kopfwerk.dev/web", "observedGeneration", 3)
    assert len(items(shell, "replicasets.kopfwerk.dev")) == 1
    refused = shell.plugin("rollout", "restart", WEB)
    assert refused.code == 1
    assert "paused" in refused.stderr
    said(shell, "rollout", "resume", WEB)
    rolled_out(shell, "app:1")
    assert len(items(shell, "replicasets.kopfwerk.dev")) == 2
    assert {"name": "COLOUR", "value": "blue"} in pods(shell)[0]["spec"]["containers"][0]["env"]


def test_restart_replaces_every_pod(shell: CommandLine) -> None:
    """The annotation in the template makes new pods of the same image."""
    apply(shell, "Deployment", 2)
    before = {pod["metadata"]["uid"] for pod in pods(shell)}
    said(shell, "rollout", "restart", WEB)
    rolled_out(shell, "app:1")
    assert not before & {pod["metadata"]["uid"] for pod in pods(shell)}


def test_status_gives_up_when_the_deadline_has_passed(shell: CommandLine) -> None:
    """A rollout that exceeds its progress deadline ends the command with an error."""
    stuck = (
        manifest("Deployment", 1)
        .replace('"replicas": 1', '"replicas": 1, "progressDeadlineSeconds": 2')
        .replace(
            '"labels": {"app": "web"}}, "spec"',
            '"labels": {"app": "web"}, "annotations": {"sim.kopfwerk.dev/ready": "false"}}, "spec"',
        )
    )
    assert "sim.kopfwerk.dev" in stuck
    shell.done("apply", "--filename=-", stdin=stuck)
    answer = shell.plugin("rollout", "status", WEB, "--timeout=50s")
    assert answer.code == 1
    assert 'deployment "web" exceeded its progress deadline' in answer.stderr


def test_logs_come_from_a_pod_of_the_deployment(shell: CommandLine) -> None:
    """With several pods, it says which one it reads."""
    apply(shell, "Deployment", 2)
    answer = shell.plugin("logs", WEB, "--tail=1")
    assert answer.code == 0, answer.stderr
    assert answer.stdout
    assert "Found 2 pods, using pod/web-" in answer.stderr
