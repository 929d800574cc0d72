"""Where a pod can go and where it goes best: the rules applied to the snapshot, without side effects."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from operators.scheduler.columns import Ints, Mask
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.rules import Rules
from operators.scheduler.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Fit:
    """What the predicates say about some nodes."""

    rows: Rows
    """The nodes that the pod fits on, in the order in which they were asked about."""
    refusals: Sequence[tuple[Mask, Sequence[Refusal]]]
    """For each predicate that refused nodes: those that it was the first to refuse, and its reasons."""

    def why(self, row: int) -> tuple[str, bool]:
        """Return why a node is refused, and whether evicting pods from it could not help."""
        for nodes, refusals in self.refusals:
            if nodes[row]:
                said = [refusal for refusal in refusals if refusal.nodes[row]]
                hopeless = any(
                    r.unresolvable if isinstance(r.unresolvable, bool) else r.unresolvable[row] for r in said
                )
                return ", ".join(refusal.reason for refusal in said), bool(hopeless)
        raise KeyError(row)


@dataclass(frozen=True, slots=True)
class Scores:
    """What the priorities say about the nodes that a pod fits on, each from 0 to 100 and unweighted, and the total."""

    rows: Rows
    parts: Mapping[str, Ints]
    total: Ints


def fit(pod: Pod, nodes: Snapshot, rules: Rules, rows: Rows) -> Fit:
    """Find the nodes among `rows` that the pod fits on.

    It has to fit beside the pods that are nominated to a node and at least as important, and also without them.
    """
    with nodes.with_nominated(pod) as any_nominated:
        found = _fit(pod, nodes, rules, rows)
    if not any_nominated or not len(found.rows):
        return found
    alone = _fit(pod, nodes, rules, found.rows)
    return Fit(alone.rows, (*found.refusals, *alone.refusals))


def _fit(pod: Pod, nodes: Snapshot, rules: Rules, rows: Rows) -> Fit:
    left = np.zeros(nodes.size, np.bool_)
    left[rows] = True
    refusals: list[tuple[Mask, Sequence[Refusal]]] = []
    for predicate in rules.predicates.values():
        said = predicate(pod, nodes)
        if not said:
            continue
        refused = said[0].nodes
        for refusal in said[1:]:
            refused = refused | refusal.nodes
        first = left & refused
        if first.any():
            refusals.append((first, said))
            left &= ~refused
    return Fit(rows[left[rows]], refusals)


def score(pod: Pod, nodes: Snapshot, rules: Rules, rows: Rows) -> Scores:
    """Score the nodes that the pod fits on."""
    parts: dict[str, Ints] = {}
    total = np.zeros(len(rows), np.int64)
    if not len(rows):
        return Scores(rows, parts, total)
    for name, (priority, weight) in rules.priorities.items():
        part = priority(pod, nodes, rows)
        if part is not None:
            parts[name] = part
            total += part * weight
    return Scores(rows, parts, total)


def choose(pod: Pod, nodes: Snapshot, rules: Rules, rows: Rows) -> int:
    """Return the row of the best of the nodes that the pod fits on, of which there is one at least."""
    return best(pod, score(pod, nodes, rules, rows)) if len(rows) > 1 else int(rows[0])


def best(pod: Pod, scores: Scores) -> int:
    """Return the row of the highest score; among equals the pod's UID chooses, so that equal pods do not all agree."""
    equal = scores.rows[scores.total == scores.total.max()]
    return int(equal[zlib.crc32(pod.uid.encode()) % len(equal)])
