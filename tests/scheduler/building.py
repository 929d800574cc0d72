"""Pods, nodes and snapshots for tests of the rules."""

from typing import Any

import numpy as np

from operators.core.gang import MIN_COUNT, POD_GROUP, TIMEOUT
from operators.core.objects import Obj
from operators.scheduler import node as nodes
from operators.scheduler import pod as pods
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.snapshot import Snapshot

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
MIB = 1024 * 1024


def pod_object(name: str = "p", *, node: str = "", labels: dict[str, str] | None = None, **spec: Any) -> Obj:
    """Build a pod's JSON; `cpu` and `memory` are what its one container requests."""
    names = {"cpu": "cpu", "memory": "memory", "gpu": "example.com/gpu"}
    requests = {resource: spec.pop(key) for key, resource in names.items() if key in spec}
    container = {"name": "c", "image": "app", "resources": {"requests": requests}}
    meta = {"namespace": "default", "name": name, "uid": f"uid-{name}", "labels": labels or {}}
    if spec.pop("deleting", False):
        meta["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    return {
        "metadata": meta | {"annotations": spec.pop("annotations", {})},
        "status": {"startTime": spec.pop("started", None)},
        "spec": {"nodeName": node, "containers": [container], **spec},
    }


def member(
    name: str, group: str = "g", minimum: int | str = 5, *, timeout: int | str | None = None, **spec: Any
) -> Obj:
    """Build the JSON of a pod of a group that is placed together."""
    annotations = {} if timeout is None else {TIMEOUT: str(timeout)}
    return pod_object(name, labels={POD_GROUP: group, MIN_COUNT: str(minimum)}, annotations=annotations, **spec)


def pod(name: str = "p", **spec: Any) -> Pod:
    """Build a pod as the rules see it."""
    return pods.parse(pod_object(name, **spec))


def snapshot(*objects: Obj, placed: tuple[Pod, ...] = ()) -> Snapshot:
    """Build a snapshot of nodes and of the pods on them."""
    found = Snapshot()
    for obj in objects:
        found.put_node(nodes.parse(obj))
    for one in placed:
        found.put_pod(one)
    return found


def node(name: str, *, zone: str = "", cpu: str = "4", memory: str = "8Gi", room: str = "10", **more: Any) -> Obj:
    """Build a node; `labels`, `taints`, `unschedulable`, `images` and `gpu` as they are named."""
    labels = {HOSTNAME: name, **({ZONE: zone} if zone else {}), **more.get("labels", {})}
    allocatable = {"cpu": cpu, "memory": memory, "pods": room}
    if "gpu" in more:
        allocatable["example.com/gpu"] = more["gpu"]
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": more.get("taints", []), "unschedulable": more.get("unschedulable", False)},
        "status": {"allocatable": allocatable, "images": more.get("images", [])},
    }


def rows(nodes_: Snapshot) -> Rows:
    """Return the rows of all nodes, in the order of their names."""
    return np.array([nodes_.rows[name] for name in sorted(node.name for node in nodes_.nodes.values())])
