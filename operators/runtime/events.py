"""Kubernetes Events: what was done, and why not, where `kubectl describe` shows it.

Mirrors client-go's tools/record and its correlator, with its figures: equal events are counted up rather than written
again, more than ten of a kind within ten minutes become one "(combined from similar events)", and one object gets
25 at once and then one in five minutes. Events never hold up a reconcile: they are sent behind its back, and dropped
(and counted) when that cannot keep up.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from operators.core import objects
from operators.core.objects import Obj, Resource
from operators.core.plan import Say
from operators.runtime import metrics
from operators.runtime.client import MERGE_PATCH, OWN_WORDS, ApiError, Requests, path

log = logging.getLogger(__name__)

EVENTS = Resource("", "v1", "events", "Event")
SIMILAR_AT_MOST, SIMILAR_WITHIN = 10, 600.0
BURST, SECONDS_PER_EVENT = 25, 300.0
_REMEMBERED = 4096
_UNSENT_AT_MOST = 2000
_PREFIX = "(combined from similar events): "

V = TypeVar("V")


class _Recent(Generic[V]):
    """A dictionary that forgets what was not asked for in a long time."""

    def __init__(self, make: Callable[[], V]) -> None:
        self._make = make
        self._entries: OrderedDict[object, V] = OrderedDict()

    def __getitem__(self, key: object) -> V:
        entry = self._entries.pop(key, None)
        if entry is None:
            entry = self._make()
        self._entries[key] = entry
        if len(self._entries) > _REMEMBERED:
            self._entries.popitem(last=False)
        return entry


@dataclass(slots=True)
class _Bucket:
    tokens: float = BURST
    since: float = 0.0


@dataclass(slots=True)
class _Similar:
    since: float = 0.0
    messages: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Written:
    """The event in the apiserver that stands for all the equal ones."""

    name: str = ""
    first: str = ""
    count: int = 0


class Recorder:
    """Records events of one component, such as replicaset-controller."""

    def __init__(
        self,
        client: Requests,
        component: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._component = component
        self._clock = clock
        self._now = now
        self._unsent: asyncio.Queue[tuple[str, Obj, _Written]] = asyncio.Queue(_UNSENT_AT_MOST)
        self._buckets: _Recent[_Bucket] = _Recent(_Bucket)
        self._similar: _Recent[_Similar] = _Recent(_Similar)
        self._written: _Recent[_Written] = _Recent(_Written)

    def record(self, about: Obj, say: Say) -> None:
        """Record an event about an object, or with `fieldPath` about a part of it. Returns at once."""
        subject = (about["kind"], objects.uid(about))
        message, equals = self._combined(subject, say)
        if not self._allowed(subject):
            metrics.events_dropped.labels("spam").inc()
            return
        written = self._written[subject, say.type, say.reason, equals]
        stamp = objects.format_time(self._now())
        written.count += 1
        written.first = written.first or stamp
        event = self._event(about, say, message, stamp, written)
        try:
            self._unsent.put_nowait((objects.key(about)[0] or "default", event, written))
        except asyncio.QueueFull:
            metrics.events_dropped.labels("backlog").inc()

    async def run(self) -> None:
        """Send what was recorded, until cancelled."""
        while True:
            namespace, event, written = await self._unsent.get()
            try:
                await self._send(namespace, event, written)
            except Exception:  # one event's defect must not end the process
                metrics.events_dropped.labels("defect").inc()
                log.exception("event %s about %s", event["reason"], event["involvedObject"]["name"])

    async def flush(self) -> None:
        """Send what is left."""
        while not self._unsent.empty():
            await self._send(*self._unsent.get_nowait())

    def _combined(self, subject: object, say: Say) -> tuple[str, str]:
        """Return the message and what makes events equal: the message, or after too many that differ just the kind."""
        similar, now = self._similar[subject, say.type, say.reason], self._clock()
        if now - similar.since > SIMILAR_WITHIN:
            similar.since, similar.messages = now, set()
        if len(similar.messages) < SIMILAR_AT_MOST or say.message in similar.messages:
            similar.messages.add(say.message)
            return say.message, say.message
        return _PREFIX + say.message, _PREFIX

    def _allowed(self, subject: object) -> bool:
        bucket, now = self._buckets[subject], self._clock()
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.since) / SECONDS_PER_EVENT)
        bucket.since = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _event(self, about: Obj, say: Say, message: str, stamp: str, written: _Written) -> Obj:
        meta = about["metadata"]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": written.name or f"{meta['name'][:200].rstrip('-.')}.{time.time_ns():x}",
                "namespace": meta.get("namespace") or "default",
            },
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": meta["name"],
                "namespace": meta.get("namespace", ""),
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
                **({"fieldPath": about["fieldPath"]} if "fieldPath" in about else {}),
            },
            "reason": say.reason,
            "message": message[:1024],
            "type": say.type,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": written.first,
            "lastTimestamp": stamp,
            "count": written.count,
        }

    async def _send(self, namespace: str, event: Obj, written: _Written) -> None:
        """Write the event, or count up the one that is there. An event that cannot be written is only logged."""
        url = path(EVENTS, namespace)
        try:
            if written.name:
                changes = {part: event[part] for part in ("count", "lastTimestamp", "message")}
                try:
                    await self._client.request(
                        "PATCH", f"{url}/{written.name}", changes, params=OWN_WORDS, content_type=MERGE_PATCH
                    )
                except ApiError as error:
                    if error.status != 404:
                        raise
                else:
                    return
            await self._client.request("POST", url, event, params=OWN_WORDS)
            written.name = event["metadata"]["name"]
        except ApiError as error:
            metrics.events_dropped.labels("refused").inc()
            log.debug("event %s about %s: %s", event["reason"], event["involvedObject"]["name"], error.message)
