"""A key is not planned again before the caches have seen what was written for it."""

import asyncio
from typing import Any, Self

import pytest

from operators.core import pods
from operators.core.objects import KOPFWERK, PODS, Key, Obj, jobs, replicasets
from operators.core.plan import Batch, Patch, Plan, Target
from operators.runtime.client import ApiError
from operators.runtime.events import Recorder
from operators.runtime.freshness import TIMEOUT, Freshness
from operators.runtime.informer import Informer, Informers
from operators.runtime.writer import Writer
from tests.runtime.scripted import Answer, Scripted, event, page

KEY: Key = ("ns", "web")
TARGET = Target(PODS, "ns", "a", "uid-a")


def a_pod(version: int, **meta: Any) -> Obj:
    """Return pod `a` at a resourceVersion."""
    stamp = "2030-01-01T00:00:00Z"
    base = {"namespace": "ns", "name": "a", "uid": "uid-a", "resourceVersion": str(version), "creationTimestamp": stamp}
    return {"metadata": base | meta}


class Caches:
    """One informer of pods, fed by hand, and the freshness of a controller on top of it."""

    def __init__(self, *first: Obj, version: int = 10) -> None:
        self.client = Scripted([page(*first, version=version)])
        self.informers = Informers()
        self.informers.add(Informer(self.client, PODS, pods.parse, {}))
        self.clock = 0.0
        self.fresh = Freshness(self.informers, lambda: self.clock)
        self.woken = 0

    def is_stale(self) -> bool:
        """Ask about the key, and count how often it is woken."""

        def wake() -> None:
            self.woken += 1

        return self.fresh.lagging(KEY, wake) is not None

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.informers[PODS].run())
        await self.informers.synced()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def show(self, kind: str, obj: Obj) -> None:
        """Let the cache see an event."""
        seen = asyncio.Event()
        self.client.events.put_nowait(event(kind, obj))
        self.informers[PODS].when_reached(int(obj["metadata"]["resourceVersion"]), seen.set)
        await seen.wait()


async def test_nothing_written_is_nothing_to_wait_for() -> None:
    """A key is fresh from the start."""
    async with Caches() as caches:
        assert not caches.is_stale()


async def test_a_write_is_waited_for_and_wakes_the_key() -> None:
    """The key is stale until the cache reaches the version of the answer, and is woken then."""
    async with Caches() as caches:
        caches.fresh.wrote(KEY, PODS, a_pod(12))
        assert caches.is_stale()
        await caches.show("ADDED", a_pod(12))
        assert caches.woken == 1
        assert not caches.is_stale()


async def test_the_newest_of_several_writes_counts() -> None:
    """An answer that comes late does not lower what is waited for."""
    async with Caches() as caches:
        caches.fresh.wrote(KEY, PODS, a_pod(14))
        caches.fresh.wrote(KEY, PODS, a_pod(12))
        await caches.show("ADDED", a_pod(12))
        assert caches.is_stale()


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        pytest.param("MODIFIED", a_pod(12, deletionTimestamp="2030-01-01T00:00:01Z"), id="going"),
        pytest.param("DELETED", a_pod(12), id="gone"),
        pytest.param("MODIFIED", a_pod(12, uid="uid-other"), id="its name another's"),
    ],
)
async def test_a_deletion_is_waited_for(kind: str, obj: Obj) -> None:
    """The key is stale until the cache no longer shows the object as if nobody had deleted it."""
    async with Caches(a_pod(5)) as caches:
        caches.fresh.deleted(KEY, TARGET)
        assert caches.is_stale()
        await caches.show(kind, obj)
        assert not caches.is_stale()


@pytest.mark.parametrize(
    ("kind", "obj", "want"),
    [
        pytest.param("MODIFIED", a_pod(12, deletionTimestamp="2030-01-01T00:00:01Z"), True, id="going"),
        pytest.param("DELETED", a_pod(12), False, id="gone"),
        pytest.param("MODIFIED", a_pod(12, uid="uid-other"), False, id="its name another's"),
    ],
)
async def test_what_is_gone_is_waited_for(kind: str, obj: Obj, want: bool) -> None:  # noqa: FBT001 - a table
    """The key is stale for as long as the cache has the object in any state: a Job would count its pod once more."""
    async with Caches(a_pod(5)) as caches:
        caches.fresh.gone(KEY, TARGET)
        assert caches.is_stale()
        await caches.show(kind, obj)
        assert caches.woken == 1
        assert caches.is_stale() == want


STRIP = Patch(TARGET, {"metadata": {"finalizers": None}}, ignore=frozenset({404, 409}))
GOING = {"deletionTimestamp": "2030-01-01T00:00:01Z"}


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(a_pod(5, **GOING), True, id="its last finalizer: the answer has the version from before"),
        pytest.param(a_pod(5, **GOING, deletionGracePeriodSeconds=0), True, id="with no time left"),
        pytest.param(a_pod(5, **GOING, deletionGracePeriodSeconds=30), False, id="its kubelet is awaited"),
        pytest.param(a_pod(5, **GOING, finalizers=["another"]), False, id="another finalizer"),
        pytest.param(a_pod(5), False, id="nobody deletes it"),
        pytest.param(ApiError(404, "NotFound", ""), True, id="gone before"),
        pytest.param(ApiError(409, "Conflict", ""), False, id="changed before"),
    ],
)
async def test_a_patch_after_which_there_is_no_object(answer: Answer, want: bool) -> None:  # noqa: FBT001 - a table
    """The cache has to show that it is gone, where the version of the answer says nothing of that."""
    async with Caches(a_pod(5, **GOING)) as caches:
        client = Scripted([answer])
        writer = Writer(client, Recorder(client, "test"), lambda: True)
        parent = {"kind": "Job", "metadata": {"namespace": "ns", "name": "web", "uid": "uid-web"}}
        await writer.apply(jobs(KOPFWERK), parent, Plan((Batch((STRIP,)),)), caches.fresh)
        assert caches.is_stale() == want
        await caches.show("DELETED", a_pod(12))
        assert not caches.is_stale()


async def test_waiting_has_an_end() -> None:
    """After five minutes the cache is believed, whatever it lacks."""
    async with Caches(a_pod(5)) as caches:
        caches.fresh.deleted(KEY, TARGET)
        caches.clock = TIMEOUT - 1
        assert caches.is_stale()
        caches.clock = TIMEOUT
        assert not caches.is_stale()


async def test_a_new_object_of_the_same_name_starts_clean() -> None:
    """What was written for the one that is gone does not hold up its namesake."""
    async with Caches(a_pod(5)) as caches:
        caches.fresh.wrote(KEY, PODS, a_pod(99))
        caches.fresh.forget(KEY)
        assert not caches.is_stale()


async def test_what_no_cache_holds_is_not_waited_for() -> None:
    """A write to a resource that nobody watches would never be seen."""
    async with Caches() as caches:
        caches.fresh.wrote(KEY, replicasets("apps"), a_pod(99))
        assert not caches.is_stale()
