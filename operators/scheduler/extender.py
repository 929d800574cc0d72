"""The four verbs that kube-scheduler asks, on decoded arguments; it knows no HTTP.

`filter` decides: it answers with the one best node and assumes the pod there at once, before kube-scheduler asks about
the next pod. What is asked for afterwards cannot change the choice any more, so that two pods never take the same room;
kube-scheduler does not ask for scores where one node is left. With `decides=False` it answers with every node that fits
and scores them when asked, and assumes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np

from operators.core.objects import Obj
from operators.scheduler import explaining, placement, preemption
from operators.scheduler.gangs import ELSEWHERE, Gangs
from operators.scheduler.placement import Fit, Scores
from operators.scheduler.pod import Pod
from operators.scheduler.preemption import NOBODY, Victims
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.rules import Rules
from operators.scheduler.snapshot import Snapshot

_REMEMBERED: Final = 200
"""Preemptors whose victims are remembered. Of those before nobody knows whether they still wait."""
_LOOKED_FOR: Final = 100
"""Nodes that kube-scheduler finds at least before it stops to look for more: of fewer it has refused all others."""
UNKNOWN = "node(s) were not known to the extender"


@dataclass(frozen=True, slots=True)
class Answer:
    """What `filter` says: nodes that fit, and why others do not."""

    nodes: Sequence[str]
    failed: Mapping[str, str]
    unresolvable: Mapping[str, str]
    error: str = ""
    """Why to try again soon, and to evict nobody meanwhile."""


class Extender:
    """The verbs on one snapshot."""

    def __init__(
        self,
        nodes: Snapshot,
        rules: Callable[[Pod], Rules],
        clock: Callable[[], float],
        *,
        decides: bool = True,
        in_part: bool = False,
    ) -> None:
        """With `in_part` nodes that it is not asked about may be ones that nobody has looked at yet."""
        self.nodes = nodes
        self.gangs = Gangs(nodes, rules, clock)
        self._rules = rules
        self._clock = clock
        self._decides = decides
        self._in_part = in_part
        self._victims: dict[str, dict[str, Victims]] = {}
        """By preemptor's UID and node, who was named to be evicted, until the preemptor is placed."""

    def filter(self, pod: Pod, names: Sequence[str] | None) -> Answer:
        """Say where the pod goes of these nodes, or of all, or why nowhere. The place assumed for it counts as free."""
        nodes, now = self.nodes, self._clock()
        nodes.expire(now)
        self.gangs.resume(pod)
        if self.gangs.held:
            self.gangs.expire()
            self.gangs.leave(pod)
        rows = self._rows(names)
        is_part = self._in_part and names is not None and len(names) >= _LOOKED_FOR
        if pod.group is not None:
            said = self.gangs.admit(pod, pod.group, rows, in_part=is_part)
            if said is not None:
                return self._of_group(said, None if pod.group.asked else names)
        nodes.forget(pod.uid)
        rules = self._rules(pod)
        found = placement.fit(pod, nodes, rules, rows)
        if not len(found.rows):
            if is_part and len(placement.fit(pod, nodes, rules, self._rows(None)).rows):
                return Answer([], {}, {}, ELSEWHERE)
            return self._refused(found, names)
        if not self._decides:
            return Answer([nodes.names[row] for row in found.rows], *self._why_not(found, names))
        row = placement.choose(pod, nodes, rules, found.rows)
        nodes.assume(pod, nodes.names[row], now)
        self._victims.pop(pod.uid, None)
        return Answer([nodes.names[row]], {}, {})

    def prioritize(self, pod: Pod, names: Sequence[str] | None) -> tuple[Sequence[str], Scores]:
        """Score nodes that fit, as they are asked about; the names go with the rows of the scores."""
        self.nodes.expire(self._clock())
        scores = placement.score(pod, self.nodes, self._rules(pod), self._rows(names))
        return [self.nodes.names[row] for row in scores.rows], scores

    def preempt(
        self, pod: Pod, names: Iterable[str], named: Mapping[str, Iterable[str]] = NOBODY
    ) -> dict[str, Victims]:
        """Return who would have to go from each of these nodes; those where that would not help are not in the answer.

        Whom kube-scheduler has named is among them: it asks its own plugins, those for volumes too.
        """
        nodes = self.nodes
        nodes.expire(self._clock())
        if self.gangs.needs_others(pod):
            return {}
        found = preemption.victims(pod, nodes, self._rules(pod), names, named)
        self._remember(pod.uid, found)
        return found

    def is_behind(self, pod: Pod, names: Sequence[str] | None) -> bool:
        """Whether kube-scheduler has seen a pod's victims gone from a node, and the watch here has not.

        A node is not asked about as long as they are on it. To refuse it would have others evicted on another one.
        """
        named = self._victims.get(pod.uid)
        if not named:
            return False
        asked = named.keys() if names is None else named.keys() & set(names)
        if pod.nominated in named:
            asked = asked & {pod.nominated}
        return any(self.nodes.placed(uid) is not None for name in asked for uid in named[name].uids)

    def bound(self, uid: str) -> None:
        """Take note that a pod was bound where it was placed."""
        self.nodes.bound(uid, self._clock())

    def unassume(self, uid: str) -> None:
        """Take back what was assumed about a pod that could not be bound there.

        One of a group keeps its room: the others are being bound, and it is tried again.
        """
        if self.nodes.groups.key(uid) is None:
            self.nodes.forget(uid)

    def explain(self, pod: Pod) -> Obj:
        """Say what each rule says about every node, and change nothing."""
        return explaining.explain(pod, self.nodes, self._rules(pod))

    def _remember(self, uid: str, found: dict[str, Victims]) -> None:
        """Keep who was named for a pod; of those before, only whom kube-scheduler is known to have chosen."""
        for other, named in self._victims.items():
            chosen = self.nodes.nominated[other].nominated if other in self.nodes.nominated else ""
            if chosen in named:
                self._victims[other] = {chosen: named[chosen]}
        self._victims.pop(uid, None)
        self._victims[uid] = found
        if len(self._victims) > _REMEMBERED:
            del self._victims[next(iter(self._victims))]

    def _rows(self, names: Sequence[str] | None) -> Rows:
        """Return the rows of the nodes that are known."""
        nodes = self.nodes
        if names is None:
            return np.flatnonzero(nodes.alive)
        rows = np.fromiter(map(nodes.rows.get, names, repeat(-1)), np.int64, len(names))
        rows = rows[rows >= 0]
        return rows[nodes.alive[rows]]

    def _of_group(self, said: str | int, names: Sequence[str] | None) -> Answer:
        """Answer with the one node, or refuse all: evicting pods for one of a group would help none of it.

        A pod that was told so before is told it of every node. Of how many it is asked about, and how many of the
        others kube-scheduler has come by, differs each time; so would the pod's condition, which counts them, and each
        time that it changes the pod is tried again, for nothing.
        """
        if isinstance(said, int):
            return Answer([self.nodes.names[said]], {}, {})
        if said == ELSEWHERE:
            return Answer([], {}, {}, said)
        every = [node.name for node in self.nodes.nodes.values()] if names is None else names
        return Answer([], {}, dict.fromkeys(every, said))

    def _refused(self, found: Fit, names: Sequence[str] | None) -> Answer:
        return Answer([], *self._why_not(found, names))

    def _why_not(self, found: Fit, names: Sequence[str] | None) -> tuple[dict[str, str], dict[str, str]]:
        nodes, fitting = self.nodes, set(found.rows.tolist())
        failed: dict[str, str] = {}
        unresolvable: dict[str, str] = {}
        for name in [node.name for node in nodes.nodes.values()] if names is None else names:
            row = nodes.rows.get(name)
            if row is None or row not in nodes.nodes:
                failed[name] = UNKNOWN
            elif row not in fitting:
                reason, hopeless = found.why(row)
                (unresolvable if hopeless else failed)[name] = reason
        return failed, unresolvable
