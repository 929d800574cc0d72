"""What an informer spares: the apiserver a storm of watches, its subscribers what they need not hear."""

import asyncio

from operators.core.objects import Obj, Resource
from operators.runtime.informer import Informer
from tests.runtime.scripted import Scripted, page, thing

THINGS = Resource("example.org", "v1", "things", "Thing")


async def test_a_watch_that_ends_at_once_is_not_begun_again_at_once() -> None:
    """An apiserver that is going away answers, and ends the answer: that must not be a loop without a pause."""
    client = Scripted([page(version=7)])
    for _ in range(20):
        client.events.put_nowait(None)
    informer: Informer[Obj] = Informer(client, THINGS, lambda obj: obj, {})
    task = asyncio.create_task(informer.run())
    await informer.synced.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert client.watched_from == ["7"]


async def test_who_wants_no_replay_hears_of_changes_alone() -> None:
    """What the cache has already comes to those who ask for it."""
    informer: Informer[Obj] = Informer(Scripted([page(thing("old", 1))]), THINGS, lambda obj: obj, {})
    await informer._list("test")
    heard: dict[bool, list[str]] = {True: [], False: []}
    informer.subscribe(lambda _, new: heard[True].append(new["metadata"]["name"]) if new else None)
    informer.subscribe(lambda _, new: heard[False].append(new["metadata"]["name"]) if new else None, replay=False)
    informer._store(thing("new", 2))
    assert heard == {True: ["old", "new"], False: ["new"]}
