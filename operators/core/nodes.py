"""What is kept of a node: what decides which pods it takes, and whether it is ready.

The rest, the images on it above all, would be most of what the cache holds, and changes with every heartbeat.
"""

from operators.core.objects import Obj, Resource

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)

_KEPT = ("name", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "labels")


def trim(obj: Obj) -> Obj:
    """Return a node with its identity, its labels, its taints and its Ready condition's status alone."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return {
        "apiVersion": NODES.api_version,
        "kind": NODES.kind,
        "metadata": {field: meta[field] for field in _KEPT if field in meta},
        "spec": {"taints": spec["taints"]} if spec.get("taints") else {},
        "status": {
            "conditions": [{"type": "Ready", "status": c.get("status")} for c in conditions if c.get("type") == "Ready"]
        },
    }


def taints(node: Obj) -> list[Obj]:
    """Return the taints of a node."""
    return (node.get("spec") or {}).get("taints") or []


def is_ready(node: Obj) -> bool:
    """Whether its kubelet says that it works."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
