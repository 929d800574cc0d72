"""PodProbes of real containers: what is dead is restarted, and no more than that."""

import pytest

from tests.e2e.client import healthy
from tests.e2e.manifests import Obj, container, deployment, podprobe, probe
from tests.e2e.shell import Shell, documented, eventually

WEB: Obj = {"containers": [container()], "terminationGracePeriodSeconds": 1}


def test_eviction_within_a_disruption_budget(shell: Shell) -> None:
    """A dead pod is evicted as soon as the budget lets it go, another takes its place, and nobody else is touched."""
    shell.apply(deployment(2, pod=WEB), podprobe(livenessProbe=probe()))
    shell.kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=2")
    shell.rolled_out()
    before = _uids(shell)
    dead = min(before)
    healthy(shell, dead, well=False)
    eventually("the budget refuses", lambda: "FailedEviction" in _reasons(shell, dead))
    assert _uids(shell) == before
    shell.kubectl("delete", "poddisruptionbudget", "web")
    eventually("another pod", lambda: dead not in _uids(shell) and len(_uids(shell)) == 2)
    assert {"Unhealthy", "Killing"} <= _reasons(shell, dead)
    shell.rolled_out()
    assert len(before.items() & _uids(shell).items()) == 1
    passing = "--for=jsonpath={.status.liveness.passing}=2"
    shell.kubectl("wait", "podprobe/web", passing, "--timeout=60s")
    assert shell.get("podprobe/web")["status"]["restarts"] == 1


def test_restart_in_place(shell: Shell) -> None:
    """With `InPlace` the kubelet starts the same pod's container again."""
    shell.apply(deployment(2, pod=WEB), podprobe(livenessProbe=probe(), restart={"method": "InPlace"}))
    shell.rolled_out()
    before = _uids(shell)
    dead = min(before)
    healthy(shell, dead, well=False)
    eventually("its container was restarted", lambda: _restarts(shell, dead) == 1)
    shell.kubectl("wait", "podprobe/web", "--for=jsonpath={.status.liveness.passing}=2", "--timeout=60s")
    shell.rolled_out()
    assert _uids(shell) == before
    assert {pod: _restarts(shell, pod) for pod in before} == {pod: int(pod == dead) for pod in before}
    documented("kubectl logs --previous POD", shell.namespace, POD=dead)
    assert "lastRestartTime" in documented("kubectl get podprobe NAME -o yaml", shell.namespace, NAME="web")


def test_stopped_from_restarting(shell: Shell) -> None:
    """A probe that is wrong itself can be kept from restarting anything, and still says what it thinks."""
    shell.apply(deployment(1, pod=WEB), podprobe(livenessProbe=probe()))
    shell.rolled_out()
    stop = """kubectl patch podprobe NAME --type=merge -p '{"spec":{"restart":{"method":"None"}}}'"""
    documented(stop, shell.namespace, NAME="web")
    before = _uids(shell)
    healthy(shell, min(before), well=False)
    shell.kubectl("wait", "podprobe/web", "--for=jsonpath={.status.liveness.failing}=1", "--timeout=60s")
    assert _uids(shell) == before
    assert shell.get("podprobe/web")["status"]["restarts"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"exec": {"command": ["test", "!", "-e", "/tmp/unwell"]}}, id="exec, through the apiserver"),
        pytest.param({"grpc": {"port": 9090}}, id="grpc"),
        pytest.param({"tcpSocket": {"port": 9091}}, id="tcpSocket"),
    ],
)
def test_readiness(shell: Shell, asked: Obj) -> None:
    """Whatever is asked, the pod's condition follows what its container is."""
    main = container(command=["python", "-m", "app.health"])
    often = {"periodSeconds": 1, "failureThreshold": 1}
    shell.apply(deployment(1, pod=WEB | {"containers": [main]}), podprobe(readinessProbe=asked | often))
    shell.rolled_out()
    (pod,) = _uids(shell)
    for well, want in ((None, "True"), (False, "False"), (True, "True")):
        if well is not None:
            healthy(shell, pod, well=well)
        shell.kubectl("wait", f"pod/{pod}", f"--for=condition=probe.kopfwerk.dev/web={want}", "--timeout=60s")


def _uids(shell: Shell) -> dict[str, str]:
    """Return the UID of each pod, by its name."""
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in shell.pods(app="web")}


def _reasons(shell: Shell, pod: str) -> set[str]:
    """Return the reasons of the prober's events about a pod."""
    events = shell.get("events", f"--field-selector=involvedObject.name={pod}")
    return {event["reason"] for event in events if event["reportingComponent"].startswith("podprobe")}


def _restarts(shell: Shell, pod: str) -> int:
    return sum(int(status["restartCount"]) for status in shell.get(f"pod/{pod}")["status"]["containerStatuses"])
