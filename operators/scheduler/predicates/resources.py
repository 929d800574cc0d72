"""NodeResourcesFit: what the pod requests has to be free, and the node must take one more pod."""

from typing import Final

from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

TOO_MANY: Final = "Too many pods"
_NATIVE: Final = ("cpu", "memory", "ephemeral-storage")


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse nodes that are full, once for each resource that they lack.

    A resource that stands for devices and that a node does not say it has is DynamicResources' to find there.
    """
    refusals = [Refusal(nodes.pods_on + 1 > nodes.allocatable["pods"], TOO_MANY)]
    for name, amount in pod.requests.items():
        if amount == 0 or not is_counted(name):
            continue
        allocatable = nodes.allocatable[name]
        lacking = amount > allocatable - nodes.requested[name]
        if nodes.is_of_devices(name):
            lacking &= allocatable > 0
        refusals.append(Refusal(lacking, f"Insufficient {name}", amount > allocatable))
    return refusals


def is_counted(name: str) -> bool:
    """Whether nodes are asked for a resource: the native ones, huge pages and attachable volumes, and extended ones."""
    if name in _NATIVE or name.startswith(("hugepages-", "attachable-volumes-")):
        return True
    return "/" in name and not name.startswith("requests.")
