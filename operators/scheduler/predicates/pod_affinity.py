"""InterPodAffinity: what the pod requires of the pods around it, and what they require of it."""

from collections.abc import Sequence

import numpy as np

from operators.scheduler.affinity import PodTerm
from operators.scheduler.columns import ABSENT, Ints, Mask
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse nodes by affinity, anti-affinity and the anti-affinity of pods that are there, in this order."""
    refusals = []
    if pod.affinity:
        refusals.append(Refusal(~_has_company(pod, nodes), AFFINITY, unresolvable=True))
    if pod.anti_affinity:
        refused = np.zeros(nodes.size, np.bool_)
        for term in pod.anti_affinity:
            refused |= in_domain(nodes.count_terms((term,)), term.topology_key, nodes) > 0
        refusals.append(Refusal(refused, ANTI_AFFINITY))
    existing = _unwanted(pod, nodes)
    if existing is not None:
        refusals.append(Refusal(existing, EXISTING))
    return refusals


def in_domain(pods: Ints, key: str, nodes: Snapshot) -> Ints:
    """Return for each node the sum of `pods` over its domain; 0 where it is in none."""
    column = nodes.label(key)
    codes = column.codes
    totals = np.bincount(codes[nodes.alive] + 1, weights=pods[nodes.alive], minlength=len(column.values) + 1)
    totals[0] = 0
    return totals.astype(np.int64)[codes + 1]


def _has_company(pod: Pod, nodes: Snapshot) -> Mask:
    """Return the nodes in whose every topology there is a pod that all the terms are about.

    The first of a group that asks for its own kind finds none anywhere: it may go wherever the topologies exist.
    """
    pods = nodes.count_terms(pod.affinity)
    found, labelled, anywhere = np.ones(nodes.size, np.bool_), np.ones(nodes.size, np.bool_), False
    for term in pod.affinity:
        there = in_domain(pods, term.topology_key, nodes)
        labelled &= nodes.label(term.topology_key).codes != ABSENT
        found &= there > 0
        anywhere = anywhere or bool(there.any())
    if not anywhere and _matches_itself(pod, pod.affinity, nodes):
        return labelled
    return found & labelled


def _matches_itself(pod: Pod, terms: Sequence[PodTerm], nodes: Snapshot) -> bool:
    return all(pod.namespace in nodes.namespaces_of(term) and term.selector.matches(pod.labels) for term in terms)


def _unwanted(pod: Pod, nodes: Snapshot) -> Mask | None:
    """Return the nodes in whose topologies there is a pod that keeps this one away."""
    refused: Mask | None = None
    for carried in nodes.anti_affinity.about(pod, nodes.namespaces.get(pod.namespace, {})):
        there = in_domain(carried.counts, carried.term.topology_key, nodes) > 0
        refused = there if refused is None else refused | there
    return refused
