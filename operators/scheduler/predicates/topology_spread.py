"""PodTopologySpread: a hard constraint keeps the pod out of a domain that has too many of its kind already."""

import numpy as np

from operators.scheduler.columns import ABSENT, Ints, Mask
from operators.scheduler.pod import Pod, Spread
from operators.scheduler.predicates import node_affinity, taints
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

TOO_SKEWED = "node(s) didn't match pod topology spread constraints"
NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse the nodes of domains that would have more than maxSkew pods over the emptiest.

    Three zones with 3, 1 and 2 pods and maxSkew 1: only the zone with 1 takes the pod, for 2 - 1 <= 1. What comes first
    in the pod says why a node is refused.
    """
    constraints = [constraint for constraint in pod.spread if constraint.hard]
    if not constraints:
        return []
    labelled = all_labelled(constraints, nodes) & nodes.alive
    refused, missing = np.zeros(nodes.size, np.bool_), np.zeros(nodes.size, np.bool_)
    for constraint in constraints:
        column = nodes.label(constraint.key)
        codes = column.codes
        missing |= (codes == ABSENT) & ~refused
        counted = labelled & included(pod, constraint, nodes)
        totals = per_domain(codes, counted, pods_counted(pod, constraint, nodes), len(column.values))
        present = np.zeros(len(totals), np.bool_)
        present[codes[counted]] = True
        domains = int(present.sum())
        smallest = 0 if domains < constraint.min_domains else int(totals[present].min())
        own = int(constraint.selector.matches(pod.labels))
        refused |= (totals[codes] + own - smallest > constraint.max_skew) & (codes != ABSENT)
    return [Refusal(missing, NO_LABEL, unresolvable=True), Refusal(refused & ~missing, TOO_SKEWED)]


def all_labelled(constraints: list[Spread], nodes: Snapshot) -> Mask:
    """Return the nodes that have the topology key of every constraint."""
    found = np.ones(nodes.size, np.bool_)
    for constraint in constraints:
        found &= nodes.label(constraint.key).codes != ABSENT
    return found


def included(pod: Pod, constraint: Spread, nodes: Snapshot) -> Mask:
    """Return the nodes that count, by the constraint's policies for node affinity and taints."""
    found = nodes.alive
    if constraint.honors_affinity and (matching := node_affinity.matching(pod, nodes)) is not None:
        found = found & matching
    if constraint.honors_taints:
        found = found & ~taints.untolerated(pod, nodes)
    return found


def pods_counted(pod: Pod, constraint: Spread, nodes: Snapshot) -> Ints:
    """Return the pods on each node that count; a selector that would select everything counts none."""
    if constraint.selector.is_empty:
        return np.zeros(nodes.size, np.int64)
    return nodes.count(pod.namespace, constraint.selector)


def per_domain(codes: np.ndarray, counted: Mask, pods: Ints, domains: int) -> Ints:
    """Add up the pods of the counted nodes by domain; the entry after the last is that of nodes without one."""
    totals = np.bincount(codes[counted], weights=pods[counted], minlength=domains + 1)
    return totals.astype(np.int64)
