"""Keeps pods that need no GPU off nodes that have some; of those, fills the nodes with the fewest free GPUs first."""

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.priorities.scale import Rows, to_largest
from operators.scheduler.snapshot import Snapshot

GPU = "nvidia.com/gpu"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse nodes with GPUs to a pod that asks for none. Words without numbers: they end up in the pod's status."""
    if pod.requests.get(GPU):
        return []
    return [Refusal(nodes.allocatable[GPU] > 0, "node(s) are kept for pods that need a GPU", unresolvable=True)]


def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
    """Give 100 to the node with the fewest free GPUs, 0 to that with the most; nothing to say about other pods."""
    if not pod.requests.get(GPU):
        return None
    free = nodes.allocatable[GPU][rows] - nodes.requested[GPU][rows]
    return to_largest(np.maximum(free, 0), reverse=True)
