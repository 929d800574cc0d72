"""The chart's scheduler in the place of the default one, and the default one again once it is gone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import operator
from tests.e2e.manifests import Obj, container, deployment, pod
from tests.e2e.shell import NAMESPACE, Shell, documented, eventually, run

NAME = "kopfwerk-scheduler"
OURS, DEFAULT = "kopfwerk", "default-scheduler"


def scheduler_of(namespace: str) -> str:
    """Return who would place a pod of a namespace, by a dry run."""
    made = Shell(namespace).kubectl("create", "-f", "-", "--dry-run=server", "-o=json", stdin=json.dumps(pod("probe")))
    return str(json.loads(made)["spec"]["schedulerName"])


def scheduling(*, enabled: bool) -> None:
    """Have the chart bring the scheduler, or take it away, and wait until it is everybody's, or nobody's."""
    wanted = str(enabled).lower()
    values = (f"--set=scheduler.enabled={wanted}", f"--set=scheduler.replaceDefault={wanted}")
    operator.upgrade("--reuse-values", *values)
    want = OURS if enabled else DEFAULT
    eventually(f"new pods are given to {want}", lambda: scheduler_of("default") == want)


@pytest.fixture(scope="module")
def ours() -> Iterator[None]:
    """Have all pods be placed by the chart's scheduler."""
    scheduling(enabled=True)
    eventually("one of them leads", lambda: operator.OPERATOR.get(f"lease/{NAME}")["spec"].get("holderIdentity"))
    yield
    if operator.OPERATOR.get("deployments.apps", f"--field-selector=metadata.name={NAME}"):
        scheduling(enabled=False)


@pytest.fixture
def levels(shell: Shell) -> Iterator[list[str]]:
    """Return priority classes, the least important first."""
    names = [f"{shell.namespace}-{level}" for level in (1, 2, 3)]
    for level, name in enumerate(names):
        run("kubectl", "create", "priorityclass", name, f"--value={level + 1}")
    yield names
    run("kubectl", "delete", "priorityclass", *names)


def occupying(name: str, level: str, app: str = "other") -> Obj:
    """Return a pod of a priority, of which a node takes one: it has a port of the node."""
    port = {"containerPort": 8080, "hostPort": 18080}
    made = pod(name, containers=[container(ports=[port])], priorityClassName=level)
    return made | {"metadata": {"name": name, "labels": {"app": app}}}


def placed_by(shell: Shell) -> dict[str, str]:
    """Return who says that it has placed each pod."""
    events = shell.get("events", "--field-selector=reason=Scheduled")
    return {event["involvedObject"]["name"]: event["reportingComponent"] for event in events}


@pytest.mark.usefixtures("ours")
def test_every_new_pod(shell: Shell) -> None:
    """Pods of workloads, of either group, and bare pods are placed by it; those of excluded namespaces are not."""
    pods = documented("kubectl --namespace kopfwerk-system get pods --selector app.kubernetes.io/component=scheduler")
    assert NAME in pods
    shell.apply(deployment(3), deployment(2, "theirs") | {"apiVersion": "apps/v1"}, pod("alone"))
    shell.rolled_out()
    shell.kubectl("rollout", "status", "deployment/theirs", "--timeout=120s")
    shell.kubectl("wait", "pod/alone", "--for=condition=Ready", "--timeout=60s")
    by = eventually("who has placed them", lambda: found if len(found := placed_by(shell)) == 6 else None)
    assert set(by.values()) == {OURS}
    assert {pod["spec"]["schedulerName"] for pod in shell.get("pods")} == {OURS}
    assert {scheduler_of(namespace) for namespace in ("kube-system", NAMESPACE)} == {DEFAULT}


@pytest.mark.usefixtures("ours")
def test_dead_extender(shell: Shell) -> None:
    """While the extender is dead pods wait, and once the kubelet has started it again they are placed."""
    leader = operator.OPERATOR.get(f"lease/{NAME}")["spec"]["holderIdentity"]
    name = leader.rpartition("_")[0]
    for _ in range(2):  # the second time the kubelet lets it wait
        dead = _kill_extender(name)
    shell.apply(deployment(2))
    eventually("they wait", lambda: "connection refused" in _complaints(shell))
    assert [pod for pod in shell.pods(app="web") if pod["spec"].get("nodeName")] == []
    eventually("the extender is back", lambda: operator.process_of(name, "extender") != dead)
    shell.rolled_out()
    assert set(placed_by(shell).values()) == {OURS}
    assert operator.OPERATOR.get(f"lease/{NAME}")["spec"]["holderIdentity"] == leader


