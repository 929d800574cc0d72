"""The objects that the cases create, and how their status says that they have arrived."""

from operators.core.objects import Obj


def replicaset(group: str, name: str, replicas: int) -> Obj:
    """Describe a ReplicaSet of an API group."""
    return _workload(group, "ReplicaSet", name, replicas)


def deployment(group: str, name: str, replicas: int) -> Obj:
    """Describe a Deployment of an API group, with the default strategy: a quarter of surge and of unavailability."""
    return _workload(group, "Deployment", name, replicas)


def _workload(group: str, kind: str, name: str, replicas: int) -> Obj:
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
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def is_up(obj: Obj) -> bool:
    """Whether every replica is ready, and none is left of before: for a Deployment what `rollout status` waits for."""
    status, replicas = obj.get("status") or {}, obj["spec"]["replicas"]
    counts = ["replicas", "readyReplicas", "availableReplicas"]
    if obj["kind"] == "Deployment":
        counts.append("updatedReplicas")
    return _is_current(obj, status) and all(status.get(count, 0) == replicas for count in counts)


def is_down(obj: Obj) -> bool:
    """Whether no pod is left, those that are still ending included."""
    status = obj.get("status") or {}
    return _is_current(obj, status) and not status.get("replicas") and not status.get("terminatingReplicas")


def _is_current(obj: Obj, status: Obj) -> bool:
    return bool(status.get("observedGeneration", 0) >= obj["metadata"]["generation"])
