"""NodeResourcesBalancedAllocation: better where the pod brings the shares of CPU and memory in use closer together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from operators.scheduler.columns import Ints, Mask
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.resources import OF_EACH
from operators.scheduler.priorities.scale import MOST, Rows
from operators.scheduler.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Balanced:
    """By the resources that count; how much each one counts makes no difference."""

    weights: Mapping[str, int] = field(default_factory=lambda: OF_EACH)

    def score(self, pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
        """Score by how much the pod lessens the deviation: 50 + (50 + with - without) / 2.

        A pod without requests has no score.
        """
        requested = [pod.requests.get(name, 0) for name in self.weights]
        if not any(requested):
            return None
        allocatable, without = [], []
        for name, amount in zip(self.weights, requested, strict=True):
            counts = amount or name in ("cpu", "memory", "ephemeral-storage")
            allocatable.append(nodes.allocatable[name][rows] * bool(counts))
            without.append(nodes.requested[name][rows])
        of, used = np.array(allocatable), np.array(without)
        present = of != 0
        of = np.where(present, of, 1)
        difference = _evenness(used + np.array(requested)[:, None], of, present) - _evenness(used, of, present)
        score: Ints = MOST // 2 + _halved(MOST // 2 + difference)
        return score


def _evenness(requested: Ints, allocatable: Ints, present: Mask) -> Ints:
    """Return 100 where every resource is in use to the same share, less the more the shares deviate from their mean.

    A resource that is not present has no share.
    """
    shares = np.minimum(requested / allocatable, 1.0) * present
    if len(shares) == 2:  # half of the distance: quicker, and without the error of a root
        deviation = np.abs(shares[0] - shares[1]) / 2 * (present[0] & present[1])
    else:
        number = np.maximum(present.sum(axis=0), 1)
        mean = shares.sum(axis=0) / number
        deviation = np.sqrt((((shares - mean) * present) ** 2).sum(axis=0) / number) * (number > 1)
    evenness: Ints = ((1 - deviation) * MOST).astype(np.int64)
    return evenness


def _halved(numbers: Ints) -> Ints:
    """Halve towards zero, as Go does."""
    halves: Ints = np.sign(numbers) * (np.abs(numbers) // 2)
    return halves
