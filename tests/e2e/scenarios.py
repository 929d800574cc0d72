"""What more than one test goes through."""

from typing import Any

from tests.e2e.client import NAME, Caller, healthy
from tests.e2e.shell import Shell, eventually


def leaves_and_returns(shell: Shell, *, want_ready: str) -> None:
    """A pod of three that says it is not well leaves the Service `web`, and returns, and no client notices.

    `want_ready`: what the kubelet says of the pod meanwhile.
    """
    names = {pod["metadata"]["name"] for pod in shell.pods(app="web")}
    caller = Caller(shell, f"http://web{NAME}")
    eventually("all three answer", lambda: set(caller.latest()) == names)
    unwell = min(names)
    healthy(shell, unwell, well=False)
    eventually("it has left", lambda: (latest := set(caller.latest())) and unwell not in latest)
    assert _listed_as_ready(shell) == names - {unwell}
    assert _ready(shell.get(f"pod/{unwell}")) == want_ready
    healthy(shell, unwell, well=True)
    eventually("it has returned", lambda: set(caller.latest()) == names)
    assert _listed_as_ready(shell) == names
    assert [answer for answer in caller.answers() if answer not in names] == []


def _listed_as_ready(shell: Shell) -> set[str]:
    """Return the pods that the Service's slices list as ready."""
    slices = shell.get("endpointslices", "--selector=kubernetes.io/service-name=web")
    endpoints = [endpoint for one in slices for endpoint in one["endpoints"]]
    return {endpoint["targetRef"]["name"] for endpoint in endpoints if endpoint["conditions"]["ready"]}


def _ready(pod: Any) -> str:
    return next(str(one["status"]) for one in pod["status"]["conditions"] if one["type"] == "Ready")


def ready_elsewhere(shell: Shell, node: str, app: str = "web") -> int:
    """Count the ready pods that are not on a node."""
    found = [pod for pod in shell.pods(app=app) if pod["spec"].get("nodeName") not in (None, node)]
    return sum(
        {"type": "Ready", "status": "True"}.items() <= condition.items()
        for pod in found
        for condition in pod["status"].get("conditions", ())
    )
