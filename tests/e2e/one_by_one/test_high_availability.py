"""What befalls the operator's leader: somebody else leads soon, and no workload notices.

A ReplicaSet's growth is under way each time, and a watch counts every pod that ever was.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e import operator
from tests.e2e.manifests import container, deployment
from tests.e2e.operator import Leader
from tests.e2e.shell import NAMESPACE, Shell, documented, eventually

SOON = 5.0
"""Seconds within which another leads, once the lease has run out."""
SIZE = 24


@pytest.fixture
def growing(shell: Shell, tmp_path: Path) -> Iterator[Shell]:
    """Begin to grow a Deployment; at the end it has all its pods, and there never was one too many."""
    small = {"containers": [container(command=["sleep", "infinity"])], "terminationGracePeriodSeconds": 1}
    shell.apply(deployment(1, pod=small))
    shell.rolled_out()
    with _watched(shell, tmp_path / "pods") as ever:
        shell.kubectl("scale", "deployments.kopfwerk.dev/web", f"--replicas={SIZE}")
        yield shell
        shell.rolled_out()
        eventually("all pods are seen", lambda: len(ever()) >= SIZE)
        assert len(ever()) == SIZE
        assert len(shell.pods(app="web")) == SIZE
    operator.ready()


@contextmanager
def _watched(shell: Shell, file: Path) -> Iterator[Callable[[], set[str]]]:
    """Write down the UID of every pod that appears."""
    columns = "-o=custom-columns=:.metadata.uid"
    command = ["kubectl", f"--namespace={shell.namespace}", "get", "pods", "--watch", "--selector=app=web", columns]
    with file.open("w") as output, subprocess.Popen(command, stdout=output) as watch:
        try:
            yield lambda: set(file.read_text().split())
        finally:
            watch.terminate()


def kill_process(leader: Leader) -> None:
    """Kill the process with no chance to say anything."""
    process = operator.process_of(leader.pod)
    operator.on_node(operator.node_of(leader.pod), "sh", "-c", f"kill -9 {process}")


def kill_pod(leader: Leader) -> None:
    """Delete the pod and do not wait for it."""
    operator.OPERATOR.kubectl("delete", "pod", leader.pod, "--grace-period=0", "--force")


@pytest.mark.parametrize("kill", [kill_process, kill_pod])
def test_dead_leader(growing: Shell, kill: Callable[[Leader], None]) -> None:
    """Another leads as soon as the lease allows."""
    old = operator.present_leader()
    kill(old)
    assert operator.succession(old) < SOON


def test_ended_leader(growing: Shell) -> None:
    """A leader that is asked to end gives the lease away: nobody waits for it to run out."""
    old = operator.present_leader()
    operator.OPERATOR.kubectl("delete", "pod", old.pod, "--wait=false")
    assert operator.succession(old) < -operator.LEASE_SECONDS / 2


def test_frozen_node(growing: Shell) -> None:
    """A leader whose node stands still loses the lease, and writes nothing when it comes to itself again."""
    old = operator.present_leader()
    with operator.standing_still(operator.node_of(old.pod)):
        without = operator.succession(old)
    assert without < SOON


def test_cut_network(growing: Shell) -> None:
    """A leader that cannot reach the apiserver any more stops by itself."""
    old = operator.present_leader()
    node = operator.node_of(old.pod)
    address = operator.OPERATOR.get(f"pod/{old.pod}")["status"]["podIP"]
    rules = [["FORWARD", f"--{way}", address, "--jump", "DROP"] for way in ("source", "destination")]
    follow = ["kubectl", f"--namespace={NAMESPACE}", "logs", "--follow", "--tail=10", old.pod]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as log:
        for rule in rules:
            operator.on_node(node, "iptables", "--insert", *rule)
        try:
            assert operator.succession(old) < SOON
            said, _ = log.communicate(timeout=120)  # until it ends: the next one may be the previous one soon
            assert "leadership lost" in said
            previous = "kubectl --namespace kopfwerk-system logs --previous POD"
            eventually("what it said is kept", lambda: documented(previous, POD=old.pod))
        finally:
            log.terminate()
            for rule in rules:
                operator.on_node(node, "iptables", "--delete", *rule)


def test_upgrade_of_the_operator(growing: Shell) -> None:
    """The operator's own rolling update disturbs nothing."""
    before = {pod["metadata"]["uid"] for pod in operator.pods()}
    operator.OPERATOR.kubectl("rollout", "restart", "deployment/kopfwerk")
    operator.ready()
    assert not before & {pod["metadata"]["uid"] for pod in operator.pods()}
    began = time.monotonic()
    operator.present_leader()
    assert time.monotonic() - began < operator.LEASE_SECONDS
