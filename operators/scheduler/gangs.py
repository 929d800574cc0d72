"""Places the pods of a group together or not at all. docs/decisions/0009-gangs.md has the reasons.

An extender has no stage at which a pod waits for others, but it decides alone. So it refuses each pod of a group until
kube-scheduler has asked about as many as are needed, and thus has nothing against any of them itself. With the one that
makes them enough the whole group is placed, on the snapshot: either there is room for the minimum, and all of it is
held from then on, or none is. That pod is let through. Its binding has kube-scheduler try the others again, and each is
let through to the node that is held for it. A group that waits holds nothing, so no two can wait for each other.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from operators.core.objects import Key
from operators.scheduler import metrics, placement
from operators.scheduler.gang import Count, can_come, choose, count, hold
from operators.scheduler.group import Group
from operators.scheduler.own import RuleError
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.rules import Rules
from operators.scheduler.snapshot import Snapshot

ASKED_FOR: Final = 30.0
"""Seconds for which a pod counts that was asked about. By then its condition says so, and that counts from then on."""
ELSEWHERE: Final = "the pod fits on none of the nodes that kube-scheduler has found, but on others: it will look again"
"""Said as an error, after which kube-scheduler tries the pod again within seconds, and evicts nobody meanwhile."""
_MANY: Final = 64


@dataclass(slots=True, eq=False)
class Held:
    """The room that is held for a group."""

    group: Group
    until: float
    pods: dict[str, Pod]
    """For whom there is room, and who was not let through yet."""


@dataclass(slots=True)
class Memory:
    """What earlier tries have shown about a group."""

    asked: dict[str, float] = field(default_factory=dict)
    """By pod, when it was last asked about."""
    nowhere: dict[str, int] = field(default_factory=dict)
    """By pod that was not asked about, for what state of the world it fits on no node."""
    failed: tuple[object, ...] | None = None
    """For what state of the world there was no room for the group."""
    barred: dict[str, frozenset[int]] = field(default_factory=dict)
    """By pod, the nodes that the rules allow and kube-scheduler does not, as its own plugins may say."""

    def keep(self, uids: set[str]) -> None:
        """Forget all pods but these."""
        found: Sequence[dict[str, Any]] = self.asked, self.nowhere, self.barred
        for known in found:
            for uid in known.keys() - uids:
                del known[uid]


class Gangs:
    """Which groups are being placed, on one snapshot."""

    def __init__(self, nodes: Snapshot, rules: Callable[[Pod], Rules], clock: Callable[[], float]) -> None:
        self._nodes, self._rules, self._clock = nodes, rules, clock
        self._held: dict[Key, Held] = {}
        self._by_pod: dict[str, Held] = {}
        self._memory: dict[Key, Memory] = {}
        self._resumed = -1

    @property
    def held(self) -> int:
        """For how many groups room is held."""
        return len(self._held)

    def admit(self, pod: Pod, group: Group, rows: Rows, *, in_part: bool = False) -> str | int | None:
        """Say to which row a pod goes, or why it goes nowhere, or None: it can be placed like any other.

        `rows` are the nodes that kube-scheduler asks about. With `in_part` others may be ones that it has not looked at
        yet, and not ones that it refuses. A pod that goes to a row is assumed there.
        """
        self._nodes.groups.expect(pod, self._clock())
        if group.problem:
            return group.problem
        if held := self._held.get(group.key):
            if self._goes_on(held, pod):
                return self._pass(held, pod, rows, in_part=in_part)
            self._give_up(held)
        self._nodes.forget(pod.uid)  # it was let through, and is not bound
        now = count(pod, group, self._nodes)
        is_there = self._nodes.placed(pod.uid) is not None  # kube-scheduler may hear of that later than we do
        if now.needed <= 1 or is_there:
            return None
        memory = self._remember(group.key)
        memory.keep({one.uid for one in now.waiting})
        memory.asked[pod.uid] = self._clock()
        self._bar(memory, pod, rows, in_part=in_part)
        opened = self._open(group, pod, now, memory)
        if isinstance(opened, str):
            return opened
        said = self._pass(opened, pod, rows, in_part=in_part)
        if isinstance(said, str):
            self._give_up(opened)
        else:
            metrics.gangs.labels("placed").inc()
        return said

    def resume(self, asked: Pod) -> None:
        """Before a decision, hold room for what is left of groups that another extender has begun to place.

        It has died, or its kube-scheduler leads no more. Those groups that matter less than the pod that is asked about
        are not put before it, but before the next one that they matter as much as.
        """
        begun = self._nodes.groups.begun_elsewhere
        if self._resumed == begun:
            return
        left = [
            one
            for one in self._nodes.groups.every_pod()
            if can_come(one, asked.scheduler) and self._nodes.placed(one.uid) is None
        ]
        known: set[Key] = set()
        for pod in sorted(left, key=lambda one: (-one.priority, one.key)):
            group = pod.group
            if group is None or group.key in known or group.key in self._held:
                continue
            known.add(group.key)
            now = count(pod, group, self._nodes)
            if not now.placed or now.needed <= 0:
                continue
            if pod.priority < asked.priority:
                return
            with contextlib.suppress(RuleError):  # the pods of the group are told so when they are asked about
                self._hold(group, now.waiting, now.needed, self._remember(group.key))
        self._resumed = begun

    def needs_others(self, pod: Pod) -> bool:
        """Whether a pod cannot be placed without others of its group."""
        group = pod.group
        return group is not None and (pod.uid in self._by_pod or count(pod, group, self._nodes).needed > 1)

    def leave(self, pod: Pod) -> None:
        """Take note that a pod is asked about; where its labels have changed, it is in another group, or in none."""
        held = self._by_pod.get(pod.uid)
        if held is not None and (pod.group is None or pod.group.key != held.group.key):
            self._let_go(held, pod.uid)

    def expire(self) -> None:
        """Give back the room of groups that have had it for too long, or whose pods are gone."""
        now, nodes = self._clock(), self._nodes
        for held in list(self._held.values()):
            is_late = now >= held.until
            if is_late or not any(nodes.is_held(uid) for uid in held.pods):
                self._give_up(held)
                if is_late:
                    metrics.gangs.labels("given_up").inc()

    def _goes_on(self, held: Held, pod: Pod) -> bool:
        """Whether a group that was being placed still has its minimum, or is on nodes already in part."""
        now = count(pod, held.group, self._nodes, held.pods)
        begun = any(one.node for one in self._nodes.groups.pods(held.group.key))
        return begun or now.placed + len(now.waiting) >= now.min_count

    def _open(self, group: Group, pod: Pod, now: Count, memory: Memory) -> Held | str:
        """Hold room for a whole group, or say why not."""
        name, minimum = group.name, now.min_count
        if len(now.waiting) < now.needed:
            return f"node(s) wait for group {name}: fewer than its {minimum} pods are there to be placed"
        come = self._come(now, memory)
        if len(come) < now.needed:
            return f"node(s) wait for group {name}: fewer than its {minimum} pods have a node that would do"
        state = self._nodes.version, minimum, frozenset((one.uid, memory.barred.get(one.uid)) for one in come)
        if memory.failed != state:
            fits_without = False
            for ordered in self._orders(come, pod, memory):
                held = self._hold(group, ordered, now.needed, memory)
                if held is not None and pod.uid in held.pods:
                    return held
                if held is not None:
                    fits_without = True
                    self._give_up(held)
            if not fits_without:
                memory.failed = self._nodes.version, *state[1:]
        return f"node(s) have no room for group {name}: fewer than its {minimum} pods fit at once"

    @staticmethod
    def _orders(come: Sequence[Pod], pod: Pod, memory: Memory) -> list[list[Pod]]:
        """Return in which orders to look for room: first for who may go to the fewest nodes; for who is asked about."""
        by_name = sorted(come, key=lambda one: (one is not pod, len(one.name), one.name))
        fewest_first = sorted(by_name, key=lambda one: -len(memory.barred.get(one.uid, ())))
        return [fewest_first, by_name] if fewest_first != by_name else [by_name]

    def _come(self, now: Count, memory: Memory) -> list[Pod]:
        """Return the pods of a group that kube-scheduler would place, the one that is asked about first.

        It does not ask about one that depends on others of its group, to be near them for instance: by the rules here
        such a pod fits nowhere either before they are placed, and it counts.
        """
        since = self._clock() - ASKED_FOR

        def was_asked(one: Pod) -> bool:
            return memory.asked.get(one.uid, since) > since or (one.group is not None and one.group.asked)

        come = [one for one in now.waiting if was_asked(one)]
        left = [one for one in now.waiting if not was_asked(one)]
        while left and len(come) < now.needed <= len(come) + len(left):
            one = left.pop()
            if self._fits_nowhere(memory, one):
                come.append(one)
        return come

    def _fits_nowhere(self, memory: Memory, pod: Pod) -> bool:
        nodes = self._nodes
        if memory.nowhere.get(pod.uid) == nodes.version:
            return True
        found = placement.fit(pod, nodes, self._rules(pod), np.flatnonzero(nodes.alive)).rows
        if len(found):
            return False
        memory.nowhere[pod.uid] = nodes.version
        return True

    def _hold(self, group: Group, pods: Sequence[Pod], needed: int, memory: Memory) -> Held | None:
        """Hold room for so many pods of a group as are needed, and for more if there is any; else for none."""
        found = hold(pods, needed, self._nodes, self._rules, lambda one: self._rows(memory, one))
        if len(found) < needed:
            for uid in found:
                self._nodes.forget(uid)
            return None
        timeout = max(one.group.timeout for one in pods if one.group)
        held = self._held[group.key] = Held(group, self._clock() + timeout, found)
        self._by_pod |= dict.fromkeys(found, held)
        return held

    def _pass(self, held: Held, pod: Pod, rows: Rows, *, in_part: bool) -> str | int:
        """Let a pod through to its node; to another one, where it cannot go there any more.

        A node that it is not asked about may be one that kube-scheduler will only find good once it knows where the
        others go, as for a spread constraint, or has not looked at. It stays held, if there is no other, and the pod is
        tried again soon: nobody else would do so when the time is up.
        """
        nodes, rules = self._nodes, self._rules(pod)
        placed = nodes.placed(pod.uid) if pod.uid in held.pods else None
        own = placed.row if placed else None
        with nodes.without([pod.uid]):
            is_good = own is not None and choose(pod, nodes, rules, np.array([own])) is not None
            row = own if is_good and own in rows else choose(pod, nodes, rules, rows)
            if row is None and is_good:
                self._bar(self._remember(held.group.key), pod, rows, in_part=in_part)
                return ELSEWHERE
        self._let_go(held, pod.uid)
        if row is None:
            return f"node(s) have no room for group {held.group.name}: this pod is one more than fit"
        nodes.assume(pod, nodes.names[row], self._clock())
        return row

    def _give_up(self, held: Held) -> None:
        for uid in list(held.pods):
            self._let_go(held, uid)

    def _let_go(self, held: Held, uid: str) -> None:
        """Hold room for a pod no longer."""
        held.pods.pop(uid, None)
        self._by_pod.pop(uid, None)
        self._nodes.forget(uid)
        if not held.pods:
            self._held.pop(held.group.key, None)

    def _remember(self, key: Key) -> Memory:
        """Return what is known about a group, and now and then forget those that are no more."""
        if key not in self._memory and len(self._memory) >= _MANY:
            self._memory = {one: memory for one, memory in self._memory.items() if self._nodes.groups.pods(one)}
        return self._memory.setdefault(key, Memory())

    def _bar(self, memory: Memory, pod: Pod, rows: Rows, *, in_part: bool) -> None:
        """Remember the nodes that would do, and that kube-scheduler has looked at and does not ask about."""
        nodes = self._nodes
        memory.barred.pop(pod.uid, None)
        if in_part:
            return
        others = np.setdiff1d(np.flatnonzero(nodes.alive), rows)
        barred = placement.fit(pod, nodes, self._rules(pod), others).rows.tolist() if len(others) else ()
        if barred:
            memory.barred[pod.uid] = frozenset(barred)

    def _rows(self, memory: Memory, pod: Pod) -> Rows:
        """Return the nodes that a pod may go to, as far as is known."""
        rows = np.flatnonzero(self._nodes.alive)
        barred = memory.barred.get(pod.uid)
        return np.setdiff1d(rows, list(barred)) if barred else rows
