"""A watch of the benchmark's own: it tells, to the moment, when objects have got where they should."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Self

import orjson

from operators.core.objects import Obj, Resource
from operators.runtime.client import Client, path
from tests.support.during import during

_SILENCE = 300.0


class Following:
    """The objects of a resource in one namespace, as a watch shows them."""

    def __init__(self) -> None:
        self._objects: dict[str, Obj] = {}
        self._arrived: Callable[[Obj], bool] = lambda _: False
        self._there: set[str] = set()
        self._count = 0
        self._done = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, client: Client, resource: Resource, namespace: str) -> AsyncIterator[Self]:
        """Follow until the block ends."""
        following = cls()
        url = path(resource, namespace)
        listed = await client.request("GET", url)
        for obj in listed["items"]:
            following._take(obj | {"kind": resource.kind})
        async with during(following._run(client, url, listed["metadata"]["resourceVersion"])):
            yield following

    async def until(
        self, arrived: Callable[[Obj], bool], *, generation: int = 1, count: int = 1, at_most: float = 300.0
    ) -> float:
        """Wait until so many objects, of this generation or later, have arrived.

        Returns the moment, on time.perf_counter. Raises TimeoutError.
        """
        self._arrived = lambda obj: obj["metadata"]["generation"] >= generation and arrived(obj)
        self._count = count
        self._there.clear()
        self._done.clear()
        for obj in list(self._objects.values()):
            self._take(obj)
        try:
            await asyncio.wait_for(self._done.wait(), at_most)
        except TimeoutError:
            raise TimeoutError(f"{len(self._there)} of {count} after {at_most:.0f} s") from None
        return self._moment

    async def _run(self, client: Client, url: str, revision: str) -> None:
        async for change, obj in changes(client, url, revision):
            if change == "DELETED":
                name = obj["metadata"]["name"]
                self._objects.pop(name, None)
                self._there.discard(name)
            else:
                self._take(obj)

    def _take(self, obj: Obj) -> None:
        name = obj["metadata"]["name"]
        self._objects[name] = obj
        if self._arrived(obj):
            self._there.add(name)
        else:
            self._there.discard(name)
        if self._count and len(self._there) >= self._count and not self._done.is_set():
            self._moment = time.perf_counter()
            self._done.set()


async def changes(client: Client, url: str, revision: str) -> AsyncIterator[tuple[str, Obj]]:
    """Watch on and on: the apiserver ends watches of custom resources soon after their definition has come."""
    while True:
        async for line in client.watch(url, {"watch": "true", "resourceVersion": revision}, _SILENCE):
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                raise RuntimeError(event["object"]["message"])
            revision = event["object"]["metadata"]["resourceVersion"]
            yield event["type"], event["object"]
