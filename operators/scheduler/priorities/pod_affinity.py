"""InterPodAffinity: the weights of what the pod prefers around it, and of what the pods around it prefer or require."""

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.pod_affinity import in_domain
from operators.scheduler.priorities.scale import MOST, Rows
from operators.scheduler.snapshot import Snapshot


def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
    """Add up the weights over each node's topologies; the smallest sum becomes 0 and the largest 100."""
    sums: Ints | None = None
    for counts, key, weight in _said(pod, nodes):
        part = in_domain(counts, key, nodes)[rows] * weight
        sums = part if sums is None else sums + part
    if sums is None:
        return None
    smallest, largest = int(sums.min()), int(sums.max())
    if smallest == largest:
        return np.zeros(len(rows), np.int64)
    return (MOST * ((sums - smallest) / (largest - smallest))).astype(np.int64)


def _said(pod: Pod, nodes: Snapshot) -> list[tuple[Ints, str, int]]:
    """Return the pods on each node that something is said about, by which topology, and its weight."""
    said = [
        (nodes.count_terms((term,)), term.topology_key, sign * term.weight)
        for sign, terms in ((1, pod.preferred), (-1, pod.preferred_anti))
        for term in terms
    ]
    carried = nodes.scored_terms.about(pod, nodes.namespaces.get(pod.namespace, {}))
    return said + [(one.counts, one.term.topology_key, one.weight) for one in carried]
