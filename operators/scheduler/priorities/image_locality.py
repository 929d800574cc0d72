"""ImageLocality: the more bytes of the pod's images a node has, the better, less where few nodes have them.

An image of 1000 MiB that half of the nodes have counts for 500 MiB; 23 MiB and less are worth nothing, 1000 MiB for
each image everything.
"""

from typing import Final

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.scale import MOST, Rows
from operators.scheduler.snapshot import Snapshot

LEAST_BYTES: Final = 23 * 1024 * 1024
MOST_BYTES: Final = 1000 * 1024 * 1024


def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
    """Score by bytes."""
    present: Ints | None = None
    for name in pod.images:
        image = nodes.images.get(name)
        if image is not None:
            present = np.zeros(nodes.size, np.int64) if present is None else present
            present[list(image.rows)] += int(float(image.size) * (len(image.rows) / nodes.node_count))
    if present is None:
        return None
    most = MOST_BYTES * pod.image_count
    return MOST * (np.clip(present[rows], LEAST_BYTES, most) - LEAST_BYTES) // (most - LEAST_BYTES)
