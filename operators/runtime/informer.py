"""Shared informers: one list and watch per resource, and the cache that every controller reads.

Mirrors client-go's Reflector and SharedIndexInformer, with these promises:

- Subscribers hear of every change of the cache, once, as (old, new); a deletion is (old, None).
- A list, the first or after a 410, is compared with the cache: what is no longer there is reported as deleted.
- `revision` is the newest resourceVersion that the cache reflects, so that a write can be waited for.
- A watch that is silent for longer than bookmarks allow is taken for dead and begun anew.
- An object that cannot be read is counted, logged and passed over; the others go on.
"""

import asyncio
import heapq
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import orjson

from operators.core.objects import Key, Obj, Resource
from operators.runtime import metrics
from operators.runtime.client import ApiError, Requests, path

log = logging.getLogger(__name__)

T = TypeVar("T")

PAGE = 500
STALL_AFTER = 95.0
"""Seconds of silence after which a watch counts as dead: the apiserver sends a bookmark about every minute."""
_BATCH = 100
"""Events handled before others get their turn on the event loop."""

Subscriber = Callable[[T | None, T | None], None]


class Informer(Generic[T]):
    """The cache of one resource.

    parse reads an object into what the cache holds; indexers name the keys under which `by` finds it. With `fields`, a
    field selector, others are not there: what is selected no longer is reported as deleted.
    """

    def __init__(
        self,
        client: Requests,
        resource: Resource,
        parse: Callable[[Obj], T],
        indexers: Mapping[str, Callable[[T], Iterable[str]]],
        fields: str = "",
    ) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self.revision = 0
        self._client = client
        self._parse = parse
        self._indexers = indexers
        self._selecting = {"fieldSelector": fields} if fields else {}
        self._objects: dict[Key, T] = {}
        self._versions: dict[Key, int] = {}
        self._indexes: dict[str, defaultdict[str, dict[Key, T]]] = {i: defaultdict(dict) for i in indexers}
        self._subscribers: list[Subscriber[T]] = []
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._gauge = metrics.informer_objects.labels(str(resource))
        self._backoff = 0.0

    def get(self, key: Key) -> T | None:
        """Return the object, if the cache has it."""
        return self._objects.get(key)

    def by(self, index: str, value: str) -> list[T]:
        """Return the objects under a value of an index, in no order."""
        found = self._indexes[index].get(value)
        return list(found.values()) if found else []

    def all(self) -> list[T]:
        """Return every object."""
        return list(self._objects.values())

    def keys(self) -> list[Key]:
        """Return the key of every object."""
        return list(self._objects)

    def subscribe(self, subscriber: Subscriber[T], *, replay: bool = True) -> None:
        """Call `subscriber(old, new)` at each change; with `replay`, what is in the cache already as (None, new)."""
        self._subscribers.append(subscriber)
        for obj in self._objects.values() if replay else ():
            subscriber(None, obj)

    def when_reached(self, revision: int, call: Callable[[], None]) -> None:
        """Call once the cache reflects `revision`; at once if it does."""
        if self.revision >= revision:
            call()
        else:
            heapq.heappush(self._waiting, (revision, id(call), call))

    async def run(self) -> None:
        """List and watch until cancelled."""
        cause = "start"
        while True:
            try:
                if cause:
                    await self._list(cause)
                    cause = ""
                if await self._watch():
                    self._backoff = 0.0
                else:
                    await self._pause()
            except ApiError as error:
                if error.status == 410:
                    cause = "gone"
                else:
                    log.warning("%s: %s", self.resource, error.message)
                    await self._pause()
            except Exception:  # a defect must not end the cache for good
                log.exception("%s: the watch failed", self.resource)
                cause = "defect"
                await self._pause()

    async def _pause(self) -> None:
        """Wait 0.1 s, doubling to 30 s, with jitter so that replicas do not come back together."""
        self._backoff = min(30.0, self._backoff * 2 or 0.1)
        await asyncio.sleep(self._backoff * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, keeps no secret

    async def _list(self, cause: str) -> None:
        """Read every page, then make the cache equal to it, deletions included."""
        metrics.informer_relists.labels(str(self.resource), cause).inc()
        found: list[Obj] = []
        params = {"limit": str(PAGE), **self._selecting}
        while True:
            page = await self._client.request("GET", path(self.resource), params=params)
            found += page.get("items") or ()
            if not (token := page["metadata"].get("continue")):
                break
            params["continue"] = token
        gone = set(self._objects)
        for obj in found:
            obj.setdefault("apiVersion", self.resource.api_version)
            obj.setdefault("kind", self.resource.kind)
            gone.discard((obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
            self._store(obj)
        for key in gone:
            self._remove(key)
        self._advance(int(page["metadata"]["resourceVersion"]))
        self.synced.set()

    async def _watch(self) -> bool:
        """Follow changes from `revision` on, until the server ends the watch; False where it does so at once."""
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(self.revision),
            "timeoutSeconds": str(random.randint(300, 600)),  # noqa: S311 - as client-go: 5 to 10 minutes
            **self._selecting,
        }
        count, started = 0, time.monotonic()
        async for line in self._client.watch(path(self.resource), params, STALL_AFTER):
            self._handle(orjson.loads(line))
            count += 1
            if count % _BATCH == 0:
                await asyncio.sleep(0)
        return count > 0 or time.monotonic() - started > 1

    def _handle(self, event: Obj) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiError(obj.get("code", 500), obj.get("reason", ""), obj.get("message", ""), obj)
        self._backoff = 0.0
        if kind == "DELETED":
            self._remove((obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
        elif kind != "BOOKMARK":
            self._store(obj)
        self._advance(int(obj["metadata"]["resourceVersion"]))

    def _store(self, obj: Obj) -> None:
        """Put an object into the cache, unless what is there is as new."""
        meta = obj["metadata"]
        key, version = (meta.get("namespace", ""), meta["name"]), int(meta["resourceVersion"])
        if version <= self._versions.get(key, -1):
            return
        meta.pop("managedFields", None)
        try:
            new = self._parse(obj)
        except Exception:  # whatever is wrong with it, the other objects must go on
            metrics.informer_malformed.labels(str(self.resource)).inc()
            log.exception("%s %s/%s cannot be read", self.resource, *key)
            return
        old = self._objects.get(key)
        if old is not None:
            self._unindex(key, old)
        self._objects[key], self._versions[key] = new, version
        for index, values in self._indexers.items():
            for value in values(new):
                self._indexes[index][value][key] = new
        self._gauge.set(len(self._objects))
        self._publish(old, new)

    def _remove(self, key: Key) -> None:
        old = self._objects.pop(key, None)
        self._versions.pop(key, None)
        if old is not None:
            self._unindex(key, old)
            self._gauge.set(len(self._objects))
            self._publish(old, None)

    def _unindex(self, key: Key, old: T) -> None:
        for index, values in self._indexers.items():
            for value in values(old):
                entries = self._indexes[index][value]
                entries.pop(key, None)
                if not entries:
                    del self._indexes[index][value]

    def _publish(self, old: T | None, new: T | None) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(old, new)
            except Exception:  # one subscriber's defect is not the next one's
                log.exception("%s: a subscriber failed", self.resource)

    def _advance(self, revision: int) -> None:
        self.revision = max(self.revision, revision)
        while self._waiting and self._waiting[0][0] <= self.revision:
            heapq.heappop(self._waiting)[2]()


class Informers:
    """The informers of one process, one per resource, by what they serve."""

    def __init__(self) -> None:
        self._all: dict[Resource, Informer[Any]] = {}

    def add(self, informer: Informer[Any]) -> None:
        """Register an informer; there is one per resource."""
        self._all[informer.resource] = informer

    def __getitem__(self, resource: Resource) -> Informer[Any]:
        return self._all[resource]

    def get(self, resource: Resource) -> Informer[Any] | None:
        """Return the informer of a resource, if there is one."""
        return self._all.get(resource)

    def __iter__(self) -> Iterator[Informer[Any]]:
        return iter(self._all.values())

    async def synced(self) -> None:
        """Wait until each has its first list."""
        for informer in self._all.values():
            await informer.synced.wait()
