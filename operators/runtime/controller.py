"""What a controller is, and the loop that runs one: take a key, look, plan, write, report.

Reconciling is level-triggered. Whatever wakes a key only queues it; the loop reads everything anew from the caches, and
whatever goes wrong queues the key again. A key is never worked on twice at once, and not before the caches have seen
what was last written for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from operators.core import objects
from operators.core.objects import Key, Obj, Resource
from operators.core.plan import Exists, Outcome, Plan, Say
from operators.runtime import metrics
from operators.runtime.client import ApiError, Requests
from operators.runtime.freshness import TIMEOUT, Freshness
from operators.runtime.informer import Informers
from operators.runtime.state import Family
from operators.runtime.workqueue import WorkQueue
from operators.runtime.writer import NotLeadingError, Writer

log = logging.getLogger(__name__)

O = TypeVar("O")  # noqa: E741 - what is observed

Wake = Callable[[Informers, Any, Any], Iterable[Key]]
"""Names the keys to queue at a change (old, new) of the cache; one of the two may be None."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A resource whose changes wake keys of a controller."""

    resource: Resource
    wakes: Wake
    after: float = 0.0
    """Seconds in which further changes are waited for, where they come in swarms and each sync looks at all objects."""
    replay: bool = False
    """Whether objects that are there at the start wake keys too: those of objects that are gone."""


@dataclass(frozen=True, slots=True)
class Writes:
    """What a controller's plans may do to a resource, in RBAC's words: the operator gets these rights and no more."""

    resource: Resource
    verbs: tuple[str, ...]
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What whatever runs beside a controller's loop has to do with: the loop it tells of what no cache tells of."""

    informers: Informers
    client: Requests
    wake: Callable[[Key, float], None]
    """Queues a key in some seconds."""
    say: Callable[[Say], None]
    """Records an event, which has to say what it is about."""


@dataclass(frozen=True, slots=True)
class Sync:
    """How a sync ended: what came of its writes, the status that it wrote, None where it wrote none."""

    outcome: Outcome
    status: Obj | None
    seconds: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Controller(Generic[O]):
    """The declaration of a controller: all that distinguishes one kind from another outside of its rules."""

    name: str
    resource: Resource
    watches: tuple[Watch, ...]
    observe: Callable[[Informers, Obj, datetime], O]
    plan: Callable[[O], Plan]
    report: Callable[[O, Outcome], Obj | None]
    writes: tuple[Writes, ...]
    """Besides its own status."""
    reports: bool = True
    """Whether it writes a status at all: without, it has no right to."""
    state: tuple[Family, ...] = ()
    """The state metrics of its objects."""
    measure: Callable[[O, Plan], None] = lambda _observed, _plan: None
    """Puts into metrics what is worth knowing of a plan."""
    remember: Callable[[O, frozenset[str]], None] = lambda _observed, _what: None
    """Keeps what a plan asks to have remembered, before it is carried out, for `observe` to tell at later syncs."""
    ended: Callable[[O, Sync], None] = lambda _observed, _sync: None
    """Puts into metrics how a sync ended."""
    announce: Callable[[O, Obj], Iterable[Say]] = lambda _observed, _status: ()
    """Returns the events to record once a status is written."""
    gone: Callable[[Informers, Key], Plan] = lambda _informers, _key: Plan()
    """Decides what to do where there is no object of a key (any more). Its plan may only patch and delete."""
    beside: Callable[[Surroundings], Awaitable[None]] | None = None
    """Runs beside the loop, from when the caches are filled until it is cancelled."""
    workers: int = 5
    """Upstream's number. More would be busy with what one write a moment later covers: that costs the apiserver."""


