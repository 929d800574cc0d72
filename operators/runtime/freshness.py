"""Read your own writes: a key is not planned again before the cache has seen what was written for it.

Mirrors pkg/controller/util/consistency and the UID-tracked expectations for deletions. Resource versions are compared
as numbers, which Kubernetes guarantees from 1.35 on and has always done in practice.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from operators.core.objects import Key, Obj, Resource
from operators.core.plan import Target
from operators.runtime.informer import Informers

TIMEOUT = 300.0
"""Seconds after which the cache is believed again, whatever it lacks (upstream's ExpectationsTimeout)."""


@dataclass(slots=True)
class _Writes:
    """What one key waits for: the newest version written per resource, what was deleted or is gone, answers lost."""

    since: float
    versions: dict[Resource, int] = field(default_factory=dict)
    deletions: set[Target] = field(default_factory=set)
    gone: set[Target] = field(default_factory=set)
    unanswered: set[Target] = field(default_factory=set)


class Freshness:
    """The writes of one controller that its caches may not have seen."""

    def __init__(self, informers: Informers, clock: Callable[[], float] = time.monotonic) -> None:
        self._informers = informers
        self._clock = clock
        self._writes: dict[Key, _Writes] = {}

    def wrote(self, key: Key, resource: Resource, result: Obj) -> None:
        """Remember that the apiserver answered a write for `key` with `result`."""
        version = (result.get("metadata") or {}).get("resourceVersion")
        if version and self._informers.get(resource) is not None:
            writes = self._entry(key)
            writes.versions[resource] = max(writes.versions.get(resource, 0), int(version))

    def deleted(self, key: Key, target: Target) -> None:
        """Remember that the deletion of an object was asked for; the cache has to show it going or gone."""
        if self._informers.get(target.resource) is not None:
            self._entry(key).deletions.add(target)

    def gone(self, key: Key, target: Target) -> None:
        """Remember that there is no such object any more; the cache has to show none."""
        if self._informers.get(target.resource) is not None:
            self._entry(key).gone.add(target)

    def lost(self, key: Key, target: Target) -> None:
        """Remember that nobody knows whether an object was made (the UID is empty) or its deletion asked for."""
        if self._informers.get(target.resource) is not None:
            self._entry(key).unanswered.add(target)

    def unanswered(self, key: Key) -> tuple[Target, ...]:
        """Return what has to be asked of the apiserver before `key` is planned again."""
        writes = self._writes.get(key)
        return tuple(writes.unanswered) if writes else ()

    def settled(self, key: Key, target: Target, live: Obj | None) -> None:
        """Remember what the apiserver has under the name: the cache has to show the same."""
        self._entry(key).unanswered.discard(target)
        if live is None:
            self.deleted(key, target)
        else:
            self.wrote(key, target.resource, live)

    def forget(self, key: Key) -> None:
        """The object of this key is gone: what comes under its name next starts clean."""
        self._writes.pop(key, None)

    def lagging(self, key: Key, wake: Callable[[], None]) -> Resource | None:
        """Return the resource whose cache lacks a write for `key`; `wake` is then called once asking again is worth it.

        A deletion that was asked for needs no call of its own: its event wakes the owner anyway.
        """
        writes = self._writes.get(key)
        if writes is None:
            return None
        if self._clock() - writes.since < TIMEOUT:
            for resource, version in writes.versions.items():
                informer = self._informers[resource]
                if informer.revision < version:
                    informer.when_reached(version, wake)
                    return resource
            if pending := next(filter(self._pending, writes.deletions), None):
                return pending.resource
            if held := next(filter(self._held, writes.gone), None):
                informer = self._informers[held.resource]
                informer.when_reached(informer.revision + 1, wake)  # its event may be another key's, or nobody's
                return held.resource
        del self._writes[key]
        return None

    def _entry(self, key: Key) -> _Writes:
        entry = self._writes.setdefault(key, _Writes(self._clock()))
        entry.since = self._clock()
        return entry

    def _pending(self, target: Target) -> bool:
        """Whether the cache still holds the object as if nobody had asked for its deletion."""
        held = self._held(target)
        if isinstance(held, dict):
            return held["metadata"].get("deletionTimestamp") is None
        return held is not None and not held.terminating

    def _held(self, target: Target) -> Any:
        """Return the object as the cache has it, None where that has none or another of the name."""
        held = self._informers[target.resource].get((target.namespace, target.name))
        uid = held["metadata"]["uid"] if isinstance(held, dict) else held and held.uid
        return held if uid == target.uid else None
