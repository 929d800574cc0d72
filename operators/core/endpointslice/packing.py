"""Which endpoint goes into which slice. Mirrors reconcileByPortMapping in k8s.io/endpointslice/reconciler.go.

A slice is written as a whole and sent to every node, so what counts is that few are written, not that they are full:
endpoints stay where they are, new ones go into slices that are written anyway, then all of them together into one
that has room, and only then into a new one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from operators.core import objects
from operators.core.endpointslice.endpoints import Identity, identity, is_same
from operators.core.objects import Obj

LIMIT = 100
"""Endpoints of a slice, at most."""


@dataclass(slots=True)
class Change:
    """A slice to write, with all that will be in it; `existing` is None where it has to be made."""

    existing: Obj | None
    ports: list[Obj]
    endpoints: list[Obj]


@dataclass(slots=True)
class Packed:
    """What becomes of the slices, and how many endpoints came and went."""

    create: list[Change] = field(default_factory=list)
    update: list[Change] = field(default_factory=list)
    unchanged: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)
    added: int = 0
    removed: int = 0

    def add(self, other: "Packed") -> None:
        """Take in what becomes of others."""
        self.create += other.create
        self.update += other.update
        self.unchanged += other.unchanged
        self.delete += other.delete
        self.added += other.added
        self.removed += other.removed


def pack(
    existing: Iterable[Obj],
    desired: Mapping[Identity, Obj],
    ports: list[Obj],
    has_other_labels: Callable[[Obj], bool],
    limit: int = LIMIT,
) -> Packed:
    """Place the desired endpoints of one set of ports.

    existing: the slices with these ports. has_other_labels says of a slice that its labels have to be written.
    """
    packed, left = Packed(), dict(desired)
    for slice_ in sorted(existing, key=objects.name):
        _keep(packed, slice_, left, ports, has_other_labels)
    packed.added = len(left)
    waiting = list(left.values())
    for change in sorted(packed.update, key=lambda change: len(change.endpoints), reverse=True):
        waiting = _fill(change, waiting, limit)
    while waiting:
        fits = _closest(packed.unchanged, len(waiting), limit) if len(waiting) < limit else None
        if fits is None:
            change = Change(None, ports, [])
            packed.create.append(change)
        else:
            packed.unchanged = [slice_ for slice_ in packed.unchanged if slice_ is not fits]
            change = Change(fits, ports, list(fits.get("endpoints") or ()))
            packed.update.append(change)
        waiting = _fill(change, waiting, limit)
    return packed


def _keep(
    packed: Packed,
    slice_: Obj,
    left: dict[Identity, Obj],
    ports: list[Obj],
    has_other_labels: Callable[[Obj], bool],
) -> None:
    """Take the endpoints that a slice keeps from those that are left, and say whether it has to be written."""
    before: Sequence[Obj] = slice_.get("endpoints") or ()
    kept, same = [], True
    for old in before:
        new = left.pop(identity(old), None)
        if new is not None:
            kept.append(new)
            same = same and is_same(old, new)
    packed.removed += len(before) - len(kept)
    if before and not kept:
        packed.delete.append(slice_)
    elif not same or len(kept) < len(before) or has_other_labels(slice_):
        packed.update.append(Change(slice_, ports, kept))
    else:
        packed.unchanged.append(slice_)


def _fill(change: Change, waiting: list[Obj], limit: int) -> list[Obj]:
    """Put as many into a slice as it takes; return the rest."""
    room = max(0, limit - len(change.endpoints))
    change.endpoints += waiting[:room]
    return waiting[room:]


def _closest(slices: Iterable[Obj], count: int, limit: int) -> Obj | None:
    """Return the slice that is fullest once `count` endpoints are added, None where they fit into none."""
    fitting = [slice_ for slice_ in slices if _size(slice_) + count <= limit]
    return max(fitting, key=_size, default=None)


def _size(slice_: Obj) -> int:
    return len(slice_.get("endpoints") or ())
