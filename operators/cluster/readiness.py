"""When a cluster is ready: the components' own endpoints, and what has to exist before a user can begin."""

import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias

from operators.cluster.api import Api, ApiError
from operators.cluster.arguments import Layout
from operators.cluster.errors import ClusterError

Condition: TypeAlias = Callable[[], bool]

TIMEOUT: Final = 120.0
"""Seconds for one condition. A loaded machine needs many times what an idle one does."""
_PAUSE: Final = 0.05

TAKES_DEFINITIONS: Final = "/readyz/poststarthook/crd-informer-synced"
"""What of the apiserver has to be ready for custom resource definitions to be served."""
READY: Final = "/readyz"
"""All of it, its start-up hooks (RBAC, priority classes) included."""


class Watched(Protocol):
    """What can tell that a component has died, which no amount of waiting repairs."""

    def check(self) -> None:
        """ClusterError when a component has ended."""


def wait(cluster: Watched, condition: Condition, complaint: str, timeout: float = TIMEOUT) -> None:
    """Wait until a condition holds; ClusterError with the complaint when it does not in time."""
    deadline = time.monotonic() + timeout
    pause = _PAUSE
    last = ""
    while True:
        try:
            if condition():
                return
        except (ApiError, OSError) as error:
            last = f" ({error})"
        cluster.check()
        if time.monotonic() > deadline:
            raise ClusterError(f"{complaint} after {timeout:.0f} s{last}")
        time.sleep(pause)
        pause = min(pause * 1.2, 0.25)


def answers(api: Api, path: str) -> Condition:
    """A health endpoint says that what it stands for is well."""
    return lambda: bool(api.get(path))


def everything(
    api: Api, layout: Layout, *, operator: bool, webhook: bool, extender: bool
) -> Iterator[tuple[str, Condition]]:
    """What has to hold before a cluster counts as started, each with its name, once the apiserver is ready."""
    yield "default service account", lambda: bool(api.get("/api/v1/namespaces/default/serviceaccounts/default"))
    for name, port in (
        ("kube-controller-manager", layout.ports.controller_manager),
        ("kube-scheduler", layout.ports.scheduler),
    ):
        yield name, answers(Api(f"https://127.0.0.1:{port}", layout.pki), "/healthz")
    if extender:
        yield "scheduler-extender", page(f"http://127.0.0.1:{layout.ports.scheduler_extender}/readyz")
    if operator:
        yield "operator", page(f"http://127.0.0.1:{layout.ports.operator}/readyz")
    if webhook:
        yield "operator's webhook", _listens(layout.ports.webhook)
    yield "nodes", lambda: all(_is_ready(node) for node in api.get("/api/v1/nodes")["items"])


def _listens(port: int) -> Condition:
    """Something listens on a port."""

    def listens() -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True

    return listens


def page(url: str) -> Condition:
    """Say whether a URL answers well."""

    def loads() -> bool:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # an address of our own making
            return bool(answer.status == 200)

    return loads


def _is_ready(node: dict[str, object]) -> bool:
    """Whether a node is Ready."""
    status = node.get("status")
    conditions = status.get("conditions") or [] if isinstance(status, dict) else []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
