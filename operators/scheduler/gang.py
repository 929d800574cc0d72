"""Finds room for the pods of a group, all at once: one after the other on the snapshot, which is the plan.

It is the best for each pod in turn and not for all together, as upstream does it too: a group may fit in another order
of its pods and be refused.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np

from operators.core.objects import Obj
from operators.scheduler import placement
from operators.scheduler.group import Group
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.rules import Rules
from operators.scheduler.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Count:
    """How far a group is from being placed."""

    min_count: int
    placed: int
    waiting: Sequence[Pod]
    """Those that could be placed, the one that is asked about first."""

    @property
    def needed(self) -> int:
        """How many more have to be placed."""
        return self.min_count - self.placed


def count(pod: Pod, group: Group, nodes: Snapshot, held: Container[str] = ()) -> Count:
    """Count the pods of a pod's group; those for which room is only held are not placed."""
    placed, waiting = 0, []
    for one in nodes.groups.pods_with(pod):
        is_held = one.uid in held and nodes.is_assumed(one.uid)
        if nodes.placed(one.uid) is not None and not is_held:
            placed += not one.terminating
        elif one.uid == pod.uid or can_come(one, pod.scheduler):
            waiting.append(one)
    known = [one.group.min_count for one in waiting if one.group]
    return Count(max(known, default=group.min_count), placed, waiting)


def can_come(one: Pod, scheduler: str) -> bool:
    """Whether a pod of a group may be asked about by this scheduler, and makes sense."""
    group = one.group
    if group is None or group.gated or group.problem:
        return False
    return not one.terminating and one.scheduler == scheduler


def hold(
    pods: Sequence[Pod],
    needed: int,
    nodes: Snapshot,
    rules: Callable[[Pod], Rules],
    rows: Callable[[Pod], Rows],
) -> dict[str, Pod]:
    """Hold a node for one pod after the other, as long as `needed` of them may have one; return those that have.

    Where a rule fails, nothing stays held.
    """
    found: dict[str, Pod] = {}
    try:
        for at, pod in enumerate(pods):
            if len(found) + len(pods) - at < needed:
                break
            row = choose(pod, nodes, rules(pod), rows(pod))
            if row is not None:
                nodes.hold(pod, nodes.names[row])
                found[pod.uid] = pod
    except Exception:  # one's own rule may raise whatever it likes
        for uid in found:
            nodes.forget(uid)
        raise
    return found


def choose(pod: Pod, nodes: Snapshot, rules: Rules, rows: Rows) -> int | None:
    """Return the row of the node that is the best for a pod, None where none is left."""
    fit = placement.fit(pod, nodes, rules, rows).rows
    return placement.choose(pod, nodes, rules, fit) if len(fit) else None


def outlook(pod: Pod, group: Group, nodes: Snapshot, rules: Rules) -> Obj:
    """Say how a pod's group stands, as if it were to be placed now. Changes nothing."""
    everybody = nodes.groups.pods_with(pod)
    now = count(pod, group, nodes, {one.uid for one in everybody})
    existing = [one for one in everybody if not one.terminating]
    return {
        "name": group.name,
        "minCount": now.min_count,
        "exist": len(existing),
        "placed": now.placed,
        "says": group.problem or _says(pod, now, len(existing), nodes, rules),
    }


def _says(pod: Pod, now: Count, existing: int, nodes: Snapshot, rules: Rules) -> str:
    if pod.uid not in {one.uid for one in now.waiting}:
        return f"{now.placed} of {now.min_count} pods are placed"
    if existing < now.min_count:
        return f"{existing} of {now.min_count} pods exist"
    if len(now.waiting) < now.needed:
        come = now.placed + len(now.waiting)
        return f"{come} of {now.min_count} pods can be placed, the others have gates or are for another scheduler"
    if any(nodes.is_held(one.uid) for one in now.waiting):
        return f"room is held for its {now.min_count} pods, which are tried one after the other"
    found = hold(now.waiting, 0, nodes, lambda _: rules, lambda _: np.flatnonzero(nodes.alive))
    for uid in found:
        nodes.forget(uid)
    return f"room for {now.placed + len(found)} of {now.min_count} pods"
