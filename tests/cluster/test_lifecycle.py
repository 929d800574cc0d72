"""Clusters from start to end, with the real programs."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operators.cluster.api import ApiError
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.errors import ClusterError
from operators.cluster.readiness import wait
from operators.cluster.registry import Record

pytestmark = pytest.mark.cluster

QUIET = Settings(name="one", nodes=3, operator=False)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster for the tests that leave it as they found it."""
    with Cluster(QUIET) as cluster:
        yield cluster


def config_map(name: str) -> dict[str, Any]:
    """A small object."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_nodes_are_ready_in_three_zones(cluster: Cluster) -> None:
    """As many nodes as asked for are Ready, and no zone has two before each has one."""
    nodes = cluster.api().get("/api/v1/nodes")["items"]

    assert len({node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes}) == 3
    assert [
        condition["status"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    ] == ["True"] * 3


def test_components_have_their_own_rights(cluster: Cluster) -> None:
    """RBAC is on: the scheduler may bind pods, not read secrets."""
    with pytest.raises(ApiError, match="forbidden") as error:
        cluster.api("kube-scheduler").get("/api/v1/secrets")

    assert error.value.status == 403


def test_a_component_is_started_anew_with_other_arguments(cluster: Cluster) -> None:
    """The new arguments count, and it becomes healthy again."""
    running = cluster.processes["kube-controller-manager"]
    before = len(running.log.read_text())

    process = cluster.restart(
        "kube-controller-manager", cluster.controller_manager(without=["job-controller"], extra=["--v=1"])
    )

    assert process.pid != running.pid
    assert "--controllers=*,-job-controller" in process.argv
    assert process.argv[-1] == "--v=1"
    wait(cluster, lambda: "Starting endpoint controller" in process.log.read_text()[before:], "it does not run")
    cluster.check()


def test_a_dead_component_is_reported_with_its_last_words(cluster: Cluster) -> None:
    """A component that ends by itself is an error with the end of its log."""
    process = cluster.run("short", [sys.executable, "-c", "raise SystemExit('out of luck')"])
    try:
        with pytest.raises(ClusterError, match="short ended with exit code 1:\nout of luck"):
            wait(cluster, lambda: False, "never")
    finally:
        process.stop()


def test_two_clusters_know_nothing_of_each_other(cluster: Cluster) -> None:
    """A second cluster beside the first has ports and data of its own, and leaves nothing when it is stopped."""
    with Cluster(Settings(name="two", nodes=1, operator=False)) as second:
        second.api().request("POST", "/api/v1/namespaces/default/configmaps", config_map("second"))
        with pytest.raises(ApiError, match="not found"):
            cluster.api().get("/api/v1/namespaces/default/configmaps/second")
        processes = list(second.processes.values())

    assert [process.name for process in processes if process.running] == []
    assert not second.folder.exists()
    assert cluster.api().get("/readyz") == "ok"


def test_the_operator_validates_from_the_start() -> None:
    """Custom resources are served, and what the built-in kind would refuse is refused once the cluster is ready."""
    container = {"name": "c", "image": "i", "volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}
    replica_set = {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "r"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}},
        },
    }
    with (
        Cluster(Settings(name="operated", nodes=0)) as cluster,
        pytest.raises(ApiError, match='Not found: "nowhere"'),
    ):
        cluster.api().request("POST", "/apis/kopfwerk.dev/v1/namespaces/default/replicasets", replica_set)


class CommandLine:
    """`kopfwerk` with a state folder of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.environment = {**os.environ, "KOPFWERK_STATE": str(state)}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command."""
        argv = [sys.executable, "-m", "operators.cli.main", *arguments]
        return subprocess.Popen(argv, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments: str, want_exit_code: int = 0) -> str:
        """Run a command to its end; what it says."""
        with self.start(*arguments) as process:
            said, _ = process.communicate(timeout=300)
        assert process.returncode == want_exit_code, said
        return said

    def record(self) -> Record:
        """What is written down of the cluster."""
        return Record(**json.loads((self.state / "default" / "cluster.json").read_text()))


def ended(pids: list[int], timeout: float = 30) -> list[bool]:
    """Whether each process ends in time."""
    outcome = []
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            outcome.append(True)
            continue
        outcome.append(bool(select.select([descriptor], [], [], timeout)[0]))
        os.close(descriptor)
    return outcome


def test_from_up_to_down(tmp_path: Path) -> None:
    """A detached cluster is shown, logs, and is ended by name; its state and its address outlive it in --data-dir."""
    kopfwerk = CommandLine(tmp_path / "state")
    user = tmp_path / "kubeconfig"
    options = ("--no-operator", "--nodes=1", f"--data-dir={tmp_path / 'data'}", f"--kubeconfig={user}")

    said = kopfwerk.run("up", "--detach", *options)
    first = kopfwerk.record()

    assert f"export KUBECONFIG={user}" in said
    assert "kopfwerk-default" in user.read_text()
    assert "kwok" in kopfwerk.run("status", "--name=default")
    assert "Starting" in kopfwerk.run("logs", "kube-controller-manager")
    assert "runs already" in kopfwerk.run("up", want_exit_code=1)
    kubectl = ["kubectl", f"--kubeconfig={user}"]
    subprocess.run([*kubectl, "create", "configmap", "kept"], check=True, capture_output=True)
    assert "is down" in kopfwerk.run("down")
    assert ended([first.pid, *first.components.values()]) == [True] * 7
    assert "kopfwerk-default" not in user.read_text()

    kopfwerk.run("up", "--detach", *options)
    try:
        subprocess.run([*kubectl, "get", "configmap", "kept"], check=True, capture_output=True)
        assert kopfwerk.record().server == first.server
    finally:
        kopfwerk.run("down")


@pytest.mark.parametrize(
    ("number", "want_exit_code", "want_folder"),
    [
        pytest.param(signal.SIGINT, 0, False, id="Ctrl-C takes it down"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, True, id="a killed one leaves no process"),
    ],
)
def test_in_front(number: int, want_exit_code: int, *, want_folder: bool, tmp_path: Path) -> None:
    """However the command in front ends, its processes end too."""
    kopfwerk = CommandLine(tmp_path)
    with kopfwerk.start("up", "--no-operator", "--nodes=0") as up:
        assert up.stdout is not None
        said = iter(up.stdout.readline, "")
        assert any("Ctrl-C" in line for line in said)
        record = kopfwerk.record()
        up.send_signal(number)
        up.communicate(timeout=60)

    assert up.returncode == want_exit_code
    assert ended(list(record.components.values())) == [True] * 6
    assert (tmp_path / "default" / "cluster.json").exists() is want_folder


def test_what_does_not_start_is_one_clear_error(tmp_path: Path) -> None:
    """The component's own complaint reaches the user, from the background too."""
    kopfwerk = CommandLine(tmp_path)

    said = kopfwerk.run("up", "--detach", "--no-operator", "--apiserver-arg=--nonsense", want_exit_code=1)

    assert "error: kube-apiserver ended with exit code 1:\nError: unknown flag: --nonsense" in said
    assert "failed" in kopfwerk.run("status")
