"""Starts and stops what a process consists of: leader election, informers, controllers, events.

Order matters in both directions. Starting: the lease, then the caches, and only then the first plan.
Stopping: no new keys, what is in flight ends, then the lease goes to the next.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from operators.core import nodes, pods
from operators.core.nodes import NODES
from operators.core.objects import PODS, Obj, Resource
from operators.runtime.client import Requests
from operators.runtime.controller import Controller, Loop
from operators.runtime.events import Recorder
from operators.runtime.informer import Informer, Informers
from operators.runtime.lease import Lease
from operators.runtime.wake import obj_indexers, pod_indexers
from operators.runtime.writer import Writer

log = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds that syncs under way get to end when the process is asked to stop."""

FLUSH = 5.0
"""Seconds that events get to be sent after that."""


class Manager:
    """All the controllers of one process. lease None means that there is nobody to compete with."""

    def __init__(self, client: Requests, controllers: Iterable[Controller[Any]], lease: Lease | None) -> None:
        self._client = client
        self._lease = lease
        self._may_write: Callable[[], bool] = lease.may_write if lease else lambda: True
        controllers = tuple(controllers)
        self.informers = Informers()
        for resource in sorted({r for c in controllers for r in _resources(c)}, key=str):
            self.informers.add(_informer(client, resource))
        self._recorders = {c.name: Recorder(client, f"{c.name}-controller") for c in controllers}
        # What runs beside a loop speaks under the plain name: what it has to say often uses up no other event's turn.
        self._recorders |= {f"{c.name} beside": Recorder(client, c.name) for c in controllers if c.beside}
        self.loops = [
            Loop(c, self.informers, Writer(client, self._recorders[c.name], self._may_write)) for c in controllers
        ]

    @property
    def is_ready(self) -> bool:
        """Whether it does its part: the leader once its caches are filled, a candidate by waiting for its turn."""
        return not self._may_write() or all(informer.synced.is_set() for informer in self.informers)

    @property
    def leads(self) -> bool:
        """Whether it is this process that controls."""
        return self._may_write()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set or leadership is lost. Raises whatever ends it before that."""
        tasks = [asyncio.create_task(stop.wait(), name="stop"), asyncio.create_task(self._lead(), name="leader")]
        tasks += [asyncio.create_task(recorder.run(), name=name) for name, recorder in self._recorders.items()]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._stop(tasks)

    async def _lead(self) -> None:
        """Become the leader, run the controllers, and return once leadership is lost.

        The caches are filled only now: so their first list, a quorum read, has all that another leader may have
        written a moment ago. A candidate costs the apiserver nothing but the look at the lease.
        """
        if self._lease:
            await self._lease.acquire()
        async with asyncio.TaskGroup() as group:
            control = group.create_task(self._control(), name="controllers")
            if self._lease:
                await self._lease.hold()
                log.error("leadership lost")
                control.cancel()

    async def _control(self) -> None:
        """Fill the caches, then let the controllers work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self.informers:
                group.create_task(informer.run(), name=str(informer.resource))
            await self.informers.synced()
            for loop in self.loops:
                loop.listen()
                loop.start()
                group.create_task(self._beside(loop), name=f"{loop.controller.name} beside")
            log.info("running %s", ", ".join(loop.controller.name for loop in self.loops))

    async def _beside(self, loop: Loop[Any]) -> None:
        recorder = self._recorders.get(f"{loop.controller.name} beside")
        if recorder is not None:
            await loop.beside(self._client, lambda say: recorder.record(say.about or {}, say))

    async def _stop(self, tasks: list[asyncio.Task[Any]]) -> None:
        ended = await asyncio.gather(*(loop.stop(GRACE) for loop in self.loops))
        if not all(ended):
            log.warning("syncs did not end within %.0f s and were broken off: the lease has to run out", GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._lease and all(ended):  # a write that was broken off may yet take effect: then the lease runs out
            await self._lease.release()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH):
                await asyncio.gather(*(recorder.flush() for recorder in self._recorders.values()))


def _resources(controller: Controller[Any]) -> Iterable[Resource]:
    return (controller.resource, *(watch.resource for watch in controller.watches))


def _informer(client: Requests, resource: Resource) -> Informer[Any]:
    """Pods are cached as the few facts that rules ask for, nodes without what none asks for, all else as it is."""
    if resource == PODS:
        return Informer(client, resource, pods.parse, pod_indexers())
    indexers: Mapping[str, Callable[[Obj], Iterable[str]]] = obj_indexers()
    return Informer(client, resource, nodes.trim if resource == NODES else lambda obj: obj, indexers)
