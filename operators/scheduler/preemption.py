"""Which pods would have to go for another to fit on a node. Mirrors defaultpreemption's SelectVictimsOnNode.

All less important pods are thought away; if the pod fits then, they are let back one by one, those first whose eviction
would break a disruption budget, of these and of the others the most important first. Who does not fit beside the pod
is a victim. Which node it is to be, kube-scheduler chooses among what it is told here; it refuses all of it where one
victim is not on the node for it, as a pod is not for which room is only held.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from operators.core.selectors import Selector
from operators.scheduler import placement
from operators.scheduler.placed import Budget
from operators.scheduler.pod import Pod
from operators.scheduler.predicates import resources
from operators.scheduler.rules import Rules
from operators.scheduler.snapshot import Snapshot

ENOUGH: Final = 100
"""Nodes with victims after which no more are looked at, where other pods decide about each: upstream's least number."""
_OF_THE_NODE: Final = frozenset({"NodeName", "NodeUnschedulable", "TaintToleration", "NodeAffinity", "Profile"})
"""Predicates that evicting a pod changes nothing about."""
_OF_OTHER_PODS: Final = frozenset({"NodePorts", "PodTopologySpread", "InterPodAffinity"})
"""Predicates that have nothing to say about a pod, unless it or another says something about the pods around it."""

NOBODY: Final[Mapping[str, Iterable[str]]] = MappingProxyType({})

Fits: TypeAlias = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Victims:
    """The pods to evict from one node, the most important first, and how many of them a budget protects."""

    uids: Sequence[str]
    violations: int


def victims(
    pod: Pod, nodes: Snapshot, rules: Rules, names: Iterable[str], named: Mapping[str, Iterable[str]] = NOBODY
) -> dict[str, Victims]:
    """Return the victims on each node where evicting some helps, in the order of `names`.

    Those whom kube-scheduler has `named` go in any case: its plugins for volumes may want it, of which no rule knows.
    """
    fixed = Rules({name: rule for name, rule in rules.predicates.items() if name in _OF_THE_NODE}, {})
    asked = [nodes.rows[name] for name in names if nodes.rows.get(name) in nodes.nodes]
    possible = placement.fit(pod, nodes, fixed, np.array(asked, np.int64)).rows.tolist()
    found: dict[str, Victims] = {}
    alone = _is_alone(pod, nodes, rules)

    def has_room(row: int) -> bool:
        return _has_room(pod, nodes, row)

    def passes_all(row: int) -> bool:
        return bool(len(placement.fit(pod, nodes, rules, np.array([row])).rows))

    # What is nominated to a node has its room already; where all rules are asked, that is seen to with each question.
    with nodes.with_nominated(pod) if alone else nullcontext():
        for row in possible:
            name = nodes.names[row]
            chosen = _on_node(pod, nodes, row, has_room if alone else passes_all, frozenset(named.get(name, ())))
            if chosen is not None:
                found[name] = chosen
                if not alone and len(found) >= ENOUGH:
                    break
    return found


def _is_alone(pod: Pod, nodes: Snapshot, rules: Rules) -> bool:
    """Whether the room on a node is all that other pods decide."""
    others = rules.predicates.keys() - _OF_THE_NODE - {"NodeResourcesFit"}
    if others - _OF_OTHER_PODS or "NodeResourcesFit" not in rules.predicates:
        return False
    if pod.ports or pod.affinity or pod.anti_affinity or any(constraint.hard for constraint in pod.spread):
        return False
    return not any(True for _ in nodes.anti_affinity.about(pod, nodes.namespaces.get(pod.namespace, {})))


def _has_room(pod: Pod, nodes: Snapshot, row: int) -> bool:
    """Whether NodeResourcesFit lets a pod on one node."""
    if nodes.pods_on[row] + 1 > nodes.allocatable["pods"][row]:
        return False
    return all(
        amount <= nodes.allocatable[name][row] - nodes.requested[name][row]
        or (not nodes.allocatable[name][row] and nodes.is_of_devices(name))
        for name, amount in pod.requests.items()
        if amount and resources.is_counted(name)
    )


def _on_node(pod: Pod, nodes: Snapshot, row: int, fits: Fits, named: frozenset[str]) -> Victims | None:
    less = [other for other in nodes.pods_of(row) if other.priority < pod.priority and not nodes.is_held(other.uid)]
    if not less:
        return None
    less.sort(key=_importance)
    budgets = {
        namespace: nodes.budgets[namespace] for namespace in {other.namespace for other in less} & nodes.budgets.keys()
    }
    left = {(namespace, name): one.allowed for namespace, named in budgets.items() for name, one in named.items()}
    protected = [other for other in less if _violates(other, budgets.get(other.namespace, {}), left)]
    evicted = []
    with nodes.without(other.uid for other in less) as away:
        if not fits(row):
            return None
        for other in (*protected, *(one for one in less if one not in protected)):
            if other.uid not in named:
                away.bring_back(other.uid)
                if fits(row):
                    continue
                away.send_off(other.uid)
            evicted.append(other)
    if not evicted:
        return None
    evicted.sort(key=_importance)
    return Victims([other.uid for other in evicted], sum(other in protected for other in evicted))


def _importance(pod: Pod) -> tuple[int, str]:
    """Order by descending priority, then by who has run for longer; who has not started comes last."""
    return -pod.priority, pod.started or "~"


def _violates(pod: Pod, budgets: Mapping[str, Budget], left: dict[tuple[str, str], int]) -> bool:
    """Count an eviction against the budgets that protect the pod; whether one has nothing left."""
    if not pod.labels:
        return False
    for name, budget in budgets.items():
        if pod.name in budget.disrupted or not _protects(budget.selector, pod):
            continue
        left[pod.namespace, name] -= 1
        if left[pod.namespace, name] < 0:
            return True
    return False


def _protects(selector: Selector | None, pod: Pod) -> bool:
    """Whether a budget is about a pod; one without a selector, or with an empty one, is about none."""
    return selector is not None and not selector.is_empty and selector.matches(pod.labels)
