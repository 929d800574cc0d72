"""Scaling a Deployment, in the middle of a rollout too.

Mirrors scale and isScalingEvent in pkg/controller/deployment/sync.go. Scaling a rollout spreads the difference over
its ReplicaSets in proportion to their sizes, so that a rollout of which 30 % are new stays at 30 %.
"""

import math

from operators.core import objects
from operators.core.deployment.observed import is_recreate, max_surge, replicas
from operators.core.deployment.replicasets import DESIRED, MAXIMUM, Changes, Family, available, by_age, size
from operators.core.objects import Obj


def is_scaling(deployment: Obj, family: Family) -> bool:
    """Whether `replicas` has changed since an active ReplicaSet was last sized."""
    wanted = replicas(deployment)
    sized_for = (annotated(rs, DESIRED) for rs in family.active)
    return any(number is not None and number != wanted for number in sized_for)


def scale(deployment: Obj, family: Family, changes: Changes) -> None:
    """Bring the sizes in line with `replicas`."""
    only = _active_or_latest(family)
    if only is not None:
        changes.scale(only, replicas(deployment))
    elif _is_saturated(deployment, family.new):
        for rs in family.active_old:
            changes.scale(rs, 0)
    elif not is_recreate(deployment):
        _scale_in_proportion(deployment, family, changes)


def annotated(replicaset: Obj, name: str) -> int | None:
    """Return the number in an annotation, None where it is missing or no number."""
    text = objects.annotations(replicaset).get(name, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**31 else None


def _active_or_latest(family: Family) -> Obj | None:
    """Return the only active ReplicaSet, the latest where none is active, None where there are several."""
    if len(family.active) > 1:
        return None
    if family.active:
        return family.active[0]
    return family.new or (family.old[-1] if family.old else None)


def _is_saturated(deployment: Obj, new: Obj | None) -> bool:
    """Whether the new ReplicaSet has all its pods, available, as asked for."""
    wanted = replicas(deployment)
    return new is not None and size(new) == annotated(new, DESIRED) == available(new) == wanted


def _scale_in_proportion(deployment: Obj, family: Family, changes: Changes) -> None:
    """Spread the difference between what there may be and what there is; the rest goes to the largest."""
    wanted = replicas(deployment)
    allowed = wanted + max_surge(deployment) if wanted else 0
    to_add = allowed - sum(size(rs) for rs in family.active)
    # The largest first; of equals, the newest grows first and the oldest shrinks first.
    ordered = sorted(family.active, key=by_age, reverse=to_add > 0)
    ordered.sort(key=size, reverse=True)
    sizes, added = [], 0
    for rs in ordered:
        share = _share(deployment, rs, to_add, added)
        sizes.append(size(rs) + share)
        added += share
    if ordered and to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    for rs, new_size in zip(ordered, sizes, strict=True):
        changes.scale(rs, new_size, force=True)


def _share(deployment: Obj, replicaset: Obj, to_add: int, added: int) -> int:
    """Return what one ReplicaSet gets of the difference, no more than is left of it (GetReplicaSetProportion)."""
    if size(replicaset) == 0 or to_add in (0, added):
        return 0
    left = to_add - added
    fraction = _fraction(deployment, replicaset)
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(deployment: Obj, replicaset: Obj) -> int:
    """Return by how much one ReplicaSet would grow if all grew alike, from the most pods there were to the most now.

    A ReplicaSet of 5 that was sized for at most 13 grows by 5 * 26 / 13 - 5 = 5 when there may be 26.
    """
    current = size(replicaset)
    if replicas(deployment) == 0:
        return -current
    before = annotated(replicaset, MAXIMUM) or (deployment.get("status") or {}).get("replicas", 0)
    if not before:
        return 0
    exact = current * (replicas(deployment) + max_surge(deployment)) / before
    return math.floor(exact + 0.5) - current
