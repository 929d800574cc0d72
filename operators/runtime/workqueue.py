"""A queue of keys: what every controller's workers take their work from.

Mirrors client-go's util/workqueue: a key that waits is not queued twice, a key that is being worked on is not handed
out again before it is done (it comes back then, if it was added meanwhile), delays keep the earliest time, and a key
that fails comes back after 5 ms, doubling to 1,000 s.
"""

import asyncio
import time

from operators.core.objects import Key
from operators.runtime import metrics

BASE_DELAY, MAX_DELAY = 0.005, 1000.0


class WorkQueue:
    """Keys to be worked on, in the order in which they came."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._order: asyncio.Queue[Key | None] = asyncio.Queue()
        self._closed = False
        self._waiting: dict[Key, float] = {}
        self._working: dict[Key, float] = {}
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._depth = metrics.queue_depth.labels(name)
        self._adds = metrics.queue_adds.labels(name)
        self._latency = metrics.queue_latency.labels(name)
        self._duration = metrics.work_duration.labels(name)
        self._retries = metrics.queue_retries.labels(name)
        metrics.unfinished_work.labels(name).set_function(self._unfinished)
        metrics.longest_running.labels(name).set_function(self._longest)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: Key) -> None:
        """Queue a key now."""
        if self._closed or key in self._waiting or key in self._again:
            return
        self._adds.inc()
        if key in self._working:
            self._again.add(key)
        else:
            self._enqueue(key)

    def _enqueue(self, key: Key) -> None:
        self._waiting[key] = time.perf_counter()
        self._depth.set(len(self._waiting))
        self._order.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Queue a key in `seconds`, or at the earlier time that was asked for before."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + seconds:
                return
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._due, key)

    def _due(self, key: Key) -> None:
        del self._timers[key]
        self.add(key)

    def retry(self, key: Key) -> None:
        """Queue a key that failed, after its back-off."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._retries.inc()
        self.add_after(key, min(MAX_DELAY, BASE_DELAY * 2 ** min(failures, 32)))

    def forget(self, key: Key) -> None:
        """Begin the back-off of a key anew: it succeeded."""
        self._failures.pop(key, None)

    async def get(self) -> Key | None:
        """Wait for a key and take it, None once the queue is closed. Call `done` when finished with the key."""
        key = await self._order.get()
        if key is None:
            self._order.put_nowait(None)  # for the next worker
            return None
        since = self._waiting.pop(key)
        self._working[key] = now = time.perf_counter()
        self._depth.set(len(self._waiting))
        self._latency.observe(now - since)
        return key

    def done(self, key: Key) -> None:
        """Hand a key back; if it was added meanwhile it is queued again."""
        self._duration.observe(time.perf_counter() - self._working.pop(key))
        if key in self._again:
            self._again.discard(key)
            self._enqueue(key)

    def close(self) -> None:
        """Drop what waits and hand out nothing any more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._waiting.clear()
        self._again.clear()
        while not self._order.empty():
            self._order.get_nowait()
        self._order.put_nowait(None)

    def _unfinished(self) -> float:
        now = time.perf_counter()
        return sum(now - since for since in tuple(self._working.values()))  # a scrape is on another thread

    def _longest(self) -> float:
        now = time.perf_counter()
        return max((now - since for since in tuple(self._working.values())), default=0.0)
