"""What to write for the slices of a Service. Mirrors Reconcile and finalize in k8s.io/endpointslice/reconciler.go."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from operators.core import objects
from operators.core.endpointslice import hints, topology
from operators.core.endpointslice.endpoints import Identity, Ports, belongs, endpoint, identity, ports, ports_key
from operators.core.endpointslice.observed import (
    ENDPOINTSLICES,
    HEADLESS,
    MANAGED_BY,
    RESERVED,
    SERVICE_NAME,
    Observed,
    families,
    is_topology_aware,
)
from operators.core.endpointslice.packing import Change, Packed, pack
from operators.core.endpointslice.trigger import ANNOTATION
from operators.core.merge import merge_patch
from operators.core.objects import Obj
from operators.core.plan import Batch, Create, Delete, Patch, Plan, Say, Step, Target

_REFUSED: Final = "FailedToUpdateEndpointSlices"
_NODE_AWAITED: Final = timedelta(seconds=1)
"""How long until a pod on a node that is not known is looked at again."""


def plan(observed: Observed) -> Plan:
    """Return the writes after which each address of the Service's pods is in one slice for its ports and family."""
    if not observed.is_kept or objects.is_terminating(observed.service):
        return Plan()
    of_families = families(observed.service)
    writes: list[Step] = []
    deletes: list[Step] = []
    said: list[Say] = []
    awaited = awaited_pods(observed)
    for family in of_families:
        packed = _packed(observed, family)
        if event := _hinted(observed, packed, family):
            said.append(event)
        _reuse(packed, observed.service)
        writes += (_create(observed, change, family) for change in packed.create)
        writes += (_update(observed, change.existing, change) for change in packed.update if change.existing)
        deletes += (_delete(observed, slice_) for slice_ in packed.delete)
    deletes += (_delete(observed, s) for s in observed.slices if s["addressType"] not in of_families)
    said += (_skipped(observed, pod, node) for pod, node in awaited)
    return Plan(
        tuple(Batch(tuple(steps)) for steps in (writes, deletes) if steps),
        tuple(said),
        _NODE_AWAITED if awaited else None,
    )


def awaited_pods(observed: Observed) -> list[tuple[str, str]]:
    """Return the pods that are left out because nobody knows their node, each with its node.

    Their node has gone and they are about to, or it has just come; those that are published in any state are not.
    """
    if observed.service["spec"].get("publishNotReadyAddresses"):
        return []
    return [(pod.name, pod.node) for pod in observed.pods if belongs(pod) and pod.node not in observed.nodes]


def _packed(observed: Observed, family: str) -> Packed:
    """Place the endpoints of one address family."""
    packed = Packed()
    existing: dict[Ports, list[Obj]] = {}
    own = [slice_ for slice_ in observed.slices if slice_["addressType"] == family]
    for slice_ in own:
        if _is_owned(slice_, observed.service):
            existing.setdefault(ports_key(slice_.get("ports") or []), []).append(slice_)
        else:
            packed.delete.append(slice_)  # of a Service of the same name that is gone

    def has_other_labels(slice_: Obj) -> bool:
        return _unreserved(objects.labels(slice_)) != _unreserved(objects.labels(observed.service))

    for key, (listed, endpoints) in _desired(observed, family).items():
        packed.add(pack(existing.pop(key, ()), endpoints, listed, has_other_labels))
    packed.delete += (slice_ for slices in existing.values() for slice_ in slices)
    if not (packed.create or packed.update or packed.unchanged):
        _hold_place(observed, packed)
    return packed


def _desired(observed: Observed, family: str) -> dict[Ports, tuple[list[Obj], dict[Identity, Obj]]]:
    """Return the endpoints that there shall be, by their ports."""
    desired: dict[Ports, tuple[list[Obj], dict[Identity, Obj]]] = {}
    for pod in sorted(observed.pods, key=lambda pod: pod.name):
        if not belongs(pod):
            continue
        listed = ports(observed.service, pod)
        _, endpoints = desired.setdefault(ports_key(listed), (listed, {}))
        node = observed.nodes.get(pod.node)
        if node is None and not observed.service["spec"].get("publishNotReadyAddresses"):
            continue
        if made := endpoint(pod, node, observed.service, family):
            endpoints[identity(made)] = made
    return desired


def _hold_place(observed: Observed, packed: Packed) -> None:
    """Have one slice without endpoints where there is nothing to put into one: it says that somebody looked."""
    if len(packed.delete) == 1:
        (last,) = packed.delete
        is_empty = not (last.get("endpoints") or last.get("ports"))
        if is_empty and objects.labels(last) == _labels(observed) and _is_owned(last, observed.service):
            packed.delete.clear()
            packed.unchanged.append(last)
            return
    packed.create.append(Change(None, [], []))


