"""The same Service with the same pods twice: with kube-controller-manager's slices, and of our group with ours.

What is compared is what kube-proxy and DNS read of the slices: which endpoints, how, with which ports and others.
Left out are names, UIDs, the pods' addresses (which have to be the pods' own) and when a change was triggered.
"""

import asyncio
import difflib
import pprint
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from operators.core.endpointslice import ENDPOINTSLICES, MANAGERS
from operators.core.objects import KOPFWERK, PODS, Obj, annotations, labels, services
from operators.runtime.client import MERGE_PATCH, Client, path
from tests.parity.pair import PATIENCE, QUIET_FOR, DifferenceError

MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
_EVERY: Final = 0.3

Seen = tuple[Obj, ...]
"""The slices of a side, in an order of their own."""
Want = Callable[[Seen], bool]


class Slices:
    """Both sides. What is done is done to each of them at once."""

    def __init__(self, admin: Client, unique: str) -> None:
        self._admin = admin
        self._groups = {f"{unique}-up": "", f"{unique}-our": KOPFWERK}

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Upstream's and ours."""
        return tuple(self._groups)

    async def service(self, name: str = "web", *, meta: Obj | None = None, **spec: Any) -> None:
        """Create a Service that selects app=web and has the port 80, unless told otherwise."""
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
        spec = {field: value for field, value in spec.items() if value is not None}
        for namespace, group in self._groups.items():
            resource = services(group)
            body = {"apiVersion": resource.api_version, "kind": "Service", "spec": spec}
            body["metadata"] = {"name": name, **(meta or {})}
            await self._admin.request("POST", path(resource, namespace), body)

    async def pods(self, *names: str, node: str = "node-1", sim: Obj | None = None, **more: Any) -> None:
        """Create pods app=web on a node; `more` is put into their spec, `labels` replaces their labels."""
        meta: Obj = {"labels": more.pop("labels", {"app": "web"})}
        meta["annotations"] = {f"sim.kopfwerk.dev/{key}": value for key, value in (sim or {}).items()}
        port = {"name": "http", "containerPort": 8080}
        spec = {"nodeName": node, "containers": [{"name": "app", "image": "app:1", "ports": [port]}], **more}
        bodies = ({"metadata": meta | {"name": name}, "spec": spec} for name in names)
        await asyncio.gather(
            *(self._admin.request("POST", path(PODS, namespace), body) for body in bodies for namespace in self._groups)
        )

    async def edit(self, name: str = "web", *, meta: Obj | None = None, **spec: Any) -> None:
        """Change a Service."""
        body = {"metadata": meta or {}, "spec": spec}
        for namespace, group in self._groups.items():
            url = path(services(group), namespace, name)
            await self._admin.request("PATCH", url, body, content_type=MERGE_PATCH)

    async def delete(self, name: str = "web") -> None:
        """Delete a Service."""
        for namespace, group in self._groups.items():
            await self._admin.request("DELETE", path(services(group), namespace, name))

    async def change_pod(self, *names: str, **labels: str | None) -> None:
        """Change labels of pods."""
        await self._change_pods(names, {"metadata": {"labels": labels}})

    async def simulate(self, *names: str, **sim: str | None) -> None:
        """Have pods behave differently."""
        behaviour = {f"sim.kopfwerk.dev/{key.replace('_', '-')}": value for key, value in sim.items()}
        await self._change_pods(names, {"metadata": {"annotations": behaviour}})

    async def _change_pods(self, names: Iterable[str], body: Obj) -> None:
        for namespace in self._groups:
            for name in names:
                url = path(PODS, namespace, name)
                await self._admin.request("PATCH", url, body, content_type=MERGE_PATCH)

    async def delete_pods(self, *names: str) -> None:
        """Delete pods."""
        await asyncio.gather(
            *(self._admin.request("DELETE", path(PODS, space, name)) for name in names for space in self._groups)
        )

    async def foreign(self, name: str, manager: str | None, service: str = "web") -> None:
        """Create a slice that somebody else, or nobody, says to manage."""
        marks = {"kubernetes.io/service-name": service, **({MANAGED_BY: manager} if manager else {})}
        body: Obj = {"metadata": {"name": name, "labels": marks}, "addressType": "IPv4", "ports": []}
        body["endpoints"] = [{"addresses": ["192.0.2.1"]}]
        for namespace in self._groups:
            await self._admin.request("POST", path(ENDPOINTSLICES, namespace), body)

    async def own_slices(self, namespace: str) -> list[Obj]:
        """Return the slices that a side keeps, as the apiserver has them."""
        found = await self._admin.request("GET", path(ENDPOINTSLICES, namespace))
        manager = MANAGERS[self._groups[namespace]]
        return [obj for obj in found["items"] if labels(obj).get(MANAGED_BY) == manager]

    async def tamper(self, body: Obj) -> None:
        """Change each slice that a side keeps."""
        for namespace in self._groups:
            for slice_ in await self.own_slices(namespace):
                url = path(ENDPOINTSLICES, namespace, slice_["metadata"]["name"])
                await self._admin.request("PATCH", url, body, content_type=MERGE_PATCH)

    async def lose(self) -> None:
        """Delete each slice that a side keeps."""
        for namespace in self._groups:
            for slice_ in await self.own_slices(namespace):
                await self._admin.request("DELETE", path(ENDPOINTSLICES, namespace, slice_["metadata"]["name"]))

    async def agree(self, want: Want, *, patience: float = PATIENCE, in_company: bool = True) -> Seen:
        """Wait until both sides show what is wanted, show the same and stay so; return what ours shows.

        in_company: whether it matters which endpoints share a slice; where there are many, that is chance. Raises
        DifferenceError once nothing has changed for `patience` seconds.
        """
        since, before = time.monotonic(), None
        while True:
            upstream, ours = await asyncio.gather(*map(self._look, self._groups))
            if not in_company:
                upstream, ours = _merged(upstream), _merged(ours)
            now, moment = (upstream, ours), time.monotonic()
            if now != before:
                before, since = now, moment
            agreed = upstream == ours and want(upstream)
            if agreed and moment - since >= QUIET_FOR:
                return ours
            if moment - since > patience:
                raise DifferenceError(_explain(upstream, ours))
            await asyncio.sleep(_EVERY)

    async def _look(self, namespace: str) -> Seen:
        slices, pods = await asyncio.gather(
            self._admin.request("GET", path(ENDPOINTSLICES, namespace)),
            self._admin.request("GET", path(PODS, namespace)),
        )
        addresses = {pod["metadata"]["name"]: pod["status"].get("podIPs") for pod in pods["items"]}
        shown = (_slice(slice_, addresses, MANAGERS[self._groups[namespace]]) for slice_ in slices["items"])
        return tuple(sorted(shown, key=repr))


