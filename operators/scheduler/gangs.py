"""Places the pods of a group together or not at all. docs/decisions/0009-gangs.md has the reasons.

An extender has no stage at which a pod waits for others, but it decides alone, and it binds. So the first pod of a
group that is asked about while enough of them exist has the whole group placed, on the snapshot: either there is room
for the minimum, and all of it is held from then on, or none is. Each pod is let through to the node that is held for
it, and none is bound before so many as are needed have come to be bound: then all are. After a time limit the room is
given back. No group ever holds room for a part of its minimum, so no two of them can wait for each other.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

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

GRACE: Final = 5.0
"""Seconds beyond its time limit for which a group keeps its room, so that a pod of it is told, which wakes others."""
PATIENCE: Final = 25.0
"""Seconds for which the binding of a pod may wait before it is answered: kube-scheduler waits a little longer."""
CALL_AFTER: Final = 1.0
"""Seconds after which the first pod that waits is sent back, if others were not asked about: that wakes them."""


_MANY: Final = 64


@dataclass(slots=True, eq=False)
class Held:
    """The room that is held for a group."""

    group: Group
    min_count: int
    timeout: int
    until: float
    pods: dict[str, Pod]
    """For whom there is room, and who is not bound yet."""
    passed: set[str] = field(default_factory=set)
    """Those that were let through to their node."""
    arrived: set[str] = field(default_factory=set)
    """Those that have come to be bound."""
    is_open: bool = False
    """Whether enough have come. From then on each is bound when it comes."""
    called: bool = False
    decided: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Memory:
    """What earlier tries have shown about a group."""

    failed: tuple[object, ...] | None = None
    """For what state of the world there was no room for it."""
    barred: dict[str, frozenset[int]] = field(default_factory=dict)
    """By pod, the nodes that the rules allow and kube-scheduler does not, as its own plugins may say."""
    rests_until: float = 0.0
    """After it was given up: until when nobody tries again, but for a pod that had not come."""
    came: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wait:
    """What a binding waits for, and for how many seconds at most."""

    decided: asyncio.Event
    seconds: float


_LOST: Final = Wait(asyncio.Event(), 0.0)
"""Of a pod that comes to be bound where there is no place for it, or not any more."""


class Gangs:
    """Which groups are being placed, on one snapshot.

    With `in_part` nodes that are not asked about may be ones that kube-scheduler has not looked at yet, and not ones
    that it refuses.
    """

    def __init__(
        self, nodes: Snapshot, rules: Callable[[Pod], Rules], clock: Callable[[], float], *, in_part: bool = False
    ) -> None:
        self._nodes, self._rules, self._clock, self._in_part = nodes, rules, clock, in_part
        self._held: dict[Key, Held] = {}
        self._by_pod: dict[str, Held] = {}
        self._memory: dict[Key, Memory] = {}
        self._resumed = -1

    @property
    def held(self) -> int:
        """For how many groups room is held."""
        return len(self._held)

    def admit(self, pod: Pod, group: Group, rows: Rows) -> str | int | None:
        """Say to which row a pod goes, or why it goes nowhere, or None: it can be placed like any other.

        `rows` are the nodes that kube-scheduler asks about.
        """
        self._nodes.groups.expect(pod, self._clock())
        held = self._held.get(group.key)
        if held is not None and self._is_over(held):
            self._give_up(held)
            held = None
        if group.problem:
            return group.problem
        if held is None:
            now = count(pod, group, self._nodes)
            if now.needed <= 1:
                return None
            memory = self._remember(group.key)
            self._bar(memory, pod, rows)
            said = self._start(group, pod, now, memory)
            if said:
                return said
            held = self._held[group.key]
        return self._pass(held, pod, rows)

    def resume(self, asked: Pod) -> None:
        """Before a decision, hold room for what is left of groups that another extender has begun to bind.

        It has died, or its kube-scheduler leads no more. Those groups that matter less than the pod that is asked about
        are not put before it.
        """
        if self._resumed == self._nodes.groups.begun_elsewhere:
            return
        self._resumed = self._nodes.groups.begun_elsewhere
        left = [
            one
            for one in self._nodes.groups.every_pod()
            if can_come(one, asked.scheduler) and self._nodes.placed(one.uid) is None and one.priority >= asked.priority
        ]
        for pod in sorted(left, key=lambda one: (-one.priority, one.key)):
            group = pod.group
            if group is None or group.problem or group.key in self._held:
                continue
            now = count(pod, group, self._nodes)
            if now.placed and now.needed > 0:
                with contextlib.suppress(RuleError):  # the pods of the group are told so when they are asked about
                    self._start(group, pod, now, self._remember(group.key))

    def needs_others(self, pod: Pod) -> bool:
        """Whether a pod cannot be placed without others of its group."""
        group = pod.group
        return group is not None and (pod.uid in self._by_pod or count(pod, group, self._nodes).needed > 1)

    def arrive(self, uid: str, node: str) -> Wait | None:
        """Take note that a pod has come to be bound to a node; what it has to wait for, if anything."""
        held, nodes = self._by_pod.get(uid), self._nodes
        if held is None and nodes.groups.key(uid) is None:
            return None
        place = nodes.placed(uid)
        if place is None or nodes.names[place.row] != node:
            return _LOST
        if held is None or held.is_open:
            return None
        held.arrived.add(uid)
        if self._come(held) >= held.min_count:
            held.is_open = True
            held.decided.set()
            metrics.gangs.labels("placed").inc()
            return None
        left = min(held.until - self._clock(), PATIENCE if held.called else CALL_AFTER)
        return Wait(held.decided, max(0.0, left))

    def why_not(self, uid: str, wait: Wait) -> str | None:
        """Say after the wait why a pod cannot be bound; empty where it can, None where it waits on."""
        held = self._by_pod.get(uid)
        if held is None or wait is _LOST:
            return "the room for its group was given back"
        if held.is_open:
            return ""
        come = self._come(held)
        said = f"group {held.group.name}: {come} of {held.min_count} pods are placed or have come to be bound"
        if held.until <= self._clock():
            self._give_up(held)
            return f"{said}, the others did not within {held.timeout} s, and the room for them was given back"
        if not held.called:
            held.called = True
            if len(held.passed) >= len(held.pods):
                return None
        return f"{said}; the others are called"

    def keeps(self, uid: str) -> bool:
        """Whether room stays held for a pod that could not be bound: others of its group are, and it is tried again."""
        return uid in self._by_pod

    def done(self, uid: str) -> None:
        """Take note that a pod is bound: no room is held for it any more."""
        held = self._by_pod.pop(uid, None)
        if held is not None:
            held.pods.pop(uid, None)
            if not held.pods:
                del self._held[held.group.key]

    def leave(self, pod: Pod) -> None:
        """Take note that a pod is asked about; where its labels have changed, it is in another group, or in none."""
        held = self._by_pod.get(pod.uid)
        if held is not None and (pod.group is None or pod.group.key != held.group.key):
            self._let_go(held, pod.uid)

    def expire(self) -> None:
        """Give back the room of groups that have had it for too long, or whose pods are gone."""
        for held in [one for one in self._held.values() if self._is_over(one)]:
            self._give_up(held)

    def _is_over(self, held: Held) -> bool:
        return self._clock() >= held.until + GRACE or not any(True for _ in self._present(held))

    def _come(self, held: Held) -> int:
        """Return how many pods of a group are placed, or wait to be bound."""
        held_for = set(self._present(held))
        placed = sum(
            one.uid not in held_for and not one.terminating and self._nodes.placed(one.uid) is not None
            for one in self._nodes.groups.pods(held.group.key)
        )
        return placed + len(held.arrived & held_for)

    def _start(self, group: Group, pod: Pod, now: Count, memory: Memory) -> str:
        """Hold room for a whole group, or say why not."""
        if len(now.waiting) < now.needed:
            return f"node(s) wait for group {group.name}: fewer than its {now.min_count} pods are there to be placed"
        if pod.uid in memory.came and self._clock() < memory.rests_until:
            return f"node(s) wait for group {group.name}: not all of its {now.min_count} pods came in time"
        none = f"node(s) have no room for group {group.name}: fewer than its {now.min_count} pods fit at once"
        ordered = [pod, *sorted(now.waiting[1:], key=lambda one: (len(one.name), one.name))]
        state = frozenset((one.uid, memory.barred.get(one.uid)) for one in ordered)
        if memory.failed == (self._nodes.version, now.min_count, state):
            return none
        found = hold(ordered, now.needed, self._nodes, self._rules, lambda one: self._rows(memory, one))
        if len(found) < now.needed or pod.uid not in found:
            for uid in found:
                self._nodes.forget(uid)
            memory.failed = (self._nodes.version, now.min_count, state) if len(found) < now.needed else None
            return none
        timeout = max(one.group.timeout for one in now.waiting if one.group)
        held = self._held[group.key] = Held(group, now.min_count, timeout, self._clock() + timeout, found)
        self._by_pod |= dict.fromkeys(found, held)
        return ""

    def _pass(self, held: Held, pod: Pod, rows: Rows) -> str | int:
        """Let a pod through to its node; to another one, where it cannot go there any more.

        A node that it is not asked about may be one that kube-scheduler will only find good once it knows where the
        others go, as for a spread constraint, or has not looked at. It stays held, if there is no other.
        """
        nodes, rules = self._nodes, self._rules(pod)
        own = self._row_of(pod.uid) if pod.uid in held.pods else None
        with nodes.without([pod.uid]):
            is_good = own is not None and choose(pod, nodes, rules, np.array([own])) is not None
            row = own if is_good and own in rows else choose(pod, nodes, rules, rows)
        if row is None:
            self._bar(self._remember(held.group.key), pod, rows)
            if is_good:
                return f"node(s) are not the one that is held for a pod of group {held.group.name}"
            self._let_go(held, pod.uid)
            return self._leave_out(held, pod)
        if row != own:
            self._let_go(held, pod.uid)
            nodes.hold(pod, nodes.names[row])
            held.pods[pod.uid], self._by_pod[pod.uid] = pod, held
        held.passed.add(pod.uid)
        return row

    def _leave_out(self, held: Held, pod: Pod) -> str:
        """Refuse a pod for which there is no room beside its group's; without it the group may be too small."""
        left = count(pod, held.group, self._nodes, held.pods)
        if not held.is_open and sum(1 for _ in self._present(held)) < held.min_count - left.placed:
            self._give_up(held)
        return f"node(s) have no room for one more pod of group {held.group.name}"

    def _give_up(self, held: Held) -> None:
        """Give back what is held. After the time limit those that came do not try again for as long."""
        for uid in held.pods:
            self._by_pod.pop(uid, None)
            self._nodes.forget(uid)
        self._held.pop(held.group.key, None)
        held.decided.set()
        if held.is_open or not held.passed:
            return
        if self._clock() >= held.until:
            memory = self._remember(held.group.key)
            memory.rests_until, memory.came = self._clock() + held.timeout, frozenset(held.passed)
        metrics.gangs.labels("given_up").inc()

    def _let_go(self, held: Held, uid: str) -> None:
        if held.pods.pop(uid, None) is not None:
            self._by_pod.pop(uid, None)
            self._nodes.forget(uid)
        held.passed.discard(uid)
        held.arrived.discard(uid)

    def _present(self, held: Held) -> Iterator[str]:
        """Yield the pods that are still there to take the room that is held for them."""
        return (uid for uid in held.pods if self._nodes.is_assumed(uid))

    def _row_of(self, uid: str) -> int | None:
        placed = self._nodes.placed(uid)
        return placed.row if placed else None

    def _remember(self, key: Key) -> Memory:
        """Return what is known about a group, and now and then forget those that are no more."""
        if key not in self._memory and len(self._memory) >= _MANY:
            self._memory = {one: memory for one, memory in self._memory.items() if self._nodes.groups.pods(one)}
        return self._memory.setdefault(key, Memory())

    def _bar(self, memory: Memory, pod: Pod, rows: Rows) -> None:
        """Remember the nodes that would do, and that kube-scheduler does not ask about."""
        nodes = self._nodes
        if self._in_part:
            return
        others = np.setdiff1d(np.flatnonzero(nodes.alive), rows)
        barred = placement.fit(pod, nodes, self._rules(pod), others).rows.tolist() if len(others) else ()
        memory.barred.pop(pod.uid, None)
        if barred:
            memory.barred[pod.uid] = frozenset(barred)

    def _rows(self, memory: Memory, pod: Pod) -> Rows:
        """Return the nodes that a pod may go to, as far as is known."""
        rows = np.flatnonzero(self._nodes.alive)
        barred = memory.barred.get(pod.uid)
        return np.setdiff1d(rows, list(barred)) if barred else rows
