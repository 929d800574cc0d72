"""Each priority's score, against figures worked out by hand from upstream's formulas."""

from typing import Any

import pytest

from operators.scheduler import feed
from operators.scheduler import node as machines
from operators.scheduler import pod as pods
from operators.scheduler.pod import Pod
from operators.scheduler.priorities import image_locality, node_affinity, pod_affinity, taints, topology_spread
from operators.scheduler.priorities.balanced import Balanced
from operators.scheduler.priorities.resources import LeastAllocated, MostAllocated, RequestedToCapacity
from operators.scheduler.priorities.scale import Priority
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import HOSTNAME, MIB, ZONE, node, pod, pod_object, rows, snapshot

WEB = {"labelSelector": {"matchLabels": {"app": "web"}}}


def web(name: str, on: str, **spec: Any) -> Pod:
    """Build a placed pod with the label that the terms below select."""
    return pod(name, node=on, labels={"app": "web"}, **spec)


ONE_BUSY = snapshot(node("a"), node("b"), placed=(pod("x", node="a", cpu="1", memory="4Gi"),))
TAINTED = snapshot(
    node("a"),
    node("b", taints=[{"key": "k", "effect": "PreferNoSchedule"}]),
    node("c", taints=[{"key": k, "effect": "PreferNoSchedule"} for k in ("k", "l", "m")]),
)
THREE_ZONES = snapshot(
    node("a", zone="1"),
    node("b", zone="2"),
    node("c", zone="3"),
    placed=(web("p1", "a"), web("p2", "a"), web("p3", "b")),
)
WITH_IMAGE = snapshot(node("a", images=[{"names": ["app:latest"], "sizeBytes": 1046 * MIB}]), node("b"))


def preferring(*weights_and_disks: tuple[int, str]) -> dict[str, Any]:
    """Build a preferred node affinity."""
    terms = [
        {"weight": weight, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": [disk]}]}}
        for weight, disk in weights_and_disks
    ]
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}}


def near(weight: int, key: str, kind: str = "podAffinity") -> dict[str, Any]:
    """Build a preference for, or against, pods of the label."""
    term = {"weight": weight, "podAffinityTerm": {"topologyKey": key, **WEB}}
    return {"affinity": {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}}