def _slice(slice_: Obj, addresses: dict[str, Any], manager: str) -> Obj:
    meta = slice_["metadata"]
    marks = {key: value for key, value in labels(slice_).items() if key != MANAGED_BY}
    said = labels(slice_).get(MANAGED_BY)
    return {
        "type": slice_["addressType"],
        "labels": marks,
        "manager": "own" if said == manager else said,
        "annotations": sorted(key for key in annotations(slice_) if "trigger-time" not in key),
        "prefix": meta.get("generateName") or meta["name"],
        "owners": [(ref["apiVersion"], ref["kind"], ref["name"], ref.get("controller"))
                   for ref in meta.get("ownerReferences") or ()],
        "ports": sorted(slice_.get("ports") or [], key=repr),
        "endpoints": sorted((_endpoint(e, addresses) for e in slice_.get("endpoints") or ()), key=repr),
    }  # fmt: skip


def _merged(seen: Seen) -> Seen:
    """Return slices that are alike but for their endpoints as one."""
    found: dict[str, Obj] = {}
    for slice_ in seen:
        alike = repr({key: value for key, value in slice_.items() if key != "endpoints"})
        before = found.get(alike, {}).get("endpoints", [])
        found[alike] = slice_ | {"endpoints": sorted([*before, *slice_["endpoints"]], key=repr)}
    return tuple(found[alike] for alike in sorted(found))


def _endpoint(endpoint: Obj, addresses: dict[str, Any]) -> Obj:
    """Return an endpoint by its pod, whose address it has to have."""
    target = endpoint.get("targetRef") or {}
    name = str(target.get("name"))
    own = [entry["ip"] for entry in addresses.get(name) or ()]
    shown = {key: value for key, value in endpoint.items() if key not in ("addresses", "targetRef")}
    is_own = endpoint["addresses"] == own
    return {
        "pod": target.get("name"),
        "kind": target.get("kind"),
        "addresses": "own" if is_own else endpoint["addresses"],
        **shown,
    }


def _explain(upstream: Seen, ours: Seen) -> str:
    sides = [pprint.pformat(side, width=160).splitlines() for side in (upstream, ours)]
    lines = list(difflib.unified_diff(sides[0], sides[1], "upstream", "ours", lineterm="", n=2))
    return "\n".join(lines or ["neither side came to what is wanted:", *sides[0]])


def endpoints(seen: Seen) -> list[Obj]:
    """Return the endpoints of all slices."""
    return [endpoint for slice_ in seen for endpoint in slice_["endpoints"]]


def ready(*names: str) -> Want:
    """Say that these pods are the ready endpoints, each once."""

    def holds(seen: Seen) -> bool:
        found = Counter(e["pod"] for e in endpoints(seen) if e["conditions"].get("ready") and e["pod"])
        return found == Counter(names)

    return holds


def listed(count: int, *, ready: int | None = None) -> Want:
    """Say how many endpoints there are, and how many of them are ready."""

    def holds(seen: Seen) -> bool:
        found = endpoints(seen)
        good = sum(bool(e["conditions"].get("ready")) for e in found)
        return len(found) == count and ready in (None, good)

    return holds


def sizes(*wanted: int) -> Want:
    """Say how many endpoints the slices have, in any order."""
    return lambda seen: sorted(len(slice_["endpoints"]) for slice_ in seen) == sorted(wanted)


def every(*wants: Want) -> Want:
    """Say that all of it holds."""
    return lambda seen: all(want(seen) for want in wants)
