"""Which clients should use which endpoints, by `trafficDistribution`. Mirrors k8s.io/endpointslice/trafficdist.

Hints are part of a slice, so a slice that nothing else asks to be written is written for them alone.
"""

from operators.core.endpointslice.endpoints import is_ready
from operators.core.endpointslice.packing import Change, Packed
from operators.core.objects import Obj

_NEAR = ("PreferClose", "PreferSameZone", "PreferSameNode")


def is_distributed(service: Obj) -> bool:
    """Whether the Service says how its traffic is to be distributed, in a way that is known."""
    return service["spec"].get("trafficDistribution") in _NEAR


def distribute(service: Obj, packed: Packed) -> None:
    """Give each ready endpoint the hint that its own zone, or its own node, should use it."""
    to_nodes = service["spec"]["trafficDistribution"] == "PreferSameNode"
    for slice_ in list(packed.unchanged):
        if any(is_ready(e) and (e.get("hints") or None) != _near(e, to_nodes) for e in slice_.get("endpoints") or ()):
            rewrite(packed, slice_)
    for change in (*packed.create, *packed.update):
        change.endpoints = [
            with_hints(e, _near(e, to_nodes)) if is_ready(e) else e for e in change.endpoints
        ]  # one that is not ready keeps what it has: nobody looks at it


def remove(packed: Packed) -> None:
    """Take all hints away."""
    for slice_ in list(packed.unchanged):
        if has_hints(slice_):
            rewrite(packed, slice_)
    for change in (*packed.create, *packed.update):
        change.endpoints = [with_hints(endpoint, None) for endpoint in change.endpoints]


def has_hints(slice_: Obj) -> bool:
    """Whether any endpoint of a slice has a hint."""
    return any("hints" in endpoint for endpoint in slice_.get("endpoints") or ())


def rewrite(packed: Packed, slice_: Obj) -> None:
    """Have a slice written that was to stay as it is."""
    packed.unchanged = [other for other in packed.unchanged if other is not slice_]
    packed.update.append(Change(slice_, slice_.get("ports") or [], list(slice_.get("endpoints") or ())))


def with_hints(endpoint: Obj, hints: Obj | None) -> Obj:
    """Return an endpoint with these hints, or with none."""
    bare = {field: value for field, value in endpoint.items() if field != "hints"}
    return bare if hints is None else bare | {"hints": hints}


def _near(endpoint: Obj, to_nodes: bool) -> Obj | None:  # noqa: FBT001 - of the one caller
    """Return the hints of an endpoint that is to be used from nearby."""
    hints: Obj = {}
    if zone := endpoint.get("zone"):
        hints["forZones"] = [{"name": zone}]
    if to_nodes and (node := endpoint.get("nodeName")):
        hints["forNodes"] = [{"name": node}]
    return hints or None
