"""examples/gang.yaml, from the manifests to the bound pods: the controllers mark them, the scheduler places them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from operators.cluster import nodes
from operators.cluster.api import Api
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.readiness import wait
from operators.core.gang import MIN_COUNT, POD_GROUP
from operators.core.objects import Obj
from tests.apiserver.plugin_cli import CommandLine
from tests.scheduler.test_embedded import PODS
from tests.scheduler.test_gang_placed import has_no_room

pytestmark = pytest.mark.cluster
EXAMPLE = Path(__file__).parents[2] / "examples/gang.yaml"
GROUP = "/apis/kopfwerk.dev/v1/namespaces/default"
TRAIN, QUORUM = "batch.kubernetes.io/job-name=train", "app=quorum"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster as `kopfwerk up --nodes 1` starts it."""
    with Cluster(Settings(name="gangexample", nodes=1)) as started:
        yield started


def pods(api: Api, selector: str) -> list[Obj]:
    """Return the pods that a label selects."""
    found: list[Obj] = api.get(f"{PODS}?labelSelector={selector.replace('=', '%3D')}")["items"]
    return found


def bound(api: Api, selector: str) -> int:
    """Return how many of them are on a node."""
    return sum("nodeName" in pod["spec"] for pod in pods(api, selector))


def have_no_room(api: Api, selector: str) -> bool:
    """Whether one of them is told that there is no room for its group."""
    return any(
        has_no_room(api, group) for group in {pod["metadata"]["labels"][POD_GROUP] for pod in pods(api, selector)}
    )


def test_the_example_is_placed_by_and_by(cluster: Cluster) -> None:
    """The four workers take the room of one node; the store's three wait, and go together once there is another."""
    train, quorum = yaml.safe_load_all(EXAMPLE.read_text())
    marks = train["spec"]["template"]["metadata"]["annotations"]
    del marks["sim.kopfwerk.dev/exit-after"]  # its pods keep their room
    shell = CommandLine(cluster.kubeconfig, "default")
    with cluster.api() as api:
        api.request("POST", f"{GROUP}/jobs", train)
        wait(cluster, lambda: bound(api, TRAIN) == 4, "the Job's pods are not placed")
        assert {pod["metadata"]["labels"][MIN_COUNT] for pod in pods(api, TRAIN)} == {"4"}
        assert len({pod["metadata"]["labels"][POD_GROUP] for pod in pods(api, TRAIN)}) == 1

        api.request("POST", f"{GROUP}/statefulsets", quorum)
        wait(cluster, lambda: have_no_room(api, QUORUM), "the StatefulSet's pods are not tried")
        assert bound(api, QUORUM) == 0
        assert "room for 1 of 2 pods" in shell.plugin("why", "quorum-0").stdout

        nodes.add(api)
        wait(cluster, lambda: bound(api, QUORUM) == 3, "the StatefulSet's pods are not placed")
        assert ": 3 of 2 pods are placed." in shell.plugin("why", "quorum-0").stdout


def test_a_set_that_has_no_room_can_be_made_smaller(cluster: Cluster) -> None:
    """Its pods are told how many they are now, which has them tried again; nothing is rolled."""
    set_ = yaml.safe_load(list(EXAMPLE.read_text().split("---\n"))[1])
    set_["metadata"]["name"] = "large"
    set_["spec"] |= {"replicas": 40, "scheduling": {"schedulingPolicy": {"gang": {}}}}
    set_["spec"]["selector"]["matchLabels"] = set_["spec"]["template"]["metadata"]["labels"] = {"app": "large"}
    set_["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "100m"
    set_["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "small"}
    with cluster.api() as api:
        api.request("POST", "/api/v1/nodes", nodes.build("small", "zone-a", nodes.Size(cpu="1")))
        api.request("POST", f"{GROUP}/statefulsets", set_)
        wait(cluster, lambda: have_no_room(api, "app=large"), "the pods are not tried")
        assert bound(api, "app=large") == 0
        url = f"{GROUP}/statefulsets/large"
        revision = api.get(url)["status"]["updateRevision"]
        api.request("PATCH", url, {"spec": {"replicas": 6}}, "application/merge-patch+json")
        wait(cluster, lambda: bound(api, "app=large") == 6, "the pods that are left are not placed")
        assert api.get(url)["status"]["updateRevision"] == revision
        assert {pod["metadata"]["labels"][MIN_COUNT] for pod in pods(api, "app=large")} == {"6"}
