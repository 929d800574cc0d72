"""RollingUpdate: bring the new ReplicaSet up and the old ones down, within maxSurge and maxUnavailable.

Mirrors pkg/controller/deployment/rolling.go. One of the two happens in a sync, never both: what the first did has to
be seen before the second is decided.
"""

from collections.abc import Mapping

from operators.core import objects
from operators.core.deployment.observed import max_surge, max_unavailable, replicas
from operators.core.deployment.replicasets import Changes, Family, available, size
from operators.core.objects import Obj


def new_size(deployment: Obj, family: Family) -> int:
    """Return how large the new ReplicaSet may be now, which is 0 as long as there is none.

    With 10 replicas, a surge of 3 and 10 old pods it may have 3; with 8 old ones 5.
    """
    wanted = replicas(deployment)
    current = size(family.new) if family.new else 0
    if current >= wanted:
        return wanted
    room = wanted + max_surge(deployment) - sum(size(rs) for rs in family.all)
    return current if room <= 0 else current + min(room, wanted - current)


def roll(deployment: Obj, family: Family, new: Obj, changes: Changes) -> bool:
    """Take the next step of a rollout, and say whether there was one to take."""
    if changes.scale(new, new_size(deployment, family)):
        return True
    sizes = old_sizes(deployment, family, new)
    scaled = [changes.scale(rs, sizes[objects.uid(rs)]) for rs in family.active_old]
    return any(scaled)


def old_sizes(deployment: Obj, family: Family, new: Obj) -> Mapping[str, int]:
    """Return how large each active old ReplicaSet is to be, by UID.

    First go pods that are not available anyway, then available ones as far as enough others are. Pods of the new
    ReplicaSet that are not available yet count as if they never will be: with 10 replicas, 2 of which may be
    unavailable, 10 old pods and 3 new ones that are not ready, 13 - 8 - 3 = 2 old pods may go.

    A ReplicaSet with more available pods than it is asked for has yet to shrink: its count includes pods that are as
    good as gone, so nothing more is decided by it.
    """
    sizes = {objects.uid(rs): size(rs) for rs in family.active_old}
    least = replicas(deployment) - max_unavailable(deployment)
    spare = sum(size(rs) for rs in family.all) - least - (size(new) - available(new))
    if spare <= 0:
        return sizes
    for rs in family.active_old:
        uid = objects.uid(rs)
        sick = sizes[uid] - available(rs)
        if sick < 0:
            return sizes
        gone = min(spare, sick)
        sizes[uid] -= gone
        spare -= gone
    excess = sum(available(rs) for rs in family.active_old) + available(new) - least
    for uid, current in sizes.items():
        gone = max(0, min(excess, current))
        sizes[uid] -= gone
        excess -= gone
    return sizes