def _hinted(observed: Observed, packed: Packed, family: str) -> Say | None:
    """Set the hints, by whichever of the two ways the Service asks for."""
    if is_topology_aware(observed.service):
        return topology.spread(packed, observed.ratios, family)
    if hints.is_distributed(observed.service):
        hints.distribute(observed.service, packed)
    else:
        hints.remove(packed)
    return None


def _reuse(packed: Packed, service: Obj) -> None:
    """Write what is new into slices that would be deleted: one write in place of two."""
    for slice_ in [slice_ for slice_ in packed.delete if _is_owned(slice_, service)]:
        if not packed.create:
            return
        change = packed.create.pop()
        change.existing = slice_
        packed.update.append(change)
        packed.delete = [other for other in packed.delete if other is not slice_]


def _create(observed: Observed, change: Change, family: str) -> Create:
    service = observed.service
    meta: Obj = {
        "generateName": f"{objects.name(service)}-",
        "namespace": objects.key(service)[0],
        "labels": _labels(observed),
        "ownerReferences": [objects.controller_reference(service)],
    }
    if observed.triggered is not None:
        meta["annotations"] = {ANNOTATION: objects.format_time(observed.triggered)}
    body = {
        "apiVersion": ENDPOINTSLICES.api_version,
        "kind": ENDPOINTSLICES.kind,
        "metadata": meta,
        "addressType": family,
        "endpoints": change.endpoints,
        "ports": change.ports,
    }
    return Create(ENDPOINTSLICES, body, failed=_failed(observed, "failed to create EndpointSlice"))


def _update(observed: Observed, old: Obj, change: Change) -> Patch:
    """Return the write of a whole slice, if it is as it was seen."""
    name = objects.name(old)
    meta = _changed_metadata(observed, old)
    body: Obj = {"endpoints": change.endpoints} | ({"metadata": meta} if meta else {})
    if ports_key(old.get("ports") or []) != ports_key(change.ports):
        body["ports"] = change.ports
    return Patch(
        Target.of(ENDPOINTSLICES, old),
        body,
        old["metadata"]["resourceVersion"],
        failed=_failed(observed, f"failed to update {name} EndpointSlice"),
    )


def _changed_metadata(observed: Observed, old: Obj) -> Obj:
    """Return the labels and the annotation that a write has to change, null where they go."""
    meta: Obj = {}
    if labels := merge_patch(dict(objects.labels(old)), _labels(observed)):
        meta["labels"] = labels
    if observed.triggered is not None:
        meta["annotations"] = {ANNOTATION: objects.format_time(observed.triggered)}
    elif ANNOTATION in objects.annotations(old):
        meta["annotations"] = {ANNOTATION: None}
    return meta


def _delete(observed: Observed, slice_: Obj) -> Delete:
    failed = _failed(observed, f"failed to delete {objects.name(slice_)} EndpointSlice")
    return Delete(Target.of(ENDPOINTSLICES, slice_), failed=failed)


def _failed(observed: Observed, what: str) -> Say:
    path = "/".join(objects.key(observed.service))
    message = f"Error updating Endpoint Slices for Service {path}: {what} for Service {path}: {{error}}"
    return Say("Warning", _REFUSED, message)


def _skipped(observed: Observed, pod: str, node: str) -> Say:
    path = "/".join(objects.key(observed.service))
    reason = f"skipping Pod {pod} for Service {path}: Node {node} Not Found"
    return Say("Warning", _REFUSED, f"Error updating Endpoint Slices for Service {path}: {reason}")


def _labels(observed: Observed) -> dict[str, str]:
    """Return the labels of the Service's slices: its own, and those by which slices are found."""
    service = observed.service
    is_headless = service["spec"].get("clusterIP") in (None, "", "None")
    return {
        **_unreserved(objects.labels(service)),
        **({HEADLESS: ""} if is_headless else {}),
        SERVICE_NAME: objects.name(service),
        MANAGED_BY: observed.manager,
    }


def _unreserved(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key not in RESERVED}


def _is_owned(slice_: Obj, service: Obj) -> bool:
    """Whether a slice goes when this Service does."""
    uid = objects.uid(service)
    return any(
        ref["uid"] == uid and ref["kind"] == "Service" and ref["apiVersion"] == "v1"
        for ref in objects.owner_references(slice_)
    )
