"""The cache: it follows the apiserver through every way in which a watch can end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from operators.core.objects import Obj, Resource
from operators.runtime.client import ApiError
from operators.runtime.informer import Informer
from tests.runtime.scripted import Scripted, event, page, thing

THINGS = Resource("example.org", "v1", "things", "Thing")
Change = tuple[str | None, str | None]


def _version(obj: Obj | None) -> str | None:
    return f"{obj['metadata']['name']}@{obj['metadata']['resourceVersion']}" if obj else None


@asynccontextmanager
async def following(client: Scripted, fields: str = "") -> AsyncIterator[tuple[Informer[Obj], list[Change]]]:
    """Run an informer, and collect what it publishes."""
    informer: Informer[Obj] = Informer(
        client, THINGS, lambda obj: obj, {"colour": lambda o: (o.get("colour", "none"),)}, fields
    )
    changes: list[Change] = []
    informer.subscribe(lambda old, new: changes.append((_version(old), _version(new))))
    task = asyncio.create_task(informer.run())
    try:
        yield informer, changes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reached(informer: Informer[Any], revision: int) -> None:
    """Wait until the cache reflects a revision."""
    done = asyncio.Event()
    informer.when_reached(revision, done.set)
    await asyncio.wait_for(done.wait(), 5)


async def test_every_page_of_the_first_list_is_read() -> None:
    """Two pages make one cache, and the second is asked for by the first's token."""
    client = Scripted([page(thing("a", 1), token="next"), page(thing("b", 2), version=7)])
    async with following(client) as (informer, changes):
        await informer.synced.wait()
        assert changes == [(None, "a@1"), (None, "b@2")]
        assert client.sent[1].params["continue"] == "next"
        assert informer.revision == 7


@pytest.mark.parametrize("fields", ["", "status.phase!=Failed"])
async def test_lists_and_watches_have_the_field_selector(fields: str) -> None:
    """The apiserver then tells of what is selected no longer as deleted."""
    client = Scripted([page(thing("a", 1))])
    async with following(client, fields) as (informer, changes):
        client.events.put_nowait(event("DELETED", thing("a", 2)))
        await reached(informer, 2)
        assert changes == [(None, "a@1"), ("a@1", None)]
    assert client.sent[0].params.get("fieldSelector", "") == fields
    assert client.watched_fields == [fields]


async def test_events_change_the_cache_and_its_indexes() -> None:
    """An object is found under the value that it has now, not under the one that it had."""
    client = Scripted([page(thing("a", 1, colour="red"), version=1)])
    async with following(client) as (informer, changes):
        client.events.put_nowait(event("MODIFIED", thing("a", 2, colour="blue")))
        await reached(informer, 2)
        assert informer.by("colour", "red") == []
        assert len(informer.by("colour", "blue")) == 1
        client.events.put_nowait(event("DELETED", thing("a", 3, colour="blue")))
        await reached(informer, 3)
        assert changes == [(None, "a@1"), ("a@1", "a@2"), ("a@2", None)]
        assert informer.by("colour", "blue") == []


async def test_a_410_brings_the_deletions_that_it_hid() -> None:
    """What the list after a 410 lacks is reported as deleted, what changed as changed, the rest not at all."""
    client = Scripted(
        [
            page(thing("kept", 1), thing("changed", 2), thing("gone", 3), version=3),
            page(thing("kept", 1), thing("changed", 8), version=9),
        ]
    )
    async with following(client) as (informer, changes):
        await informer.synced.wait()
        changes.clear()
        client.events.put_nowait(event("ERROR", {"code": 410, "reason": "Expired", "message": "too old"}))
        await reached(informer, 9)
        assert changes == [("changed@2", "changed@8"), ("gone@3", None)]


async def test_a_broken_watch_goes_on_where_it_was() -> None:
    """After a lost connection the next watch begins at the last revision seen, without a list."""
    client = Scripted([page(version=4)])
    async with following(client) as (informer, _):
        client.events.put_nowait(event("BOOKMARK", thing("", 6)))
        await reached(informer, 6)
        client.events.put_nowait(ApiError(0, "NoAnswer", "connection reset"))
        client.events.put_nowait(event("ADDED", thing("a", 8)))
        await reached(informer, 8)
        assert client.watched_from == ["4", "6"]
        assert len(client.sent) == 1


async def test_a_failed_list_is_tried_again() -> None:
    """An apiserver that is not up yet delays the cache and does not end it."""
    client = Scripted([ApiError(503, "ServiceUnavailable", "starting"), page(thing("a", 1), version=1)])
    async with following(client) as (informer, changes):
        await asyncio.wait_for(informer.synced.wait(), 5)
        assert changes == [(None, "a@1")]


async def test_an_event_that_is_older_than_the_cache_changes_nothing() -> None:
    """A doubled or late event is passed over."""
    client = Scripted([page(thing("a", 5), version=5)])
    async with following(client) as (informer, changes):
        client.events.put_nowait(event("MODIFIED", thing("a", 4)))
        client.events.put_nowait(event("ADDED", thing("b", 6)))
        await reached(informer, 6)
        assert changes == [(None, "a@5"), (None, "b@6")]


async def test_an_unreadable_object_stops_no_other() -> None:
    """What the parser cannot read is left out; what comes after it is not."""
    client = Scripted([page(version=1)])

    def parse(obj: Obj) -> Obj:
        if obj.get("broken"):
            raise ValueError("no")
        return obj

    informer: Informer[Obj] = Informer(client, THINGS, parse, {})
    task = asyncio.create_task(informer.run())
    client.events.put_nowait(event("ADDED", thing("bad", 2, broken=True)))
    client.events.put_nowait(event("ADDED", thing("good", 3)))
    await reached(informer, 3)
    assert informer.keys() == [("ns", "good")]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failing_subscriber_does_not_silence_the_next() -> None:
    """Each subscriber hears of a change, whatever another one raises."""
    client = Scripted([page(thing("a", 1), version=1)])
    informer: Informer[Obj] = Informer(client, THINGS, lambda obj: obj, {})
    heard: list[Obj | None] = []

    def fail(_: Obj | None, __: Obj | None) -> None:
        raise RuntimeError("defect")

    informer.subscribe(fail)
    informer.subscribe(lambda _, new: heard.append(new))
    task = asyncio.create_task(informer.run())
    await informer.synced.wait()
    assert len(heard) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_waiting_for_a_revision_that_is_there_needs_no_event() -> None:
    """A write that the cache has seen already does not wait for the next."""
    client = Scripted([page(version=10)])
    async with following(client) as (informer, _):
        await informer.synced.wait()
        called: list[int] = []
        informer.when_reached(10, lambda: called.append(1))
        assert called == [1]
