"""What is kept of a node: what decides which pods it takes, and whether it is ready.

The rest, the images on it above all, would be most of what the cache holds, and changes with every heartbeat.
"""

from operators.core import objects
from operators.core.objects import Obj, Resource

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)

ZONE = "topology.kubernetes.io/zone"

_KEPT = ("name", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "labels")


def trim(obj: Obj) -> Obj:
    """Return a node with its identity, labels, taints, allocatable CPU and Ready condition's status alone."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    conditions = status.get("conditions") or ()
    cpu = (status.get("allocatable") or {}).get("cpu")
    return {
        "apiVersion": NODES.api_version,
        "kind": NODES.kind,
        "metadata": {field: meta[field] for field in _KEPT if field in meta},
        "spec": {"taints": spec["taints"]} if spec.get("taints") else {},
        "status": {
            "conditions": [{"type": "Ready", "status": c.get("status")} for c in conditions if c.get("type") == "Ready"]
        }
        | ({"allocatable": {"cpu": cpu}} if cpu else {}),
    }


def taints(node: Obj) -> list[Obj]:
    """Return the taints of a node."""
    return (node.get("spec") or {}).get("taints") or []


def is_ready(node: Obj) -> bool:
    """Whether its kubelet says that it works."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def zone(node: Obj) -> str:
    """Return the zone that a node is in, empty where it is in none."""
    return objects.labels(node).get(ZONE, "")


def allocatable_cpu(node: Obj) -> object:
    """Return the CPU that pods may use, as the quantity that the node states, or None."""
    return ((node.get("status") or {}).get("allocatable") or {}).get("cpu")
