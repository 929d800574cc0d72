"""Which old pods give way, and where new ones are made beside them.

Mirrors rollingUpdate in pkg/controller/daemon/update.go. It runs only once every node has what it should: here is
decided about old pods alone. Nodes go by name, where upstream takes them in no order. Beyond upstream, nodes that are
not ready may be left out of the count (kubernetes#117658): a pod there cannot become available whatever is done.
"""

from typing import NamedTuple

from operators.core.daemonset.members import Members
from operators.core.daemonset.observed import bounds, skips_not_ready_nodes
from operators.core.objects import Obj
from operators.core.pods import Pod


class Moves(NamedTuple):
    """Pods to delete, and nodes to make a pod on."""

    delete: list[Pod]
    create: list[str]


class _Pair(NamedTuple):
    """What a node has: at most one pod of each kind, or too many to tell."""

    new: Pod | None
    old: Pod | None
    is_clear: bool = True


def moves(daemonset: Obj, members: Members) -> Moves:
    """Return what the rollout does next."""
    surge, unavailable = bounds(daemonset, members.desired)
    skips = skips_not_ready_nodes(daemonset)
    names = sorted({*members.pods, *(name for name, verdict in members.verdicts.items() if verdict.run)})
    pairs = {name: _pair(members, name) for name in names}
    counted = {name for name in names if not skips or members.is_on_ready_node(name)}
    return _surge(members, pairs, counted, surge) if surge else _replace(members, pairs, counted, unavailable)


def _pair(members: Members, name: str) -> _Pair:
    pods = [pod for pod in members.pods.get(name, ()) if not pod.terminating]
    new = [pod for pod in pods if members.is_updated(pod)]
    old = [pod for pod in pods if not members.is_updated(pod)]
    if len(new) > 1 or len(old) > 1:
        return _Pair(None, None, is_clear=False)
    return _Pair(new[0] if new else None, old[0] if old else None)


def _replace(members: Members, pairs: dict[str, _Pair], counted: set[str], most: int) -> Moves:
    """Delete every old pod that is not available, and as many of the others as may be missing.

    Of 10 nodes with maxUnavailable 3, one without a pod and one with a new pod that is not available yet leave one.
    """
    dead: list[Pod] = []
    candidates: list[Pod] = []
    missing = 0
    for name, pair in pairs.items():
        only_old = pair.old if pair.is_clear and pair.new is None else None
        if only_old is not None and members.is_available(only_old):
            candidates.append(only_old)
            continue
        if only_old is not None:
            dead.append(only_old)
        if not (pair.new is not None and pair.old is None and members.is_available(pair.new)) and name in counted:
            missing += 1
    return Moves([*dead, *candidates[: max(0, most - missing)]], [])


def _surge(members: Members, pairs: dict[str, _Pair], counted: set[str], most: int) -> Moves:
    """Make new pods beside old ones, and delete an old one once the new one on its node is available.

    An old pod that is not available protects nobody, so its node gets a new one at once. Where the template has moved
    to other nodes, an available pod on a node that it has left goes only when there are enough without it.
    """
    doomed: list[Pod] = []
    leaving: list[Pod] = []
    at_once: list[str] = []
    candidates: list[str] = []
    surging = available = 0
    for name, pair in pairs.items():
        if not pair.is_clear:
            surging += name in counted
            continue
        new, old = pair.new, pair.old
        first = old or new
        available += first is not None and members.is_available(first)
        if old is None or name not in members.nodes:  # of a node that is gone, the garbage collector takes the pods
            continue
        if new is not None:
            if members.is_available(new):
                doomed.append(old)
            else:
                surging += name in counted
        elif members.verdicts[name].run:
            (candidates if members.is_available(old) else at_once).append(name)
        else:
            (leaving if members.is_available(old) else doomed).append(old)
    doomed += leaving[: max(0, available - members.desired)]
    return Moves(doomed, [*at_once, *candidates[: max(0, most - surging)]])
