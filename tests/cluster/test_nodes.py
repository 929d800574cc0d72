"""`kopfwerk node` on a real control plane: what it says, and what becomes of the node and its pods."""

from typing import Any

import pytest

from operators.cli.main import main
from operators.cluster import nodes
from operators.cluster.cluster import Cluster
from operators.cluster.readiness import wait
from tests.cluster.conftest import NAME

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/default/pods"


def run(capfd: pytest.CaptureFixture[str], command: str, *arguments: str) -> tuple[int, str, str]:
    """Run a node command; its exit code, what it answers, and what it complains of."""
    with pytest.raises(SystemExit) as ended:
        main(["node", command, f"--name={NAME}", *arguments])
    said = capfd.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def names(cluster: Cluster, path: str) -> set[str]:
    """The names of the objects in a collection."""
    return {item["metadata"]["name"] for item in cluster.api().get(path)["items"]}


def put_pod(cluster: Cluster, name: str, node: str) -> None:
    """Have a pod run on a node, and wait until it is ready."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "example/app"}]},
    }
    cluster.api().request("POST", PODS, pod)
    wait(cluster, lambda: is_ready(cluster, name), f"pod {name} is not ready")


def is_ready(cluster: Cluster, name: str) -> bool:
    """Whether a pod is Ready."""
    status: dict[str, Any] = cluster.api().get(f"{PODS}/{name}").get("status", {})
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))


def test_nodes_come_and_go(simulated: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    """Added nodes are ready, of the zone and the size that were asked for; removed ones are gone."""
    first = nodes.next_number(names(simulated, "/api/v1/nodes"))
    added = [f"node-{first}", f"node-{first + 1}"]

    answer = run(capfd, "add", "--count=2", "--zone=zone-x", "--cpu=7")

    assert answer == (0, "".join(f"node {name} added\n" for name in added), "")
    node = simulated.api().get(f"/api/v1/nodes/{added[1]}")
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "zone-x"
    assert node["status"]["allocatable"]["cpu"] == "7"

    answer = run(capfd, "rm", *added)

    assert answer == (0, "".join(f"node {name} deleted\n" for name in added), "")
    assert not names(simulated, "/api/v1/nodes") & set(added)


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        pytest.param(["stop", "nowhere"], "error: there is no node 'nowhere'\n", id="stop"),
        pytest.param(["start", "nowhere"], "error: there is no node 'nowhere'\n", id="start"),
        pytest.param(["rm", "nowhere"], "error: there is no node 'nowhere'\n", id="rm"),
        pytest.param(["drain", "nowhere"], 'Error from server (NotFound): nodes "nowhere" not found\n', id="drain"),
    ],
)
def test_a_node_that_there_is_not(
    arguments: list[str], want: str, simulated: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each command says so in one line."""
    assert simulated.processes

    assert run(capfd, *arguments) == (1, "", want)


@pytest.mark.parametrize(
    ("option", "want"),
    [
        pytest.param("--zone=a b", "a valid label must be", id="zone"),
        pytest.param("--cpu=lots", "quantities must match", id="cpu"),
    ],
)
def test_a_node_that_the_apiserver_refuses(
    option: str, want: str, simulated: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its reason reaches the user, and no node comes of it."""
    before = names(simulated, "/api/v1/nodes")

    code, said, complaint = run(capfd, "add", option)

    assert (code, said) == (1, "")
    assert complaint.startswith("error: the apiserver refuses the node: 4")
    assert want in complaint
    assert names(simulated, "/api/v1/nodes") == before


def test_a_drained_node_is_cordoned_and_empty(simulated: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    """Its pods are evicted, those without an owner too, and others do not come."""
    [node] = nodes.add(simulated.api())
    put_pod(simulated, "evicted", node)

    code, said, _ = run(capfd, "drain", node, "--timeout=120s")

    assert code == 0
    assert "pod/evicted evicted" in said
    assert "evicted" not in names(simulated, PODS)
    assert simulated.api().get(f"/api/v1/nodes/{node}")["spec"]["unschedulable"]
    nodes.remove(simulated.api(), node)


def test_a_stopped_node_is_noticed_and_returns(simulated: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a kubelet the node and its pod turn unready and a deleted pod stays; with one all is put right."""
    api = simulated.api()
    [node] = nodes.add(api)
    wait(simulated, lambda: nodes.is_ready(api, node), "the node is not ready")
    put_pod(simulated, "stranded", node)

    assert run(capfd, "stop", node) == (0, f"node {node} stopped\n", "")
    wait(simulated, lambda: not nodes.is_ready(api, node), "the stopped node is still ready")
    wait(simulated, lambda: not is_ready(simulated, "stranded"), "its pod is still ready")
    put_pod(simulated, "elsewhere", "node-1")
    for name in ("stranded", "elsewhere"):
        api.request("DELETE", f"{PODS}/{name}")
    wait(simulated, lambda: "elsewhere" not in names(simulated, PODS), "a pod of a node that runs stays")
    assert "deletionTimestamp" in api.get(f"{PODS}/stranded")["metadata"]

    assert run(capfd, "start", node) == (0, f"node {node} started\n", "")
    assert nodes.is_ready(api, node)
    wait(simulated, lambda: "stranded" not in names(simulated, PODS), "the deleted pod stayed")
    nodes.remove(api, node)


def test_logs_of_a_simulated_pod(simulated: Cluster) -> None:
    """There is one line to see."""
    put_pod(simulated, "talks", "node-1")

    assert "This container is simulated" in simulated.api().get(f"{PODS}/talks/log")
