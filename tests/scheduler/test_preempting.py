"""Preemption the whole way, by both schedulers: who is evicted for a pod, and where the pod goes then, is the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from operators.cluster.api import Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, KOPFWERK, Cluster, Settings
from operators.cluster.readiness import wait
from operators.core.objects import Obj
from operators.scheduler.configuration import Extender

pytestmark = pytest.mark.cluster
PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
HOSTNAME = "kubernetes.io/hostname"
ONLY_ONE: Obj = {"accessModes": ["ReadWriteOncePod"], "storageClassName": ""}
NODES = ("node-1", "node-2", "node-3")


@dataclass(frozen=True, slots=True)
class Case:
    """Pods of which there is one on each node, and a pod that they do not let in."""

    there: Obj
    asks: Obj


def excluding(app: str) -> Obj:
    """Return what keeps a pod off nodes that have a pod of an app."""
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": app}}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


PORT = {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}
SPREAD = {
    "nodeSelector": {HOSTNAME: "node-3"},
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": HOSTNAME,
            "whenUnsatisfiable": "DoNotSchedule",
            "nodeAffinityPolicy": "Ignore",
            "labelSelector": {"matchLabels": {"app": "asks"}},
        }
    ],
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((KOPFWERK, Extender()), id="kopfwerk"),
        pytest.param((KOPFWERK, Extender(looks_at="all", binds=True)), id="kopfwerk, of all nodes, and it binds"),
        pytest.param((DEFAULT_SCHEDULER, Extender()), id="default"),
    ],
)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Return a cluster with one of the schedulers."""
    scheduler, extender = request.param
    settings = Settings(name="evicting", nodes=3, operator=False, scheduler=scheduler, extender=extender)
    with Cluster(settings) as started:
        with started.api() as api:
            for level in (1, 2, 3, 9):
                api.request(
                    "POST",
                    "/apis/scheduling.k8s.io/v1/priorityclasses",
                    {"metadata": {"name": f"level-{level}"}, "value": level * 100},
                )
            for level in (1, 2, 3, 9):
                wait(started, lambda level=level: _admits(api, level), "a class is not known")  # type: ignore[misc]
        yield started


def _admits(api: Api, level: int) -> bool:
    """Whether the apiserver's admission knows a priority class, which it hears of by a watch."""
    return bool(api.request("POST", f"{PODS}?dryRun=All", pod("probe", level, "probe", {})))


def pod(name: str, level: int, app: str, spec: Obj) -> Obj:
    """Build a pod of a priority."""
    own: dict[str, Any] = {"containers": [{"name": "c", "image": "i"}], **spec}
    own |= {"priorityClassName": f"level-{level}", "terminationGracePeriodSeconds": 0}
    return {"metadata": {"name": name, "labels": {"app": app}}, "spec": own}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(PORT, PORT), id="a port of the node"),
        pytest.param(Case({}, {"affinity": excluding("there")}), id="its own anti-affinity"),
        pytest.param(Case({"affinity": excluding("asks")}, {}), id="others' anti-affinity"),
    ],
)
def test_who_has_to_go(cluster: Cluster, case: Case) -> None:
    """The least important of the three that stand in the way, the one on the second node, and nobody else."""
    with cluster.api() as api:
        for node, level in zip(NODES, (3, 1, 2), strict=True):
            api.request("POST", PODS, pod(f"on-{node}", level, "there", {**case.there, "nodeName": node}))
        try:
            assert _evicted(cluster, api, case.asks) == ("on-node-2", "node-2")
        finally:
            _empty(cluster, api)


def test_who_has_to_go_for_a_spread(cluster: Cluster) -> None:
    """A pod of which there would be too many on its node is there in place of a less important one."""
    with cluster.api() as api:
        api.request("POST", PODS, pod("on-node-3", 2, "asks", {"nodeName": "node-3"}))
        api.request("POST", PODS, pod("beside", 1, "there", {"nodeName": "node-3"}))
        try:
            assert _evicted(cluster, api, SPREAD) == ("on-node-3", "node-3")
        finally:
            _empty(cluster, api)


def test_who_has_to_go_for_a_volume(cluster: Cluster) -> None:
    """One that only one pod may have: no rule of ours knows of it, a plugin of kube-scheduler does."""
    storage = {"resources": {"requests": {"storage": "1Gi"}}, "volumeName": "exclusive"}
    claim = {"metadata": {"name": "exclusive"}, "spec": {**ONLY_ONE, **storage}}
    spec = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "exclusive"}}]}
    with cluster.api() as api:
        volume = {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/nowhere"}, **ONLY_ONE}
        api.request("POST", VOLUMES, {"metadata": {"name": "exclusive"}, "spec": volume})
        api.request("POST", CLAIMS, claim)
        wait(cluster, lambda: _phase(api.get(f"{CLAIMS}/exclusive")) == "Bound", "the volume is not bound")
        for node, more in zip(NODES, ({}, spec, {}), strict=True):
            api.request("POST", PODS, pod(f"on-{node}", 1, "there", {"nodeName": node, **more}))
        try:
            assert _evicted(cluster, api, spec) == ("on-node-2", "node-2")
        finally:
            _empty(cluster, api)


def _evicted(cluster: Cluster, api: Api, asks: Obj) -> tuple[str, str]:
    """Create the pod that asks; return who has gone when it is placed, and where it is."""
    wait(cluster, lambda: all(_phase(one) == "Running" for one in _pods(api)), "the pods do not run")
    before = {one["metadata"]["name"] for one in _pods(api)}
    api.request("POST", PODS, pod("asks", 9, "asks", asks))

    def placed() -> str:
        return next((one["spec"].get("nodeName", "") for one in _pods(api) if one["metadata"]["name"] == "asks"), "")

    wait(cluster, lambda: bool(placed()), "nobody is evicted for it")
    gone = before - {one["metadata"]["name"] for one in _pods(api)}
    return ",".join(sorted(gone)), placed()


def _empty(cluster: Cluster, api: Api) -> None:
    api.request("DELETE", f"{PODS}?gracePeriodSeconds=0")
    wait(cluster, lambda: not _pods(api), "pods are left")


def _pods(api: Api) -> list[Obj]:
    return list(api.get(PODS)["items"])


def _phase(obj: Obj) -> str:
    return str(obj.get("status", {}).get("phase", ""))
