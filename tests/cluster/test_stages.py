"""How simulated pods behave, with real KWOK: annotations lead to the status that a kubelet would report."""

from collections.abc import Callable
from typing import Any

import pytest

from operators.cluster.cluster import Cluster
from operators.cluster.readiness import wait

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/default/pods"


def create(
    cluster: Cluster,
    name: str,
    *containers: str,
    policy: str = "Always",
    sim: dict[str, str] | None = None,
    **spec: Any,
) -> None:
    """Create a pod with the given simulation annotations; one container unless more are named."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "annotations": {f"sim.kopfwerk.dev/{key}": value for key, value in (sim or {}).items()},
        },
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": each, "image": f"example/{each}"} for each in containers or ("app",)],
            **spec,
        },
    }
    cluster.api().request("POST", PODS, pod)


def until(cluster: Cluster, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a pod's status satisfies a condition, and return the status."""
    api, seen = cluster.api(), dict[str, Any]()

    def holds() -> bool:
        seen.update(status=api.get(f"{PODS}/{name}")["status"])
        return condition(seen["status"])

    wait(cluster, holds, f"pod {name} is not as wanted")
    status: dict[str, Any] = seen["status"]
    return status


def is_ready(status: dict[str, Any]) -> bool:
    """Whether the Ready condition is True."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))


def test_a_plain_pod_is_running_and_ready(simulated: Cluster) -> None:
    """Without annotations a pod has all that a kubelet reports, for each of its containers."""
    create(simulated, "plain", "one", "two", initContainers=[{"name": "init", "image": "example/init"}])

    status = until(simulated, "plain", is_ready)

    assert status["phase"] == "Running"
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert status["observedGeneration"] == 1
    assert [(each["name"], each["ready"], each["started"]) for each in status["containerStatuses"]] == [
        ("one", True, True),
        ("two", True, True),
    ]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


@pytest.mark.parametrize(
    ("policy", "code", "want_phase"),
    [
        pytest.param("Never", "42", "Failed", id="never-failure"),
        pytest.param("Never", "0", "Succeeded", id="never-success"),
        pytest.param("OnFailure", "0", "Succeeded", id="on-failure-success"),
    ],
)
def test_a_pod_that_exits_ends(simulated: Cluster, policy: str, code: str, want_phase: str) -> None:
    """A container that is not restarted ends its pod, with the chosen exit code."""
    name = f"ends-{policy.lower()}-{code}"
    create(simulated, name, policy=policy, sim={"exit-after": "0s", "exit-code": code})

    status = until(simulated, name, lambda status: status["phase"] == want_phase)

    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == int(code)
    assert not is_ready(status)


def test_a_pod_that_crashes_is_restarted_with_backoff(simulated: Cluster) -> None:
    """The restart count rises, and from the second crash on the container waits in CrashLoopBackOff."""
    create(simulated, "crash", sim={"exit-after": "0s", "exit-code": "3"})

    status = until(
        simulated,
        "crash",
        lambda status: (
            status["containerStatuses"][0]["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
            if status.get("containerStatuses")
            else False
        ),
    )

    container = status["containerStatuses"][0]
    assert status["phase"] == "Running"
    assert container["restartCount"] == 1
    assert container["lastState"]["terminated"]["exitCode"] == 3


def test_readiness_follows_the_annotation(simulated: Cluster) -> None:
    """A pod turns ready when the annotation lets it, and unready again."""
    create(simulated, "flips", sim={"ready": "false"})
    until(simulated, "flips", lambda status: status["phase"] == "Running" and not is_ready(status))

    for value, want in (("true", True), ("false", False)):
        patch = {"metadata": {"annotations": {"sim.kopfwerk.dev/ready": value}}}
        simulated.api().request("PATCH", f"{PODS}/flips", patch, "application/merge-patch+json")
        until(simulated, "flips", lambda status, want=want: is_ready(status) is want)  # type: ignore[misc]


def test_a_readiness_gate_holds_the_pod_back(simulated: Cluster) -> None:
    """Containers are ready, the pod is not, until the gate's condition is True."""
    create(simulated, "gated", readinessGates=[{"conditionType": "example.com/open"}])
    status = until(simulated, "gated", lambda status: status["phase"] == "Running")
    assert not is_ready(status)

    patch = {"status": {"conditions": [{"type": "example.com/open", "status": "True"}]}}
    simulated.api().request("PATCH", f"{PODS}/gated/status", patch, "application/strategic-merge-patch+json")

    until(simulated, "gated", is_ready)
