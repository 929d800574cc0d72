"""NodeResourcesFit's strategies: least allocated spreads, most allocated packs, and a shape of one's own.

A node with 4 CPU of which 1 is requested and 8 GiB of which 4 are, for a pod that requests 1 CPU and nothing else:
least gives (50 + 47) / 2 = 48, for a container that requests no memory counts for 200 MiB.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.scale import MOST, Rows
from operators.scheduler.snapshot import Snapshot

OF_EACH: Final[Mapping[str, int]] = MappingProxyType({"cpu": 1, "memory": 1})
"""The resources that count and their weights, unless a profile says otherwise."""

_Scorer: TypeAlias = Callable[[Ints, Ints], Ints]


@dataclass(frozen=True, slots=True)
class LeastAllocated:
    """The more is left, the better."""

    weights: Mapping[str, int] = field(default_factory=lambda: OF_EACH)

    def score(self, pod: Pod, nodes: Snapshot, rows: Rows) -> Ints:
        """Score by what is left with the pod on the node."""
        return _weighted(pod, nodes, rows, self.weights, _least)


@dataclass(frozen=True, slots=True)
class MostAllocated:
    """The fuller, the better."""

    weights: Mapping[str, int] = field(default_factory=lambda: OF_EACH)

    def score(self, pod: Pod, nodes: Snapshot, rows: Rows) -> Ints:
        """Score by what is requested with the pod on the node."""
        return _weighted(pod, nodes, rows, self.weights, _most)


@dataclass(frozen=True, slots=True)
class RequestedToCapacity:
    """A broken line from utilization (0 to 100) to score (0 to 10)."""

    shape: Sequence[tuple[int, int]]
    weights: Mapping[str, int] = field(default_factory=lambda: OF_EACH)

    def score(self, pod: Pod, nodes: Snapshot, rows: Rows) -> Ints:
        """Score along the line; a resource that scores 0 has no weight either, and the mean is rounded."""
        total = weight_sum = np.zeros(len(rows), np.int64)
        for name, weight in self.weights.items():
            requested, allocatable = with_pod(pod, nodes, rows, name)
            scores = self._along(requested, allocatable) * (allocatable != 0)
            total = total + scores * weight
            weight_sum = weight_sum + weight * (scores > 0)
        return np.floor(total / np.maximum(weight_sum, 1) + 0.5).astype(np.int64)

    def _along(self, requested: Ints, allocatable: Ints) -> Ints:
        utilization = np.where(requested > allocatable, 100, requested * 100 // np.maximum(allocatable, 1))
        scaled = [(at, score * MOST // 10) for at, score in self.shape]
        scores = np.full(len(utilization), scaled[-1][1], np.int64)
        for (left, low), (right, high) in reversed(list(pairwise(scaled))):
            rise = (high - low) * (utilization - left)
            part = low + np.sign(rise) * (np.abs(rise) // (right - left))  # towards zero, as Go divides
            scores = np.where(utilization <= right, part, scores)
        return np.where(utilization <= scaled[0][0], scaled[0][1], scores)


def with_pod(pod: Pod, nodes: Snapshot, rows: Rows, name: str) -> tuple[Ints, Ints]:
    """Return what is requested with the pod on each node, as scores count it, and what is allocatable.

    Of a resource that is neither CPU nor memory nothing is allocatable where the pod does not ask for it.
    """
    allocatable = nodes.allocatable[name][rows]
    if name == "cpu":
        return nodes.scored_cpu[rows] + pod.asked_cpu, allocatable
    if name == "memory":
        return nodes.scored_memory[rows] + pod.asked_memory, allocatable
    amount = pod.requests.get(name, 0)
    if not amount and name != "ephemeral-storage":
        allocatable = np.zeros(len(rows), np.int64)
    return nodes.requested[name][rows] + amount, allocatable


def _weighted(pod: Pod, nodes: Snapshot, rows: Rows, weights: Mapping[str, int], scorer: _Scorer) -> Ints:
    total = weight_sum = np.zeros(len(rows), np.int64)
    for name, weight in weights.items():
        requested, allocatable = with_pod(pod, nodes, rows, name)
        present = allocatable != 0
        total = total + weight * scorer(requested, np.maximum(allocatable, 1)) * present
        weight_sum = weight_sum + weight * present
    return total // np.maximum(weight_sum, 1)


def _least(requested: Ints, allocatable: Ints) -> Ints:
    return np.where(requested > allocatable, 0, (allocatable - requested) * MOST // allocatable)


def _most(requested: Ints, allocatable: Ints) -> Ints:
    return np.minimum(requested, allocatable) * MOST // allocatable
