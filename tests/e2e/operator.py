"""The operator of the chart, seen from outside: its pods, its Lease, and what befalls them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.e2e.shell import CHART, NAMESPACE, RELEASE, Shell, eventually, run

OPERATOR = Shell(NAMESPACE)
LABELS = {"app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/component": "operator"}
LEASE_SECONDS = 15.0


@dataclass(frozen=True)
class Leader:
    """Who leads, and since when and until when as the Lease says."""

    identity: str
    acquired: datetime
    renewed: datetime

    @property
    def pod(self) -> str:
        """The name of its pod: an identity is a host's name and a process."""
        return self.identity.rpartition("_")[0]


def leader() -> Leader | None:
    """Return the holder of the Lease."""
    spec = OPERATOR.get("lease/kopfwerk")["spec"]
    if not spec.get("holderIdentity"):
        return None
    times = (datetime.fromisoformat(spec[name]) for name in ("acquireTime", "renewTime"))
    return Leader(spec["holderIdentity"], *times)


def present_leader() -> Leader:
    """Wait until somebody leads who renews."""

    def renewing() -> Leader | None:
        first = leader()
        time.sleep(2)
        second = leader()
        return second if first and second and second.renewed > first.renewed else None

    return eventually("a leader", renewing)


def succession(old: Leader, seconds: float = 40) -> float:
    """Wait for another leader; return for how many seconds nobody had led, counted from the lease's end."""
    last = old

    def another() -> Leader | None:
        nonlocal last
        now = leader()
        if now is None or now.identity == old.identity:
            last = now or last
            return None
        return now

    new = eventually("another leader", another, seconds)
    return (new.acquired - last.renewed).total_seconds() - LEASE_SECONDS


def ready() -> None:
    """Wait until every replica of the operator is ready."""
    OPERATOR.kubectl("rollout", "status", f"deployment/{RELEASE}", "--timeout=120s")


def pods() -> list[Any]:
    """Return the operator's pods that are not ending."""
    return OPERATOR.pods(**LABELS)


def node_of(name: str) -> str:
    """Return the node of one of them, which in kind is a container of that name."""
    return str(OPERATOR.get(f"pod/{name}")["spec"]["nodeName"])


def place_of(leader: Leader) -> str:
    """Return the node of a leader. One that is a static pod has its node's name."""
    nodes = run("kubectl", "get", "nodes", "--output=jsonpath={.items[*].metadata.name}").split()
    return leader.pod if leader.pod in nodes else node_of(leader.pod)


def on_node(node: str, *command: str) -> str:
    """Run a command on a node."""
    return run("docker", "exec", node, *command)


def upgrade(*args: str, chart: Path = CHART, stdin: str = "") -> None:
    """Upgrade the release, or install it, and wait."""
    place = (f"--namespace={NAMESPACE}", "--create-namespace")
    run("helm", "upgrade", "--install", RELEASE, str(chart), *place, "--wait", "--timeout=3m", *args, stdin=stdin)


@contextmanager
def standing_still(node: str) -> Iterator[None]:
    """Freeze a node, and let it go on afterwards, until it is ready again."""

    def freeze() -> bool:
        run("docker", "pause", node)  # refused while a process of the node is where it cannot be stopped
        return True

    eventually(f"{node} stands still", freeze, 30)
    try:
        yield
    finally:
        run("docker", "unpause", node)
    run("kubectl", "wait", f"node/{node}", "--for=condition=Ready", "--timeout=120s")


@contextmanager
def away(node: str) -> Iterator[None]:
    """Take a node out of the cluster, and have it join afterwards, until it is ready."""
    on_node(node, "systemctl", "stop", "kubelet")
    try:
        run("kubectl", "delete", "node", node)
        yield
    finally:
        on_node(node, "systemctl", "start", "kubelet")
        eventually(f"{node} joins", lambda: run("kubectl", "get", f"node/{node}", "--output=name"))
        run("kubectl", "wait", f"node/{node}", "--for=condition=Ready", "--timeout=120s")


def process_of(name: str, container: str = "operator", place: Shell = OPERATOR) -> str:
    """Return the id that the process of a pod's container has on its node."""
    node = str(place.get(f"pod/{name}")["spec"]["nodeName"])
    found = on_node(node, "crictl", "ps", "--label", f"io.kubernetes.pod.name={name}", "--name", container, "--quiet")
    return str(json.loads(on_node(node, "crictl", "inspect", found.strip()))["info"]["pid"])
