"""Which pods a ReplicaSet gives up first when it scales down.

Mirrors ActivePodsWithRanks in pkg/controller/controller_utils.go. The order is upstream's to the letter, the
logarithm of the ages included: pods of about the same age are told apart by UID, so that the choice among them
is as good as random and old pods do not all go together.
"""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cmp_to_key

from operators.core.pods import Pod

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def pods_to_delete(pods: Sequence[Pod], related: Sequence[Pod], count: int, now: datetime) -> list[Pod]:
    """Return the `count` pods to delete first.

    related are the active and inactive pods of this ReplicaSet and its siblings (those of the same Deployment): a pod
    with more of them on its node goes sooner, which spreads what is left.
    """
    if count >= len(pods):
        return list(pods)
    on_node = Counter(pod.node for pod in related if pod.is_active)

    def compare(a: Pod, b: Pod) -> int:
        return _compare(a, b, on_node, now)

    return sorted(pods, key=cmp_to_key(compare))[:count]


def _compare(a: Pod, b: Pod, on_node: Counter[str], now: datetime) -> int:
    """Return less than 0 where `a` is to be deleted before `b`."""
    first = _urgency(a)
    second = _urgency(b)
    if first != second:
        return -1 if first < second else 1
    if on_node[a.node] != on_node[b.node]:
        return on_node[b.node] - on_node[a.node]
    if a.ready and a.ready_since != b.ready_since:
        return _younger_first(a.ready_since, b.ready_since, a, b, now)
    if a.restarts != b.restarts:
        return b.restarts - a.restarts
    if a.sidecar_restarts != b.sidecar_restarts:
        return b.sidecar_restarts - a.sidecar_restarts
    if a.created != b.created:
        return _younger_first(a.created, b.created, a, b, now)
    return 0


def _urgency(pod: Pod) -> tuple[bool, int, bool, int]:
    """Unassigned, then by phase, then unready, then by the cost that the user gave."""
    return bool(pod.node), _PHASES.get(pod.phase, 0), pod.ready, pod.deletion_cost


def _younger_first(first: datetime | None, second: datetime | None, a: Pod, b: Pod, now: datetime) -> int:
    """Compare by order of magnitude of the age; a time that is not known counts as youngest."""
    if first is None or second is None:
        return -1 if first is None else 1
    difference = _magnitude(now - first) - _magnitude(now - second)
    return difference or (-1 if a.uid < b.uid else 1)


def _magnitude(age: timedelta) -> int:
    """Return the whole part of the base-2 logarithm of the age in nanoseconds, -1 for none."""
    nanoseconds = age / timedelta(microseconds=1) * 1000
    return int(math.log2(nanoseconds)) if nanoseconds > 0 else -1
