"""The embedded cluster's scheduler is ours: it places every pod, has no more rights than it needs, and may die."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from operators.cluster.api import Api, ApiError
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.cluster.readiness import wait
from operators.core.objects import Obj
from operators.scheduler.configuration import Extender

pytestmark = pytest.mark.cluster
PODS = "/api/v1/namespaces/default/pods"
DEVICES = "/apis/resource.k8s.io/v1"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster as `kopfwerk up` starts it, without the operator."""
    with Cluster(Settings(name="placing", nodes=3, operator=False)) as started:
        yield started


def pod(name: str, cpu: str = "100m", **spec: object) -> Obj:
    """Build a pod."""
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"name": name}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec}}


def node_of(api: Api, name: str) -> str:
    """Return where a pod is; nothing where it waits."""
    return str(api.get(f"{PODS}/{name}")["spec"].get("nodeName", ""))


def condition_of(api: Api, name: str) -> str:
    """Return what is said about a pod that waits."""
    return said_of(api.get(f"{PODS}/{name}"))


def said_of(pod: Obj) -> str:
    """Return what the pod's condition says."""
    conditions = pod.get("status", {}).get("conditions") or []
    return next((str(c.get("message", "")) for c in conditions if c["type"] == "PodScheduled"), "")


def metrics_of(cluster: Cluster) -> str:
    """Return the extender's metrics."""
    url = f"http://127.0.0.1:{cluster.layout.ports.scheduler_extender}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def verbs(cluster: Cluster) -> set[str]:
    """Return what the extender has been asked and has answered."""
    return set(re.findall(r'kopfwerk_scheduler_calls_total{code="200",verb="(\w+)"}', metrics_of(cluster)))


def fitting(cluster: Cluster, asks: Obj) -> list[Obj]:
    """Return the nodes on which a pod would fit, as the extender knows them."""
    asks = asks | {"metadata": {**asks["metadata"], "namespace": "default", "uid": "none"}}
    url = f"http://127.0.0.1:{cluster.layout.ports.scheduler_extender}/scheduler/explain"
    with urllib.request.urlopen(url, json.dumps({"Pod": asks}).encode(), timeout=5) as answer:
        found: list[Obj] = json.load(answer)["nodes"]
    return found


def test_the_extender_places_every_pod(cluster: Cluster) -> None:
    """A pod that asks for no scheduler in particular is where the extender says; kube-scheduler binds it."""
    with cluster.api() as api:
        api.request("POST", PODS, pod("plain"))
        wait(cluster, lambda: bool(node_of(api, "plain")), "not placed")
    assert verbs(cluster) == {"filter"}
    assert list(cluster.processes).count("scheduler-extender") == 1
    assert "--part" in cluster.processes["scheduler-extender"].argv


def test_the_extender_has_no_rights_but_its_own(cluster: Cluster) -> None:
    """It reads nodes, and neither Secrets nor anything that it could change: it does not bind either."""
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "unbound"}, "target": {"name": "node-1"}}
    with cluster.api() as admin:
        admin.request("POST", PODS, pod("unbound", schedulerName="nobody"))
    with cluster.api("scheduler-extender") as api:
        assert len(api.get("/api/v1/nodes")["items"]) == 3
        with pytest.raises(ApiError, match="forbidden"):
            api.get("/api/v1/secrets")
        with pytest.raises(ApiError, match="forbidden"):
            api.request("DELETE", f"{PODS}/plain")
        with pytest.raises(ApiError, match="forbidden"):
            api.request("POST", f"{PODS}/unbound/binding", binding)


def test_the_extender_can_see_all_nodes_and_bind() -> None:
    """Asked for, kube-scheduler shows it every node and leaves the binding to it, which it has the right to."""
    settings = Settings(name="binding", nodes=2, operator=False, extender=Extender(looks_at="all", binds=True))
    with Cluster(settings) as cluster, cluster.api() as api:
        api.request("POST", PODS, pod("plain"))
        wait(cluster, lambda: bool(node_of(api, "plain")), "not placed")
        wait(cluster, lambda: verbs(cluster) == {"filter", "bind"}, "not asked to bind")
        assert "--part" not in cluster.processes["scheduler-extender"].argv


def test_a_resource_that_stands_for_devices_is_claimed(cluster: Cluster) -> None:
    """No node says that it has it: kube-scheduler claims a device for the pod, of which there is one on one node."""
    gpu = {"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}}
    containers = [{"name": "c", "image": "i", "resources": gpu}]
    pool = {"name": "node-2", "generation": 1, "resourceSliceCount": 1}
    there = {"driver": "gpu.example.com", "nodeName": "node-2", "pool": pool, "devices": [{"name": "gpu-0"}]}
    chosen = {"cel": {"expression": 'device.driver == "gpu.example.com"'}}
    with cluster.api() as api:
        api.request("POST", f"{DEVICES}/resourceslices", {"metadata": {"name": "node-2"}, "spec": there})
        of_class = {"extendedResourceName": "example.com/gpu", "selectors": [chosen]}
        api.request("POST", f"{DEVICES}/deviceclasses", {"metadata": {"name": "gpus"}, "spec": of_class})
        wait(cluster, lambda: len(fitting(cluster, pod("asks", containers=containers))) == 3, "the class is not known")
        api.request("POST", PODS, pod("computes", containers=containers))
        wait(cluster, lambda: node_of(api, "computes") == "node-2", "not placed where the device is")
        api.request("POST", PODS, pod("waits", containers=containers))
        wait(cluster, lambda: "cannot allocate" in condition_of(api, "waits"), "not refused")


def test_pods_wait_for_an_extender_that_died(cluster: Cluster) -> None:
    """Without it nothing is placed, and nothing lost: the pod is placed once it is back."""
    with cluster.api() as api:
        extender = cluster.processes["scheduler-extender"]
        extender.kill()
        api.request("POST", PODS, pod("patient"))
        wait(cluster, lambda: "connection refused" in condition_of(api, "patient"), "kube-scheduler does not say why")
        assert node_of(api, "patient") == ""
        cluster.restart("scheduler-extender")
        wait(cluster, lambda: bool(node_of(api, "patient")), "not placed")  # sooner than by trying all pods again


def test_the_default_scheduler_can_be_kept() -> None:
    """Asked for, kube-scheduler decides alone, and no extender runs."""
    settings = Settings(name="kept", nodes=1, operator=False, scheduler=DEFAULT_SCHEDULER)
    with Cluster(settings) as cluster, cluster.api() as api:
        api.request("POST", PODS, pod("plain"))
        placed: Callable[[], bool] = lambda: bool(node_of(api, "plain"))  # noqa: E731
        wait(cluster, placed, "not placed")
        assert "scheduler-extender" not in cluster.processes