def spread(key: str, skew: int) -> dict[str, Any]:
    """Build a soft spread constraint."""
    return {
        "topologySpreadConstraints": [
            {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", **WEB}
        ]
    }


@pytest.mark.parametrize(
    ("priority", "nodes", "one", "want_scores"),
    [
        # a: CPU (4000-2000)*100/4000 = 50, memory (8192-4296)*100/8192 = 47; b: 75 and 97
        pytest.param(LeastAllocated().score, ONE_BUSY, pod(cpu="1"), [48, 86], id="least allocated"),
        # a: 50 and 52; b: 25 and 2
        pytest.param(MostAllocated().score, ONE_BUSY, pod(cpu="1"), [51, 13], id="most allocated"),
        # utilization 50 and 52 on a, 25 and 2 on b; a line from 0 to 100
        pytest.param(
            RequestedToCapacity([(0, 0), (100, 10)]).score, ONE_BUSY, pod(cpu="1"), [51, 14], id="a rising line"
        ),
        # a falling line counts what is left: 50 and 48, 75 and 98; 86.5 is rounded up
        pytest.param(
            RequestedToCapacity([(0, 10), (100, 0)]).score, ONE_BUSY, pod(cpu="1"), [49, 87], id="a falling line"
        ),
        # a: from |0.25-0.5|/2 to |0.5-0.5|/2, 87 to 100: 50+(50+13)/2 = 81; b: 100 to |0.25-0|/2, 87: 50+37/2 = 68
        pytest.param(Balanced().score, ONE_BUSY, pod(cpu="1"), [81, 68], id="balanced"),
        pytest.param(Balanced().score, ONE_BUSY, pod(), None, id="balanced says nothing about a best-effort pod"),
        pytest.param(taints.score, TAINTED, pod(), [100, 67, 0], id="taints: 100 - 100*count/3"),
        pytest.param(
            taints.score,
            TAINTED,
            pod(tolerations=[{"key": "k", "operator": "Exists", "effect": "NoSchedule"}]),
            [100, 67, 0],
            id="taints: a toleration of another effect does not count",
        ),
        pytest.param(
            node_affinity.score,
            snapshot(node("a", labels={"disk": "ssd"}), node("b", labels={"disk": "hdd"}), node("c")),
            pod(**preferring((30, "ssd"), (20, "hdd"))),
            [100, 66, 0],
            id="node affinity: 30, 20 and 0 of 30",
        ),
        # (1046/2 - 23) / (1000 - 23): 500 of 977
        pytest.param(image_locality.score, WITH_IMAGE, pod(), [51, 0], id="image that half of the nodes have"),
        # 2, 1 and 0 pods times 10
        pytest.param(pod_affinity.score, THREE_ZONES, pod(**near(10, ZONE)), [100, 50, 0], id="pods near"),
        pytest.param(
            pod_affinity.score, THREE_ZONES, pod(**near(10, ZONE, "podAntiAffinity")), [0, 50, 100], id="pods far"
        ),
        # ln(3+2) = 1.609: 3.22, 1.61 and 0, rounded 3, 2 and 0; 100*(3+0-s)/3
        pytest.param(
            topology_spread.score, THREE_ZONES, pod(labels={"app": "web"}, **spread(ZONE, 1)), [0, 33, 100], id="spread"
        ),
        # maxSkew 3 adds 2 to each: 5, 4 and 2; 100*(5+2-s)/5
        pytest.param(
            topology_spread.score,
            THREE_ZONES,
            pod(labels={"app": "web"}, **spread(HOSTNAME, 3)),
            [40, 60, 100],
            id="spread with room for skew",
        ),
    ],
)
def test_score(priority: Priority, nodes: Snapshot, one: Pod, want_scores: list[int] | None) -> None:
    """The nodes, in the order of their names, have these scores."""
    got = priority(one, nodes, rows(nodes))
    assert (None if got is None else got.tolist()) == want_scores


@pytest.mark.parametrize(
    ("api_version", "want_scores"),
    [
        pytest.param("apps/v1", [66, 100], id="Kubernetes' own"),
        pytest.param("kopfwerk.dev/v1", None, id="another of the same kind and name"),
    ],
)
def test_spread_by_what_the_owner_selects(api_version: str, want_scores: list[int] | None) -> None:
    """Where a pod says nothing about it, and its owner is one of those that upstream knows."""
    nodes = snapshot(node("a"), node("b"), placed=(web("x", "a"),))
    owner = {"metadata": {"namespace": "default", "name": "web"}, "spec": {"selector": WEB["labelSelector"]}}
    [resource] = [one for one in feed.OWNERS if one.kind == "ReplicaSet"]
    feed.fill(nodes, resource, [owner])
    asking = pod_object(labels={"app": "web"})
    reference = {"apiVersion": api_version, "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}
    asking["metadata"]["ownerReferences"] = [reference]
    got = topology_spread.score(pods.parse(asking), nodes, rows(nodes))
    assert (None if got is None else got.tolist()) == want_scores


def test_an_image_that_has_another_size_by_now() -> None:
    """A tag is moved: the size is what the only node that has it says last."""
    nodes = snapshot(node("a", images=[{"names": ["app:latest"], "sizeBytes": 1}]), node("b"))
    nodes.put_node(machines.parse(node("a", images=[{"names": ["app:latest"], "sizeBytes": 1046 * MIB}])))
    got = image_locality.score(pod(), nodes, rows(nodes))
    assert got is not None
    assert got.tolist() == [51, 0]
