"""How a pod becomes an endpoint, and which ports it has there. Mirrors k8s.io/endpointslice/utils.go."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeAlias

from operators.core import nodes, objects
from operators.core.objects import Obj
from operators.core.pods import Pod

Identity: TypeAlias = tuple[tuple[str, ...], str, str, str]
"""What makes two endpoints the same one: addresses, hostname, and the namespace and name of what they refer to."""

Ports: TypeAlias = tuple[tuple[str, str, int, str], ...]
"""The ports of a slice in an order of their own, to be compared."""


def belongs(pod: Pod) -> bool:
    """Whether a pod is an endpoint at all, ready or not: it has an address, and has not ended."""
    return bool(pod.ips) and not pod.is_terminated


def endpoint(pod: Pod, node: Obj | None, service: Obj, family: str) -> Obj | None:
    """Return a pod as an endpoint, or None where it has no address of the family."""
    addresses = sorted(text for is_of, text in map(_address, pod.ips) if is_of == family)
    if not addresses:
        return None
    serving = pod.ready and not pod.is_kept_out  # what a probe has just said, the kubelet will say in its time
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not pod.terminating)
    made: Obj = {
        "addresses": addresses,
        "conditions": {"ready": ready, "serving": serving, "terminating": pod.terminating},
        "targetRef": {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid},
    }
    if pod.node:
        made["nodeName"] = pod.node
    if node is not None and (zone := nodes.zone(node)):
        made["zone"] = zone
    if pod.hostname and pod.subdomain == objects.name(service):
        made["hostname"] = pod.hostname
    return made


def ports(service: Obj, pod: Pod) -> list[Obj]:
    """Return the Service's ports with the numbers that they have in a pod, less those that it does not have."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = _number(port, pod)
        if number is not None:
            made = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            app = port.get("appProtocol")
            found.append(made if app is None else made | {"appProtocol": app})
    return found


def ports_key(ports: list[Obj]) -> Ports:
    """Return what two slices of one Service have in common if they have the same ports."""
    return tuple(sorted((p.get("name") or "", p.get("protocol") or "", p.get("port") or 0, p.get("appProtocol") or "")
                        for p in ports))  # fmt: skip


def identity(endpoint: Obj) -> Identity:
    """Return what an endpoint is recognised by."""
    target = endpoint.get("targetRef") or {}
    addresses = endpoint["addresses"]
    return (
        tuple(addresses) if len(addresses) == 1 else tuple(sorted(addresses)),
        endpoint.get("hostname") or "",
        target.get("namespace") or "",
        target.get("name") or "",
    )


def is_same(first: Obj, second: Obj) -> bool:
    """Whether two endpoints of one identity say the same, hints aside."""
    return (
        first.get("conditions") == second.get("conditions")
        and first.get("nodeName") == second.get("nodeName")
        and first.get("zone") == second.get("zone")
        and _target(first) == _target(second)
    )


def is_ready(endpoint: Obj) -> bool:
    """Whether an endpoint takes connections."""
    return bool((endpoint.get("conditions") or {}).get("ready"))


def _target(endpoint: Obj) -> dict[str, Any]:
    """Return what an endpoint refers to, in whichever version."""
    return {field: value for field, value in (endpoint.get("targetRef") or {}).items() if field != "resourceVersion"}


def _number(port: Obj, pod: Pod) -> int | None:
    """Return the number that a Service's port leads to."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    return next((number for name, of, number in pod.named_ports if name == target and of == protocol), None)


@lru_cache(maxsize=65536)
def _address(text: str) -> tuple[str, str]:
    """Return the family of an address, and the address as it is written; an irregular one is written properly."""
    try:
        if ":" not in text:
            return "IPv4", str(IPv4Address(".".join(str(int(part)) for part in text.split("."))))
        address = IPv6Address(text)
    except ValueError:
        return "", text
    mapped = address.ipv4_mapped
    return ("IPv4", str(mapped)) if mapped else ("IPv6", str(address))
