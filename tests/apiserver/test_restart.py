"""The operator dies in the middle of its work, and another takes over: no pod is made twice."""

import json
from collections.abc import Iterator

import pytest

from operators.cluster.cluster import Cluster, Settings
from operators.cluster.readiness import wait
from tests.apiserver import plugin_cli
from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import DEPLOYMENT, REPLICASET, available, items, manifest, until

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("restart")]

COUNT = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster whose operators these tests start and kill."""
    with Cluster(Settings(name="restart", nodes=3, operator=False)) as made:
        yield made


@pytest.fixture
def shell(cluster: Cluster, unique: str) -> Iterator[CommandLine]:
    """Return kubectl in a namespace of its own."""
    yield from plugin_cli.namespace(cluster.kubeconfig, unique)


def _made(cluster: Cluster, shell: CommandLine, at_least: int) -> None:
    """Wait until so many pods were made."""
    url = f"/api/v1/namespaces/{shell.namespace}/pods"
    with cluster.api() as api:
        wait(cluster, lambda: len(api.get(url)["items"]) >= at_least, f"there are not {at_least} pods", 60)


def _created(shell: CommandLine) -> int:
    """Return how many pods were ever created, by the events, which count equal ones up."""
    found = items(shell, "pods")
    assert not [pod for pod in found if "deletionTimestamp" in pod["metadata"]]
    return len(found)


def test_killed_and_started_anew(cluster: Cluster, shell: CommandLine) -> None:
    """One that is killed while it creates pods leaves no pod too many to the next."""
    cluster.run("operator", cluster.operator())
    shell.done("apply", "--filename=-", stdin=manifest("ReplicaSet", COUNT))
    _made(cluster, shell, 3)
    cluster.processes["operator"].kill()
    assert len(items(shell, "pods")) <= COUNT
    cluster.restart("operator")
    available(shell, REPLICASET, COUNT)
    assert _created(shell) == COUNT
    assert json.loads(shell.done("get", REPLICASET, "--output=json"))["status"]["replicas"] == COUNT
    cluster.processes.pop("operator").kill()


def test_killed_in_a_rollout(cluster: Cluster, shell: CommandLine) -> None:
    """A rollout goes on where the one before left it."""
    cluster.run("operator", cluster.operator())
    shell.done("apply", "--filename=-", stdin=manifest("Deployment", 20))
    available(shell, DEPLOYMENT, 20)
    shell.done("apply", "--filename=-", stdin=manifest("Deployment", 20, image="app:2"))
    _made(cluster, shell, 21)
    cluster.processes["operator"].kill()
    cluster.restart("operator")
    said = shell.plugin("rollout", "status", "deployment/web", "--timeout=60s")
    assert said.code == 0, said.stderr
    assert len(items(shell, "replicasets.kopfwerk.dev")) == 2
    cluster.processes.pop("operator").kill()


def test_a_job_that_is_deleted_while_nobody_controls(cluster: Cluster, shell: CommandLine) -> None:
    """Its pods are held by their finalizer until somebody is there again who lets them go."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}
    job = {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Job",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": pod}},
    }
    cluster.run("operator", cluster.operator())
    shell.done("apply", "--filename=-", stdin=json.dumps(job))
    until(shell, "jobs.kopfwerk.dev/web", "active", 1)
    cluster.processes.pop("operator").kill()

    shell.done("delete", "jobs.kopfwerk.dev/web")
    shell.done("wait", "pods", "--all", "--for=jsonpath={.metadata.deletionTimestamp}", "--timeout=50s")
    (held,) = items(shell, "pods")
    assert "batch.kubernetes.io/job-tracking" in held["metadata"]["finalizers"]
    cluster.run("operator", cluster.operator())
    shell.done("wait", f"pod/{held['metadata']['name']}", "--for=delete", "--timeout=50s")
    cluster.processes.pop("operator").kill()


def test_second_operator_takes_over(cluster: Cluster, shell: CommandLine) -> None:
    """Of two operators one leads. When it is killed the other does, and makes no pod twice."""
    address = ("--listen=127.0.0.1:0", "--webhook-listen=", "--leader-elect")
    for name in ("first", "second"):
        cluster.run(name, cluster.operator(address))
    shell.done("apply", "--filename=-", stdin=manifest("ReplicaSet", COUNT))
    _made(cluster, shell, 3)
    lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kopfwerk"
    holder = cluster.api().get(lease)["spec"]["holderIdentity"]
    logs = {name: (cluster.folder / "logs" / f"{name}.log").read_text() for name in ("first", "second")}
    (leader,) = (name for name, log in logs.items() if f"leading as {holder}" in log)
    cluster.processes.pop(leader).kill()
    shell.done("scale", REPLICASET, f"--replicas={COUNT + 5}")
    available(shell, REPLICASET, COUNT + 5)
    assert _created(shell) == COUNT + 5
    assert cluster.api().get(lease)["spec"]["holderIdentity"] != holder
