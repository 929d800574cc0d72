"""NodeName: a pod that names its node goes nowhere else."""

import numpy as np

from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

REASON = "node(s) didn't match the requested node name"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse every node but the one that is named."""
    if not pod.node:
        return []
    others = np.ones(nodes.size, np.bool_)
    if pod.node in nodes.rows:
        others[nodes.rows[pod.node]] = False
    return [Refusal(others, REASON, unresolvable=True)]