@pytest.mark.usefixtures("ours")
def test_why(shell: Shell, tmp_path: Path) -> None:
    """The plugin says why a pod is where it is, what keeps another from being anywhere, and where one would go."""
    much: Obj = container(resources={"requests": {"cpu": "1000"}})
    shell.apply(pod("placed"), pod("waiting", containers=[much]))
    shell.kubectl("wait", "pod/placed", "--for=condition=Ready", "--timeout=60s")
    node = shell.get("pod/placed")["spec"]["nodeName"]
    told = shell.kubectl("kopfwerk", "why", "placed")
    assert f"{shell.namespace}/placed is on {node}." in told
    assert "NodeResourcesFit" in told
    assert "the pod tolerated node-role.kubernetes.io/control-plane" in told
    told = shell.kubectl("kopfwerk", "why", "waiting")
    assert "Insufficient cpu" in told
    assert "it had 1000 cpu free" in told
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(pod("imagined", nodeSelector={"kubernetes.io/hostname": node})))
    told = shell.kubectl("kopfwerk", "what-if", f"--filename={file}")
    assert f"the best is {node}" in told
    assert {pod["metadata"]["name"] for pod in shell.get("pods")} == {"placed", "waiting"}


@pytest.mark.usefixtures("ours")
def test_preemption(shell: Shell, levels: list[str]) -> None:
    """A pod that fits nowhere evicts the one that no budget protects, though others matter less, and has its place."""
    least, more, most = levels
    workers = run("kubectl", "get", "nodes", "--selector=!node-role.kubernetes.io/control-plane", "--output=name")
    protected = [f"protected-{number}" for number, _ in enumerate(workers.split()[1:])]
    shell.kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", f"--min-available={len(protected)}")
    shell.apply(*(occupying(name, least, "web") for name in protected), occupying("victim", more))
    shell.kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=60s")
    enough = f"--for=jsonpath={{.status.currentHealthy}}={len(protected)}"
    shell.kubectl("wait", "poddisruptionbudget/web", enough, "--timeout=60s")
    place = shell.get("pod/victim")["spec"]["nodeName"]
    before = _uids(shell)
    shell.apply(occupying("asks", most))
    shell.kubectl("wait", "pod/asks", "--for=condition=Ready", "--timeout=60s")
    assert shell.get("pod/asks")["spec"]["nodeName"] == place
    after = _uids(shell)
    assert after.keys() == {*protected, "asks"}
    assert {name: before[name] for name in protected}.items() <= after.items()
    (event,) = shell.get("events", "--field-selector=reason=Preempted")
    assert (event["involvedObject"]["name"], event["reportingComponent"]) == ("victim", OURS)


@pytest.mark.usefixtures("ours")
def test_given_back(shell: Shell) -> None:
    """Uninstalled, it leaves its pods where they are, and new ones are placed by the default scheduler again."""
    shell.apply(deployment(2))
    shell.rolled_out()
    before = {pod["metadata"]["uid"] for pod in shell.pods(app="web")}
    scheduling(enabled=False)
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    shell.rolled_out()
    pods = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in shell.pods(app="web")}
    assert before < pods.keys()
    by = eventually("who has placed them", lambda: found if len(found := placed_by(shell)) == 4 else None)
    assert {by[name] for uid, name in pods.items() if uid not in before} == {DEFAULT}
    assert "mutatingadmissionpolicies" not in run(
        "kubectl", "get", "mutatingadmissionpolicies", "--output=name", "--selector=app.kubernetes.io/instance=kopfwerk"
    )


def _kill_extender(name: str) -> str:
    """Kill it as soon as it runs, and return the process that it was."""
    process = eventually("the extender runs", lambda: operator.process_of(name, "extender"))
    operator.on_node(operator.node_of(name), "sh", "-c", f"kill -9 {process}")
    return process


def _uids(shell: Shell) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in shell.get("pods")}


def _complaints(shell: Shell) -> str:
    events = shell.get("events", "--field-selector=reason=FailedScheduling")
    return "\n".join(event["message"] for event in events)
