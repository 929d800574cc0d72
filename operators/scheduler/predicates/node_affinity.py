"""NodeAffinity: the node selector and one of the required terms of node affinity have to match."""

import numpy as np

from operators.core.selectors import Requirement
from operators.scheduler import affinity
from operators.scheduler.affinity import NodeTerm
from operators.scheduler.columns import Mask
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

REASON = "node(s) didn't match Pod's node affinity/selector"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse nodes that do not match."""
    found = matching(pod, nodes)
    return [] if found is None else [Refusal(~found, REASON, unresolvable=True)]


def matching(pod: Pod, nodes: Snapshot) -> Mask | None:
    """Return the nodes that match; None where the pod asks for nothing."""
    if not pod.node_selector and pod.node_terms is None:
        return None
    found = np.ones(nodes.size, np.bool_)
    for key, value in pod.node_selector.items():
        found &= nodes.label(key).where({value: True}, absent=False)
    if pod.node_terms is not None:
        either = np.zeros(nodes.size, np.bool_)
        for term in pod.node_terms:
            either |= matches(term, nodes)
        found &= either
    return found


def matches(term: NodeTerm, nodes: Snapshot) -> Mask:
    """Return the nodes that one term matches."""
    found = np.ones(nodes.size, np.bool_)
    for requirement in term.labels:
        column = nodes.label(requirement.key)
        wanted = {value: affinity.holds(requirement, value) for value in _relevant(requirement, column.values)}
        if requirement.operator == "NotIn":
            found &= ~column.where(dict.fromkeys(requirement.values, True), absent=False)
        else:
            found &= column.where(wanted, absent=affinity.holds(requirement, None))
    for requirement in term.names:
        found &= _named(requirement, nodes)
    return found


def _relevant(requirement: Requirement, values: list[str]) -> list[str]:
    """Return the values that can hold: those that are named, or, where none is, every one."""
    return list(requirement.values) if requirement.operator == "In" else values


def _named(requirement: Requirement, nodes: Snapshot) -> Mask:
    """Return the nodes whose name is, or is not, among those of a field requirement."""
    if requirement.key != "metadata.name" or requirement.operator not in ("In", "NotIn"):
        return np.zeros(nodes.size, np.bool_)
    named = np.zeros(nodes.size, np.bool_)
    named[[nodes.rows[name] for name in requirement.values if name in nodes.rows]] = True
    return named if requirement.operator == "In" else ~named
