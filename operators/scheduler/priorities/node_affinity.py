"""NodeAffinity: the weights of the preferred terms that match."""

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.node_affinity import matches
from operators.scheduler.priorities.scale import Rows, to_largest
from operators.scheduler.snapshot import Snapshot


def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
    """Add up the weights."""
    if not pod.preferred_nodes:
        return None
    weights = np.zeros(len(rows), np.int64)
    for term in pod.preferred_nodes:
        weights += matches(term, nodes)[rows] * term.weight
    return to_largest(weights)
