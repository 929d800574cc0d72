"""How the operator reaches the world: requests that take time and fail, watches that lag, break and expire."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from operators.core.objects import Obj, Resource
from operators.runtime.client import STRATEGIC_MERGE_PATCH, ApiError
from tests.properties import rights
from tests.properties.store import ALL, Store, copy, event

Fault = Literal["conflict", "quota", "throttled", "broken", "unsent", "unanswered"]
"""What befalls a write: 409, 403, 429, 500 before it took effect; no answer, and it did not, or it did, take effect."""

REFUSALS: Mapping[Fault, ApiError] = {
    "conflict": ApiError(409, "Conflict", "the object has been modified"),
    "quota": ApiError(403, "Forbidden", "exceeded quota"),
    "throttled": ApiError(429, "TooManyRequests", "try again later"),
    "broken": ApiError(500, "InternalError", "etcdserver: leader changed"),
    "unsent": ApiError(0, "NoAnswer", "connection refused"),
}

_UNANSWERED_AT_MOST = 2
"""How often in a row one write gets no answer: fewer than the writer's tries."""


@dataclass
class Network:
    """What the way between operator and apiserver is like at the moment."""

    faults: list[Fault] = field(default_factory=list)
    held: dict[Resource, int] = field(default_factory=dict)
    """The resources whose watches show nothing newer than a version."""
    breaks: Counter[Resource] = field(default_factory=Counter)
    compacted: dict[Resource, int] = field(default_factory=dict)
    budget_refuses: bool = False
    """Whether a disruption budget lets no pod be evicted."""
    latency: float = 0.005
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def pulse(self) -> None:
        """Let the watches look again: something was written, or the network changed."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def news(self) -> None:
        """Wait for the next pulse."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


class Connection:
    """The `Requests` of one operator process, to a store over a network."""

    def __init__(self, store: Store, network: Network) -> None:
        self._store = store
        self._network = network
        self._lost: defaultdict[tuple[str, str, str], int] = defaultdict(int)

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Take effect after one latency and answer after another, unless something befalls the request."""
        await asyncio.sleep(self._network.latency)
        fault = self._fault(method, url, body) if method != "GET" else None
        if fault is not None and fault in REFUSALS:
            error = REFUSALS[fault]
            raise ApiError(error.status, error.reason, error.message)
        answer = self._serve(method, url, body or {}, content_type)
        await asyncio.sleep(self._network.latency)
        if fault == "unanswered":
            raise ApiError(0, "NoAnswer", "connection reset")
        return answer

    def _fault(self, method: str, url: str, body: Obj | None) -> Fault | None:
        if not self._network.faults:
            return None
        request = (method, url, str(((body or {}).get("metadata") or {}).get("name")))
        fault = self._network.faults.pop(0)
        if fault in ("unanswered", "unsent", "broken"):
            self._lost[request] += 1
            if self._lost[request] > _UNANSWERED_AT_MOST:
                self._lost[request] = 0
                return None
        return fault

    def _serve(self, method: str, url: str, body: Obj, content_type: str) -> Obj:
        resource, namespace, name, subresource = _parse(url)
        rights.note(method, resource, name, subresource)
        target, store = (namespace, name), self._store
        match method:
            case "GET" if not name:
                return {"metadata": {"resourceVersion": str(store.version)}, "items": copy(store.all(resource))}
            case "GET":
                return dict(copy(store.get(resource, target)))
            case "POST" if subresource == "eviction":
                if self._network.budget_refuses:
                    raise ApiError(429, "TooManyRequests", "it would violate the pod's disruption budget")
                uid = body["deleteOptions"]["preconditions"]["uid"]
                return store.delete(resource, target, uid_=uid, by_operator=True)
            case "POST":
                return store.create(resource, body, by_operator=True)
            case "PATCH" if content_type == STRATEGIC_MERGE_PATCH:
                return store.patch_strategically(target, body, by_operator=True)
            case "PATCH":
                return store.patch(resource, target, body, by_operator=True)
            case "PUT" if subresource == "status":
                return store.put_status(resource, target, body, by_operator=True)
            case "DELETE":
                uid = (body.get("preconditions") or {}).get("uid", "")
                return store.delete(resource, target, uid_=uid, by_operator=True)
        raise AssertionError((method, url))

    async def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """Show what happened since a version, in order and each once, as late as the network likes."""
        resource, network = _parse(url)[0], self._network
        rights.note_watch(resource)
        seen, breaks = int(params["resourceVersion"]), network.breaks[resource]
        if seen < network.compacted.get(resource, 0):
            raise ApiError(410, "Expired", "too old resource version")
        while True:
            if network.breaks[resource] != breaks:
                raise ApiError(0, "NoAnswer", "connection reset")
            limit = network.held.get(resource)
            for change in self._store.since(resource, seen):
                if limit is not None and change.version > limit:
                    break
                seen = change.version
                yield event(change)
            await network.news()
            await asyncio.sleep(network.latency)


def _parse(url: str) -> tuple[Resource, str, str, str]:
    """Read a path as operators.runtime.client.path writes it."""
    parts = url.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    resource = next(r for r in ALL if (r.group, r.plural) == (group, rest[0]))
    return resource, namespace, rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else ""
