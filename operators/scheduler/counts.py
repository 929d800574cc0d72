"""How many pods on each node a selector finds, and how many carry a term about other pods: kept, not counted anew.

Pods of one namespace with the same labels are one group. A selector that has been asked about is matched once with each
group, and from then on a pod's arrival or end is one addition for each of the selectors that match its group.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from operators.core.selectors import Selector
from operators.scheduler.affinity import PodTerm
from operators.scheduler.columns import Ints, grown
from operators.scheduler.pod import Pod

_KEPT: Final = 512
"""Selectors that are kept up to date; the one that was not asked for the longest makes room."""

GroupKey: TypeAlias = tuple[frozenset[tuple[str, str]], bool]
WEIGHTS_OF_REQUIRED: Final = 1
"""What an existing pod's required affinity counts for in scores (HardPodAffinityWeight)."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which pods to count: those that each of the (namespaces, selector) pairs finds."""

    parts: tuple[tuple[frozenset[str], Selector], ...]
    terminating: bool
    """Whether pods that are being deleted count."""

    def matches(self, namespace: str, group: "_Group") -> bool:
        """Whether the pods of a group count."""
        if group.terminating and not self.terminating:
            return False
        return all(namespace in namespaces and selector.matches(group.labels) for namespaces, selector in self.parts)


@dataclass(slots=True, eq=False)
class _Answer:
    counts: Ints


@dataclass(slots=True)
class _Group:
    labels: Mapping[str, str]
    terminating: bool
    rows: dict[int, int] = field(default_factory=dict)
    answers: list[_Answer] = field(default_factory=list)


class Counts:
    """The counts of pods by node."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._groups: defaultdict[str, dict[GroupKey, _Group]] = defaultdict(dict)
        self._answers: OrderedDict[Question, _Answer] = OrderedDict()

    def add(self, pod: Pod, row: int, sign: int) -> None:
        """Count a pod on a node, or count it no longer."""
        group = self._group(pod)
        left = group.rows.get(row, 0) + sign
        if left:
            group.rows[row] = left
        else:
            group.rows.pop(row, None)
        for answer in group.answers:
            answer.counts[row] += sign
        if not group.rows:
            del self._groups[pod.namespace][_key(pod)]

    def ask(self, question: Question) -> Ints:
        """Return the count on every node. The array is the one that is kept: not to be changed."""
        answer = self._answers.get(question)
        if answer is None:
            answer = self._answers[question] = self._count(question)
            if len(self._answers) > _KEPT:
                self._forget()
        else:
            self._answers.move_to_end(question)
        return answer.counts

    def grow(self, size: int) -> None:
        """Make room for that many rows."""
        self._size = size
        for answer in self._answers.values():
            answer.counts = grown(answer.counts, size, 0)

    def _group(self, pod: Pod) -> _Group:
        groups, key = self._groups[pod.namespace], _key(pod)
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(pod.labels, pod.terminating)
            group.answers = [a for question, a in self._answers.items() if question.matches(pod.namespace, group)]
        return group

    def _count(self, question: Question) -> _Answer:
        answer = _Answer(np.zeros(self._size, np.int64))
        namespaces = frozenset.intersection(*(namespaces for namespaces, _ in question.parts))
        for namespace in namespaces & self._groups.keys():
            for group in self._groups[namespace].values():
                if question.matches(namespace, group):
                    group.answers.append(answer)
                    for row, count in group.rows.items():
                        answer.counts[row] += count
        return answer

    def _forget(self) -> None:
        _, oldest = self._answers.popitem(last=False)
        for groups in self._groups.values():
            for group in groups.values():
                if oldest in group.answers:
                    group.answers.remove(oldest)


def _key(pod: Pod) -> GroupKey:
    return frozenset(pod.labels.items()), pod.terminating


@dataclass(slots=True, eq=False)
class Carried:
    """A term about other pods, the pods on each node that carry it, and what it counts for in scores."""

    term: PodTerm
    weight: int
    counts: Ints
    pods: int = 0


class Terms:
    """The terms that placed pods carry: each distinct one once, found by a label that its selector asks for."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._carried: dict[tuple[PodTerm, int], Carried] = {}
        self._by_label: defaultdict[tuple[str, str] | None, dict[tuple[PodTerm, int], Carried]] = defaultdict(dict)

    def add(self, term: PodTerm, weight: int, row: int, sign: int) -> None:
        """Count a pod that carries a term, or count it no longer."""
        key, label = (term, weight), _label(term)
        carried = self._carried.get(key)
        if carried is None:
            carried = self._carried[key] = Carried(term, weight, np.zeros(self._size, np.int64))
            self._by_label[label][key] = carried
        carried.counts[row] += sign
        carried.pods += sign
        if not carried.pods:
            del self._carried[key], self._by_label[label][key]

    def about(self, pod: Pod, namespace_labels: Mapping[str, str]) -> Iterator[Carried]:
        """Yield those that are about a pod."""
        if not self._carried:
            return
        for label in (None, *pod.labels.items()):
            for carried in self._by_label.get(label, {}).values():
                if carried.term.matches(pod.namespace, pod.labels, namespace_labels):
                    yield carried

    def grow(self, size: int) -> None:
        """Make room for that many rows."""
        self._size = size
        for carried in self._carried.values():
            carried.counts = grown(carried.counts, size, 0)


def _label(term: PodTerm) -> tuple[str, str] | None:
    return term.selector.equal[0] if term.selector.equal else None
