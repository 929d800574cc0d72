"""The cluster as the rules see it, in arrays with an entry for each node, changed by one event in constant time.

What has just been placed is assumed: it counts as if its pod ran already, until the watch says so, the pod is gone, or
a time limit has passed. A node that is gone keeps its row while pods are still said to be on it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from operators.core import selectors
from operators.core.selectors import Selector
from operators.scheduler.affinity import PodTerm
from operators.scheduler.assumed import Assumed
from operators.scheduler.columns import Coded, Ints, Labels, Mask, Resources, grown
from operators.scheduler.counts import WEIGHTS_OF_REQUIRED, Counts, Question, Terms
from operators.scheduler.group import Groups
from operators.scheduler.images import Images
from operators.scheduler.node import Node, Taint
from operators.scheduler.placed import Away, Budget, Placed
from operators.scheduler.pod import Pod
from operators.scheduler.ports import Ports

_ROWS: Final = 64
_LABELS: Final = 256
"""Labels whose columns are kept up to date."""


class Snapshot:
    """The nodes and what runs on them. Not for several threads."""

    def __init__(self) -> None:
        self.size = _ROWS
        self.alive: Mask = np.zeros(_ROWS, np.bool_)
        self.unschedulable: Mask = np.zeros(_ROWS, np.bool_)
        self.allocatable, self.requested = Resources(_ROWS), Resources(_ROWS)
        self.scored_cpu: Ints = np.zeros(_ROWS, np.int64)
        self.scored_memory: Ints = np.zeros(_ROWS, np.int64)
        self.pods_on: Ints = np.zeros(_ROWS, np.int64)
        self.taints = Coded[tuple[Taint, ...]](_ROWS)
        self.counts = Counts(_ROWS)
        self.anti_affinity, self.scored_terms = Terms(_ROWS), Terms(_ROWS)
        self.images, self.ports = Images(), Ports()
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self.nominated: dict[str, Pod] = {}
        self.rows: dict[str, int] = {}
        self.names: list[str] = [""] * _ROWS
        self.nodes: dict[int, Node] = {}
        self.groups = Groups()
        self.expired = 0
        self.version = 0
        """Another one whenever anything has changed that decides where a pod fits."""
        self._labels: dict[str, Labels] = {}
        self._free = list(range(_ROWS - 1, -1, -1))
        self.services: defaultdict[str, dict[str, Mapping[str, str]]] = defaultdict(dict)
        """By namespace and name, the selectors of Services that have one."""
        self.owners: dict[tuple[str, str, str, str], Selector] = {}
        """By apiVersion, kind, namespace and name, the selectors of built-in owners whose pods spread by default."""
        self.budgets: defaultdict[str, dict[str, Budget]] = defaultdict(dict)
        """By namespace and name."""
        self.device_classes: dict[str, frozenset[str]] = {}
        """By name, the extended resources that stand for devices of the class."""
        self._placed: dict[str, Placed] = {}
        """By UID: of two pods of one name the older may be still told of when the newer is placed already."""
        self._on: defaultdict[int, dict[str, Pod]] = defaultdict(dict)
        self._assumed = Assumed()

    # Nodes.

    def put_node(self, node: Node) -> None:
        """Add a node or bring it up to date."""
        self.version += 1
        row = self._row(node.name)
        old = self.nodes.get(row)
        self.nodes[row], self.alive[row] = node, True
        self.unschedulable[row] = node.unschedulable
        self.taints.set(row, node.taints)
        self.allocatable.replace(row, node.allocatable)
        self.images.put(row, old.images if old else {}, node.images)
        for key, column in self._labels.items():
            column.set(row, node.labels.get(key))

    def remove_node(self, name: str) -> None:
        """Forget a node."""
        row = self.rows.get(name)
        if row is None or row not in self.nodes:
            return
        self.version += 1
        self.images.put(row, self.nodes.pop(row).images, {})
        self.alive[row] = False
        self.allocatable.replace(row, {})
        self.taints.set(row, None)
        for column in self._labels.values():
            column.set(row, None)
        self._release(row)

    def label(self, key: str) -> Labels:
        """Return the column of a label: to be asked for anew with each decision."""
        column = self._labels.pop(key, None)
        if column is None:
            column = Labels(self.size)
            for row, node in self.nodes.items():
                column.set(row, node.labels.get(key))
            if len(self._labels) >= _LABELS:
                del self._labels[next(iter(self._labels))]
        self._labels[key] = column  # as the last: the first is the one that was not asked for the longest
        return column

    def is_of_devices(self, resource: str) -> bool:
        """Whether a resource stands for devices, which are claimed where no node says that it has it."""
        return any(resource in resources for resources in self.device_classes.values())

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    # Pods.

    def put_pod(self, pod: Pod) -> None:
        """Take note of what the watch says about a pod."""
        self._nominate_no_more(pod.uid)
        if pod.ended:
            self.remove_pod(pod.uid)
            return
        self.groups.put(pod)
        if pod.node:
            if not self._assumed.pop(pod.uid) and pod.uid not in self._placed and pod.group is not None:
                self.groups.begun_elsewhere += 1
            self._place(pod)
        elif pod.nominated:
            self.nominated[pod.uid] = pod
            self.version += 1

    def remove_pod(self, uid: str) -> None:
        """Forget a pod."""
        self._nominate_no_more(uid)
        self.groups.remove(uid)
        self._assumed.pop(uid)
        self._take_off(uid)

    def assume(self, pod: Pod, node: str, now: float) -> None:
        """Count a pod as running on a node from now on, unless the watch has seen it on one already."""
        if not self._is_seen(pod.uid):
            self._assumed.add(pod.uid, now)
            self._place(replace(pod, node=node))

    def hold(self, pod: Pod, node: str) -> None:
        """Count a pod as running on a node until it is forgotten, bound or seen there: it has no time limit."""
        if not self._is_seen(pod.uid):
            self._assumed.hold(pod.uid)
            self._place(replace(pod, node=node))

    def bound(self, uid: str, now: float) -> None:
        """Take note that the apiserver has bound a pod that is assumed."""
        self._assumed.bound(uid, now)

    def forget(self, uid: str) -> None:
        """Take back what was assumed about a pod, if anything was and the watch has not confirmed it."""
        if self._assumed.pop(uid):
            self._take_off(uid)

    def expire(self, now: float) -> None:
        """Take back what was assumed too long ago."""
        for uid in self._assumed.expire(now):
            self._take_off(uid)
            self.expired += 1

    @property
    def assumed_count(self) -> int:
        """How many pods are assumed."""
        return len(self._assumed)

    @property
    def pod_count(self) -> int:
        """How many pods are on nodes, those that are assumed included."""
        return len(self._placed)

    def is_assumed(self, uid: str) -> bool:
        """Whether the watch has yet to say that a pod is where it counts."""
        return uid in self._assumed

    def is_held(self, uid: str) -> bool:
        """Whether room is held for a pod that is not bound yet."""
        return self._assumed.is_held(uid)

    def placed(self, uid: str) -> Placed | None:
        """Return where a pod is or is assumed to be."""
        return self._placed.get(uid)

    def pods_of(self, row: int) -> list[Pod]:
        """Return the pods that are, or are assumed to be, on a node."""
        return list(self._on[row].values()) if row in self._on else []

    @contextmanager
    def without(self, uids: Iterable[str]) -> Iterator[Away]:
        """Look at the cluster as if these pods were gone, as long as they are not brought back."""
        gone = {uid: self._placed[uid] for uid in uids if uid in self._placed}
        away = Away(gone, self._count)
        try:
            for uid in gone:
                away.send_off(uid)
            yield away
        finally:
            for uid in gone:
                away.bring_back(uid)

    @contextmanager
    def with_nominated(self, pod: Pod) -> Iterator[bool]:
        """Look at the cluster as if what is nominated and no less important than the pod ran already.

        Gives whether there is anything of the kind. Upstream adds, node by node, only what is nominated to that node:
        where nodes matter to each other, as to a spread constraint, it sees a little less. To ask about each node by
        itself would cost a decision for each.
        """
        more = [
            (other, self.rows[other.nominated])
            for other in self.nominated.values()
            if other.uid != pod.uid
            and other.priority >= pod.priority
            and other.nominated in self.rows
            and other.uid not in self._placed
        ]
        for other, row in more:
            self._count(other, row, 1)
        try:
            yield bool(more)
        finally:
            for other, row in more:
                self._count(other, row, -1)

    def default_selector(self, pod: Pod) -> Selector:
        """Return what the Services and the owner of a pod select, all of it together; empty where nobody does."""
        labels: dict[str, str] = {}
        for selector in self.services.get(pod.namespace, {}).values():
            if selector.items() <= pod.labels.items():
                labels |= selector
        owner = pod.owner
        owned = self.owners.get((owner.api_version, owner.kind, pod.namespace, owner.name)) if owner else None
        own = selectors.parse({"matchLabels": labels})
        if owned is None:
            return own
        equal = tuple(dict.fromkeys((*own.equal, *owned.equal)))
        return Selector(tuple(dict.fromkeys((*own.requirements, *owned.requirements))), equal)

    def namespaces_of(self, term: PodTerm) -> frozenset[str]:
        """Return the namespaces that a term is about."""
        selector = term.namespace_selector
        found = [name for name, labels in self.namespaces.items() if selector.matches(labels)]
        return term.namespaces | frozenset(found) if found else term.namespaces

    def count(self, namespace: str, selector: Selector) -> Ints:
        """Return how many pods of a namespace each node has that the selector finds and that are not being deleted."""
        return self.counts.ask(Question(((frozenset((namespace,)), selector),), terminating=False))

    def count_terms(self, terms: Iterable[PodTerm]) -> Ints:
        """Return how many pods each node has that every one of the terms is about."""
        parts = tuple((self.namespaces_of(term), term.selector) for term in terms)
        return self.counts.ask(Question(parts, terminating=True))

    def _nominate_no_more(self, uid: str) -> None:
        if self.nominated.pop(uid, None) is not None:
            self.version += 1

    def _is_seen(self, uid: str) -> bool:
        """Whether the watch has told on which node a pod is: kube-scheduler may hear of that later than we do."""
        return uid in self._placed and uid not in self._assumed

    def _place(self, pod: Pod) -> None:
        self._take_off(pod.uid)
        self.version += 1
        row = self._row(pod.node)
        self._placed[pod.uid] = Placed(pod, row)
        self._on[row][pod.uid] = pod
        self._count(pod, row, 1)

    def _take_off(self, uid: str) -> None:
        placed = self._placed.pop(uid, None)
        if placed is not None:
            self.version += 1
            del self._on[placed.row][uid]
            self._count(placed.pod, placed.row, -1)
            self._release(placed.row)

    def _count(self, pod: Pod, row: int, sign: int) -> None:
        self.requested.add(row, pod.requests, sign)
        self.scored_cpu[row] += sign * pod.scored_cpu
        self.scored_memory[row] += sign * pod.scored_memory
        self.pods_on[row] += sign
        self.counts.add(pod, row, sign)
        if pod.ports:
            (self.ports.take if sign > 0 else self.ports.free)(pod.ports, row)
        if pod.has_terms:
            self._count_terms(pod, row, sign)

    def _count_terms(self, pod: Pod, row: int, sign: int) -> None:
        for term in pod.anti_affinity:
            self.anti_affinity.add(term, 0, row, sign)
        for term in pod.affinity:
            self.scored_terms.add(term, WEIGHTS_OF_REQUIRED, row, sign)
        for term in pod.preferred:
            self.scored_terms.add(term, term.weight, row, sign)
        for term in pod.preferred_anti:
            self.scored_terms.add(term, -term.weight, row, sign)

    # Rows.

    def _row(self, name: str) -> int:
        row = self.rows.get(name)
        if row is None:
            if not self._free:
                self._grow()
            row = self.rows[name] = self._free.pop()
            self.names[row] = name
        return row

    def _release(self, row: int) -> None:
        """Make a row free that no node and no pod is on."""
        if row not in self.nodes and not self.pods_on[row]:
            del self.rows[self.names[row]]
            self._on.pop(row, None)
            self.names[row] = ""
            self._free.append(row)

    def _grow(self) -> None:
        """Double the room: rarely, and so in constant time on average."""
        old, self.size = self.size, self.size * 2
        self.alive, self.unschedulable = (grown(mask, self.size, 0) for mask in (self.alive, self.unschedulable))
        self.scored_cpu, self.scored_memory, self.pods_on = (
            grown(column, self.size, 0) for column in (self.scored_cpu, self.scored_memory, self.pods_on)
        )
        counted = (self.counts, self.anti_affinity, self.scored_terms)
        for part in (self.taints, self.allocatable, self.requested, *counted):
            part.grow(self.size)
        for column in self._labels.values():
            column.grow(self.size)
        self.names += [""] * old
        self._free = list(range(self.size - 1, old - 1, -1))
