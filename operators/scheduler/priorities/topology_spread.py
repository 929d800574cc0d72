"""PodTopologySpread: the fewer pods of its kind in a node's domains, the better, by the soft constraints.

A pod without constraints is spread over nodes and zones by what its Services and its owner select, unless a node lacks
the label of a zone, which then does not count.
"""

from typing import Final

import numpy as np

from operators.core.selectors import Selector
from operators.scheduler.columns import ABSENT, Ints
from operators.scheduler.pod import Pod, Spread
from operators.scheduler.predicates.topology_spread import all_labelled, included, pods_counted
from operators.scheduler.priorities.scale import MOST, Rows
from operators.scheduler.snapshot import Snapshot

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"


def default_constraints(selector: Selector) -> tuple[Spread, ...]:
    """Return how a pod is spread that says nothing about it, by what its Services and its owner select."""
    if selector.is_empty:
        return ()
    skews = ((HOSTNAME, 3), (ZONE, 5))
    return tuple(Spread(key, skew, False, selector, 1, True, False) for key, skew in skews)  # noqa: FBT003


def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
    """Score by the pods in each domain, weighted by how many domains there are."""
    constraints = [constraint for constraint in pod.spread if not constraint.hard]
    requires_all = bool(pod.spread)
    if not requires_all:
        constraints = list(default_constraints(nodes.default_selector(pod)))
    if not constraints:
        return None
    everywhere = all_labelled(constraints, nodes) if requires_all else nodes.alive
    counted_rows = rows[everywhere[rows]]
    sums = np.zeros(len(rows), np.float64)
    for constraint in constraints:
        sums += _part(pod, constraint, nodes, rows, counted_rows, everywhere)
    scores = np.floor(sums + 0.5).astype(np.int64)  # as Go rounds: a half up
    return _inverted(scores, everywhere[rows])


def _part(
    pod: Pod,
    constraint: Spread,
    nodes: Snapshot,
    rows: Rows,
    counted_rows: Rows,
    everywhere: np.ndarray,
) -> np.ndarray:
    """Return what one constraint adds to each node's sum: nothing where the node lacks its label."""
    column, pods = nodes.label(constraint.key), pods_counted(pod, constraint, nodes)
    codes = column.codes
    if constraint.key == HOSTNAME:
        there, domains = pods[rows], len(counted_rows)
    else:
        size = len(column.values)
        known = np.zeros(size + 1, np.bool_)
        known[codes[counted_rows]] = True
        domains = int(known.sum())
        counted = everywhere & included(pod, constraint, nodes)
        totals = np.bincount(codes[counted] + 1, weights=pods[counted], minlength=size + 1)[1:]
        there = np.append(totals, 0)[codes[rows]]
    weight = np.log(float(domains + 2))
    return np.where(codes[rows] == ABSENT, 0.0, there * weight + (constraint.max_skew - 1))


def _inverted(scores: Ints, counted: np.ndarray) -> Ints:
    """Turn the fewest into the most: 100 * (max + min - score) / max. Nodes that do not count get 0."""
    if not counted.any():
        return np.zeros(len(scores), np.int64)
    smallest, largest = int(scores[counted].min()), max(0, int(scores[counted].max()))
    if largest == 0:
        return np.where(counted, MOST, 0)
    return np.where(counted, MOST * (largest + smallest - scores) // largest, 0)