class Loop(Generic[O]):
    """Runs one controller."""

    def __init__(
        self,
        controller: Controller[O],
        informers: Informers,
        writer: Writer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.controller = controller
        self.queue = WorkQueue(controller.name)
        self._informers = informers
        self._writer = writer
        self._now = now
        self._fresh = Freshness(informers)
        self._counts = metrics.SyncCounts(controller.name)
        self._workers: list[asyncio.Task[None]] = []
        self._stopping = False

    def listen(self) -> None:
        """Let changes of the caches wake keys.

        The objects of its own that there are already wake theirs; so those of the other resources need not.
        """
        self._informers[self.controller.resource].subscribe(self._parent_changed)
        for watch in self.controller.watches:
            self._informers[watch.resource].subscribe(self._waker(watch), replay=watch.replay)

    def start(self) -> None:
        """Start the workers. The caches have to be filled."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self.controller.workers)]
        metrics.controller_runs(self.controller.name, runs=True)

    async def beside(self, client: Requests, say: Callable[[Say], None]) -> None:
        """Run what runs beside the loop, if anything does."""
        if self.controller.beside is not None:
            await self.controller.beside(Surroundings(self._informers, client, self.queue.add_after, say))

    async def stop(self, grace: float) -> bool:
        """Take no more keys, wait up to `grace` seconds for those that are under way, and say whether all ended."""
        self.queue.close()
        if not self._workers:
            return True
        _, pending = await asyncio.wait(self._workers, timeout=grace)
        for worker in pending:
            worker.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        metrics.controller_runs(self.controller.name, runs=False)
        return not pending

    def _waker(self, watch: Watch) -> Callable[[Any, Any], None]:
        def changed(old: Any, new: Any) -> None:
            for key in watch.wakes(self._informers, old, new):
                self.queue.add_after(key, watch.after)

        return changed

    def _parent_changed(self, old: Obj | None, new: Obj | None) -> None:
        obj = new or old
        if obj is None:
            return
        if old is not None and (new is None or objects.uid(old) != objects.uid(new)):
            self._fresh.forget(objects.key(old))
        self.queue.add(objects.key(obj))

    async def _work(self) -> None:
        while (key := await self.queue.get()) is not None:
            try:
                await self._sync(key)
            except NotLeadingError:  # the lease may yet be renewed
                log.debug("%s %s/%s: not leading", self.controller.name, *key)
                self.queue.retry(key)
            except ApiError as error:
                self._failed(key, error.message, conflict=error.status in (404, 409))
            except Exception:  # one object's defect stops no other
                log.exception("%s %s/%s: sync failed", self.controller.name, *key)
                self._retry(key, "error")
            finally:
                self.queue.done(key)

    def _failed(self, key: Key, message: str, *, conflict: bool) -> None:
        """Come back later. A conflict only says that the cache was behind, which is nobody's fault."""
        if not conflict:
            log.warning("%s %s/%s: %s", self.controller.name, *key, message)
        self._retry(key, "conflict" if conflict else "error")

    def _retry(self, key: Key, result: str) -> None:
        self._counts.ended(result)
        self.queue.retry(key)

    async def _sync(self, key: Key) -> None:
        """Bring one object a step nearer to what it should be."""
        await self._writer.settle(key, self._fresh)
        if lagging := self._fresh.lagging(key, lambda: self.queue.add(key)):
            self._counts.put_off(lagging.group, lagging.plural)
            self.queue.add_after(key, TIMEOUT)  # should what it waits for never come
            return
        controller = self.controller
        parent = self._informers[controller.resource].get(key)
        if parent is None:
            self._fresh.forget(key)
            await self._clean(key, controller.gone(self._informers, key))
            return
        began = time.monotonic()
        observed = controller.observe(self._informers, parent, self._now())
        plan = controller.plan(observed)
        controller.measure(observed, plan)
        if plan.remember:
            controller.remember(observed, plan.remember)
        outcome, status, failed = Outcome(), None, True
        try:
            outcome = await self._writer.apply(controller.resource, parent, plan, self._fresh)
            status = await self._report(observed, parent, outcome)
            failed = any(outcome.failures)
        finally:
            controller.ended(observed, Sync(outcome, status, time.monotonic() - began, failed))
        self._finish(key, plan, outcome)

    async def _report(self, observed: O, parent: Obj, outcome: Outcome) -> Obj | None:
        """Write the status and what is to be told of it, and return it; None where it stays as it is."""
        status = self.controller.report(observed, outcome)
        if status is not None:
            await self._writer.write_status(self.controller.resource, _latest(parent, outcome), status, self._fresh)
            self._writer.announce(parent, self.controller.announce(observed, status))
        return status

    async def _clean(self, key: Key, plan: Plan) -> None:
        """Carry out what is to be done for an object that there is not."""
        nobody = {"metadata": {"namespace": key[0], "name": key[1]}}
        outcome = await self._writer.apply(self.controller.resource, nobody, plan, self._fresh)
        self._finish(key, plan, outcome)

    def _finish(self, key: Key, plan: Plan, outcome: Outcome) -> None:
        failed = [failure for _, failure in outcome.failures]
        if failed:
            self._failed(key, failed[0].message, conflict=all(failure.status == 409 for failure in failed))
        elif any(isinstance(result, Exists) for _, result in outcome.results):
            self._retry(key, "conflict")
        else:
            self._counts.ended("success")
            self.queue.forget(key)
        if plan.requeue_after is not None:
            self.queue.add_after(key, plan.requeue_after.total_seconds())


def _latest(parent: Obj, outcome: Outcome) -> Obj:
    """Return the parent as the plan's own writes left it: a status over an older version would be a conflict.

    Not where its spec has changed since: the status is about the spec that was observed, and the conflict is real.
    """
    for _, result in reversed(outcome.results):
        if isinstance(result, dict) and result.get("metadata", {}).get("uid") == objects.uid(parent):
            return result if objects.generation(result) == objects.generation(parent) else parent
    return parent
