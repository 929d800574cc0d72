"""Which zones should use which endpoints, by each zone's share of the cluster's CPU: an annotation asks for it.

Mirrors k8s.io/endpointslice/topologycache. Each zone is given about as many endpoints as it has CPU, its own first;
where none would be overloaded by more than a fifth, that is, and else no endpoint has a hint.

With 6 CPUs in zone a, 2 in zone b and 4 endpoints, a gets 3 and b 1: with 2 endpoints in each, one of b's is for a.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from operators.core import nodes, objects
from operators.core.endpointslice import hints
from operators.core.endpointslice.endpoints import is_ready
from operators.core.endpointslice.packing import Packed
from operators.core.objects import Obj
from operators.core.plan import Say
from operators.core.semantic import quantity

_OVERLOAD: Final = 0.2
_CONTROL_PLANE: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")

_NO_NODES: Final = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
_FEW: Final = "Insufficient number of endpoints"
_OVERLOADED: Final = "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold"
_NO_ZONE: Final = "One or more endpoints do not have a zone specified"
_NO_HINTS: Final = "No hints allocated for zones"
_ENABLED: Final = "Topology Aware Hints has been enabled"


class _ImpossibleError(Exception):
    """There is no way to spread the endpoints; the message says why."""


@dataclass(frozen=True, slots=True)
class _Share:
    """How many endpoints are for a zone."""

    minimum: int
    maximum: int
    desired: float


def ratios(all_nodes: Iterable[Obj]) -> dict[str, float] | None:
    """Return each zone's share of the CPU of the ready workers, or None where some say no zone or all the same."""
    cpu: Counter[str] = Counter()
    for node in all_nodes:
        if any(label in objects.labels(node) for label in _CONTROL_PLANE) or not nodes.is_ready(node):
            continue
        zone, millis = nodes.zone(node), _millis(node)
        if not (zone and millis):
            return None
        cpu[zone] += millis
    if len(cpu) < 2:
        return None
    return {zone: millis / cpu.total() for zone, millis in sorted(cpu.items())}


def spread(packed: Packed, ratios: Mapping[str, float] | None, family: str) -> Say | None:
    """Give each ready endpoint the hint for which zone it is, or take all away; return what there is to say of it."""
    had_hints = any(hints.has_hints(s) for s in (*packed.unchanged, *packed.delete, *_existing(packed)))
    try:
        _spread(packed, ratios)
    except _ImpossibleError as error:
        hints.remove(packed)
        return Say("Warning", "TopologyAwareHintsDisabled", f"{error}, addressType: {family}")
    if had_hints:
        return None
    return Say("Normal", "TopologyAwareHintsEnabled", f"{_ENABLED}, addressType: {family}")


def _existing(packed: Packed) -> Iterable[Obj]:
    return (change.existing for change in packed.update if change.existing is not None)


def _spread(packed: Packed, ratios: Mapping[str, float] | None) -> None:
    """Do so. Raises _ImpossibleError."""
    shares = _shares(packed, ratios)
    allocated = _settled(packed, shares)
    changes = (*packed.create, *packed.update)
    for change in changes:
        change.endpoints = [_in_own_zone(endpoint, allocated) for endpoint in change.endpoints]
    giving, receiving = _moves(shares, allocated)
    for change in changes:
        for number, endpoint in enumerate(change.endpoints):
            zone = endpoint.get("zone", "")
            if is_ready(endpoint) and giving[zone] and (receiver := next(receiving.elements(), None)):
                giving[zone] -= 1
                receiving[receiver] -= 1
                change.endpoints[number] = _for_zone(endpoint, receiver)
    if not allocated:
        raise _ImpossibleError(_NO_HINTS)


def _shares(packed: Packed, ratios: Mapping[str, float] | None) -> dict[str, _Share]:
    """Return how many endpoints are for each zone."""
    lists = (*(change.endpoints for change in (*packed.create, *packed.update)),
             *(slice_.get("endpoints") or () for slice_ in packed.unchanged))  # fmt: skip
    total = sum(is_ready(endpoint) for endpoints in lists for endpoint in endpoints)
    if ratios is None:
        raise _ImpossibleError(_NO_NODES)
    counts = f"({total} endpoints, {len(ratios)} zones)"
    if len(ratios) > total:
        raise _ImpossibleError(f"{_FEW} {counts}")
    minimums = {zone: math.ceil(ratio * total * (1 / (1 + _OVERLOAD))) for zone, ratio in ratios.items()}
    spare = total - sum(minimums.values())
    if spare < 0:
        raise _ImpossibleError(f"{_OVERLOADED} {counts}")
    return {
        zone: _Share(minimum, minimum + spare, max(ratios[zone] * total, float(minimum)))
        for zone, minimum in minimums.items()
    }


def _settled(packed: Packed, shares: Mapping[str, _Share]) -> Counter[str]:
    """Count the hints of the slices that can stay as they are; the others are to be written."""
    allocated: Counter[str] = Counter()
    for slice_ in list(packed.unchanged):
        found = _hints_of(slice_)
        if found is None or any(z not in shares or allocated[z] + n > shares[z].maximum for z, n in found.items()):
            hints.rewrite(packed, slice_)
        else:
            allocated += found
    return allocated


def _hints_of(slice_: Obj) -> Counter[str] | None:
    """Count a slice's hints by zone; None where a ready endpoint has none."""
    found: Counter[str] = Counter()
    for endpoint in slice_.get("endpoints") or ():
        zones = (endpoint.get("hints") or {}).get("forZones") or ()
        if is_ready(endpoint) and not zones:
            return None
        if is_ready(endpoint):
            found.update(zone["name"] for zone in zones)
    return found


def _in_own_zone(endpoint: Obj, allocated: Counter[str]) -> Obj:
    """Return a ready endpoint with the hint for its own zone, and count it. Raises _ImpossibleError."""
    if not is_ready(endpoint):
        return hints.with_hints(endpoint, None)
    zone = endpoint.get("zone")
    if not zone:
        raise _ImpossibleError(_NO_ZONE)
    allocated[zone] += 1
    return _for_zone(endpoint, zone)


def _for_zone(endpoint: Obj, zone: str) -> Obj:
    return hints.with_hints(endpoint, {"forZones": [{"name": zone}]})


def _moves(shares: Mapping[str, _Share], allocated: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """Return how many endpoints which zones give away, and how many which get, until all are near what they need."""
    surplus = {zone: allocated[zone] - share.desired for zone, share in shares.items()}
    giving: Counter[str] = Counter()
    receiving: Counter[str] = Counter()
    while True:
        giver, taker = max(surplus, key=lambda z: surplus[z]), min(surplus, key=lambda z: surplus[z])
        most, least = surplus[giver], -surplus[taker]
        if (most < 1 and least < 1) or most < 0.5 or least < 0.5:
            return giving, receiving
        giving[giver] += 1
        receiving[taker] += 1
        surplus[giver] -= 1
        surplus[taker] += 1


def _millis(node: Obj) -> int:
    """Return a node's CPU in thousandths, 0 where it says none."""
    cpu = nodes.allocatable_cpu(node)
    value = quantity(str(cpu)) if cpu is not None else 0
    return 0 if isinstance(value, str) else math.ceil(value * 1000)
