"""What the core Service of one of ours is to say: all that ours says, but for the selector.

What ours leaves open is the apiserver's to fill in (defaults, addresses, ports of the nodes), and what others add to
the core Service (a cloud's annotations, say) is theirs: so an annotation of the core Service remembers what it has
from us, and only that is taken away again.
"""

from collections.abc import Collection, Mapping
from typing import Final

import orjson

from operators.core import objects
from operators.core.objects import Obj

COPIED: Final = "kopfwerk.dev/copied"
"""The annotation of a core Service that lists the labels, annotations and fields that it has from ours."""

_NOT_COPIED: Final = frozenset(("kubectl.kubernetes.io/last-applied-configuration", COPIED))
_AS_GOOD_AS_NONE: Final = {"publishNotReadyAddresses": False, "healthCheckNodePort": 0}
"""Fields that the core Service leaves out where they say this."""


def created(service: Obj) -> Obj:
    """Return the core Service to make."""
    labels, annotations, spec = _wanted(service)
    copied = _copied(labels, annotations, spec)
    if service["spec"].get("selector") and spec.get("clusterIP") == "None" and not _asks_for_families(spec):
        spec["ipFamilyPolicy"] = "SingleStack"  # without a selector, a headless one would by default have both families
    name, namespace = objects.name(service), objects.key(service)[0]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations | {COPIED: copied},
            "ownerReferences": [objects.controller_reference(service)],
        },
        "spec": spec,
    }


def changed(service: Obj, core: Obj) -> Obj:
    """Return the merge patch after which the core Service says what ours does, empty where it does."""
    labels, annotations, spec = _wanted(service)
    if "ports" in spec:
        spec["ports"] = _with_allocated(spec, core["spec"])
    before = _remembered(core)
    copied = _copied(labels, annotations, spec)
    marked = annotations | {COPIED: copied}
    meta = {
        "labels": _difference(objects.labels(core), labels, before.get("labels", ())),
        "annotations": _difference(objects.annotations(core), marked, before.get("annotations", ())),
    }
    changes = _difference(core["spec"], spec, before.get("spec", ()))
    if core["spec"].get("selector"):
        changes["selector"] = None  # with one, kube-controller-manager would keep slices of its own beside ours
    patch = {"metadata": {part: change for part, change in meta.items() if change}, "spec": changes}
    return {part: change for part, change in patch.items() if change}


def _wanted(service: Obj) -> tuple[dict[str, str], dict[str, str], Obj]:
    """Return the labels, annotations and fields that the core Service is to have from ours."""
    spec = {
        field: value
        for field, value in service["spec"].items()
        if field != "selector" and value not in (None, "", [], {}) and _AS_GOOD_AS_NONE.get(field) != value
    }
    annotations = {key: value for key, value in objects.annotations(service).items() if key not in _NOT_COPIED}
    return dict(objects.labels(service)), annotations, spec


def _asks_for_families(spec: Obj) -> bool:
    """Whether a spec says of how many families the addresses are to be."""
    return "ipFamilyPolicy" in spec or len(spec.get("ipFamilies") or ()) > 1 or len(spec.get("clusterIPs") or ()) > 1


def _with_allocated(spec: Obj, live: Obj) -> list[Obj]:
    """Return the ports as the apiserver shows them: with defaults, and with the ports of the nodes that it drew."""
    drawn = {(port["port"], port.get("protocol")): port.get("nodePort") for port in live.get("ports") or ()}
    has_node_ports = spec.get("type") in ("NodePort", "LoadBalancer")
    ports = []
    for port in spec["ports"]:
        full = {"protocol": "TCP", "targetPort": port["port"]}
        full |= {field: value for field, value in port.items() if value not in (None, "", 0)}
        node_port = drawn.get((full["port"], full["protocol"]))
        ports.append({"nodePort": node_port} | full if has_node_ports and node_port else full)
    return ports


def _difference(live: Mapping[str, object], wanted: Mapping[str, object], copied: Collection[str]) -> Obj:
    """Return the part of a merge patch that puts in what is wanted and takes out what no longer is."""
    gone: Obj = {key: None for key in copied if key in live and key not in wanted}
    return gone | {key: value for key, value in wanted.items() if live.get(key) != value}


def _copied(labels: Obj, annotations: Obj, spec: Obj) -> str:
    parts = {"annotations": sorted(annotations), "labels": sorted(labels), "spec": sorted(spec)}
    return orjson.dumps({part: keys for part, keys in parts.items() if keys}).decode()


def _remembered(core: Obj) -> Mapping[str, Collection[str]]:
    """Return what the core Service has from us; an annotation that cannot be read says: nothing."""
    try:
        found = orjson.loads(objects.annotations(core).get(COPIED, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
