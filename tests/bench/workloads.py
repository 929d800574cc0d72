"""The objects that the cases create, and how their status says that they have arrived."""

from typing import Any, Final

from operators.core.objects import Obj

_COUNTS: Final = {
    "ReplicaSet": ("replicas", "readyReplicas", "availableReplicas"),
    "Deployment": ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"),
    "StatefulSet": ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "currentReplicas"),
}
"""The counts of a status that are as high as `spec.replicas` once nothing is left to be done."""

SHARE: Final = "10%"
"""How many pods a rolling update of a StatefulSet or a DaemonSet may have unavailable."""


def replicaset(group: str, name: str, replicas: int) -> Obj:
    """Describe a ReplicaSet of an API group."""
    return _workload(group, "ReplicaSet", name, replicas=replicas)


def deployment(group: str, name: str, replicas: int) -> Obj:
    """Describe a Deployment of an API group, with the default strategy: a quarter of surge and of unavailability."""
    return _workload(group, "Deployment", name, replicas=replicas)


def statefulset(group: str, name: str, replicas: int, *, parallel: bool = False) -> Obj:
    """Describe a StatefulSet of an API group, whose rollouts replace a tenth at a time, or one where order counts."""
    policy = {"podManagementPolicy": "Parallel", "updateStrategy": _rolling()} if parallel else {}
    return _workload(group, "StatefulSet", name, replicas=replicas, serviceName="none", **policy)


def daemonset(group: str, name: str, **node_selector: str) -> Obj:
    """Describe a DaemonSet of an API group, whose rollouts replace a tenth at a time."""
    made = _workload(group, "DaemonSet", name, updateStrategy=_rolling())
    made["spec"]["template"]["spec"]["nodeSelector"] = node_selector
    return made


def _rolling() -> Obj:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": SHARE}}


def _workload(group: str, kind: str, name: str, **spec: Any) -> Obj:
    labels = {"app": name}
    container = {
        "name": "main",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            **spec,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def is_up(obj: Obj) -> bool:
    """Whether every replica is ready, and none is left of before: what `rollout status` waits for."""
    status = obj.get("status") or {}
    if obj["kind"] == "DaemonSet":
        return is_on(int(status.get("desiredNumberScheduled", 0)), obj)
    wanted = obj["spec"]["replicas"]
    return _is_current(obj, status) and all(status.get(count, 0) == wanted for count in _COUNTS[obj["kind"]])


def is_on(nodes: int, obj: Obj) -> bool:
    """Whether a DaemonSet has a pod of its newest template available on so many nodes, which are all that it wants."""
    status = obj.get("status") or {}
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    return _is_current(obj, status) and all(status.get(count, 0) == nodes for count in counts)


def is_down(obj: Obj) -> bool:
    """Whether no pod is left, those that are still ending included."""
    status = obj.get("status") or {}
    return _is_current(obj, status) and not status.get("replicas") and not status.get("terminatingReplicas")


def _is_current(obj: Obj, status: Obj) -> bool:
    return bool(status.get("observedGeneration", 0) >= obj["metadata"]["generation"])
