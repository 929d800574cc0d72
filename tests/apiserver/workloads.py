"""What the tests of workloads apply, and how they wait for it with kubectl."""

import json
from typing import Any, Final

from tests.apiserver.plugin_cli import CommandLine

DEPLOYMENT: Final = "deployments.kopfwerk.dev/web"
REPLICASET: Final = "replicasets.kopfwerk.dev/web"


def manifest(kind: str, replicas: int, group: str = "kopfwerk.dev", image: str = "app:1") -> str:
    """Return a workload called web."""
    meta = {"labels": {"app": "web"}}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": meta, "spec": {"containers": [{"name": "app", "image": image}]}},
    }
    return json.dumps({"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec})


def apply(shell: CommandLine, kind: str, replicas: int, **more: str) -> None:
    """Apply a workload, and wait until it is available."""
    shell.done("apply", "--filename=-", stdin=manifest(kind, replicas, **more))
    what = f"{kind.lower()}s.{more.get('group', 'kopfwerk.dev')}/web"
    available(shell, what, replicas)


def available(shell: CommandLine, what: str, replicas: int) -> None:
    """Wait until so many pods are available."""
    until(shell, what, "availableReplicas", replicas)


def until(shell: CommandLine, what: str, field: str, value: int) -> None:
    """Wait for a field of the status."""
    shell.done("wait", what, f"--for=jsonpath={{.status.{field}}}={value}", "--timeout=50s")


def items(shell: CommandLine, what: str, *args: str) -> list[dict[str, Any]]:
    """Return the objects of a kind."""
    found: list[dict[str, Any]] = json.loads(shell.done("get", what, *args, "--output=json"))["items"]
    return found


def pods(shell: CommandLine) -> list[dict[str, Any]]:
    """Return the pods that are not on their way out."""
    return [pod for pod in items(shell, "pods") if "deletionTimestamp" not in pod["metadata"]]
