"""What the loop does beside plan and report: it tells what it wrote, cleans up after what is gone, gathers swarms."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from operators.core.objects import PODS, Key, Obj, replicasets
from operators.core.plan import Batch, Delete, Outcome, Plan, Say, Target
from operators.runtime.client import ApiError
from operators.runtime.controller import Controller, Loop, Watch
from operators.runtime.events import Recorder
from operators.runtime.informer import Informer, Informers
from operators.runtime.writer import Writer
from tests.runtime.scripted import Answer, Scripted, page, thing
from tests.support.virtual import virtual

REPLICASETS = replicasets("kopfwerk.dev")
CLEAN = Plan((Batch((Delete(Target(PODS, "ns", "a", "uid-a")),)),))


class _Heard(Recorder):
    """Notes the events."""

    def __init__(self, client: Scripted) -> None:
        super().__init__(client, "test")
        self.reasons: list[str] = []

    def record(self, about: Obj, say: Say) -> None:
        """Note one."""
        del about
        self.reasons.append(say.reason)


def _observe(_: Informers, __: Obj, now: datetime) -> datetime:
    return now


def _wakes(_: Informers, __: Any, ___: Any) -> Iterator[Key]:
    yield "ns", "rs"


async def _loop(answers: list[Answer], **more: Any) -> tuple[Loop[datetime], Scripted, _Heard]:
    """Return a loop, not started, with a ReplicaSet rs and a pod a."""
    client = Scripted()
    informers = Informers()
    for resource, name in ((REPLICASETS, "rs"), (PODS, "a")):
        informer: Informer[Obj] = Informer(client, resource, lambda obj: obj, {})
        client.answers.insert(0, page(thing(name, 1)))
        await informer._list("test")
        informers.add(informer)
    client.sent.clear()
    client.answers = answers

    def report(_: datetime, __: Outcome) -> Obj | None:
        return {"replicas": 1}

    heard = _Heard(client)
    watches = more.pop("watches", ())
    declared = Controller("test", REPLICASETS, watches, _observe, lambda _: Plan(), report, (), workers=1, **more)
    return Loop(declared, informers, Writer(client, heard, lambda: True)), client, heard


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(0.001)


def _announce(_: datetime, status: Obj) -> Iterator[Say]:
    yield Say("Normal", f"Replicas{status['replicas']}", "")


@virtual
@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(thing("rs", 2), ["Replicas1"], id="written"),
        pytest.param(ApiError(409, "Conflict", "changed"), [], id="refused"),
    ],
)
async def test_events_of_a_status_follow_its_write(answer: Answer, want: list[str]) -> None:
    """What was not written is not told."""
    loop, client, heard = await _loop([answer], announce=_announce)
    loop.start()
    loop.queue.add(("ns", "rs"))
    await _until(lambda: len(client.sent) == 1 and not client.answers)
    await loop.stop(1)
    assert heard.reasons == want


@virtual
async def test_what_is_gone_is_cleaned_up_after() -> None:
    """A key without an object has a plan of its own."""
    loop, client, _ = await _loop([thing("a", 2)], gone=lambda _, __: CLEAN)
    loop.start()
    loop.queue.add(("ns", "gone"))
    await _until(lambda: bool(client.sent))
    await loop.stop(1)
    assert [(sent.method, sent.url) for sent in client.sent] == [("DELETE", "/api/v1/namespaces/ns/pods/a")]


@virtual
@pytest.mark.parametrize("replay", [pytest.param(True, id="with"), pytest.param(False, id="without")])
async def test_what_is_there_at_the_start_wakes_where_asked(replay: bool) -> None:  # noqa: FBT001
    """It may belong to what is gone, and nothing else would wake that."""

    def woken(_: Informers, __: Any, ___: Any) -> Iterator[Key]:
        yield "ns", "other"

    loop, _, _ = await _loop([], watches=(Watch(PODS, woken, replay=replay),))
    loop.listen()
    assert len(loop.queue) == (2 if replay else 1)  # the ReplicaSet itself is one


@virtual
async def test_changes_that_come_in_swarms_are_gathered() -> None:
    """Nothing is queued before the time is over."""
    loop, _, _ = await _loop([], watches=(Watch(PODS, _wakes, after=0.5, replay=True),))
    loop.listen()
    assert await loop.queue.get() == ("ns", "rs")
    loop.queue.done(("ns", "rs"))
    assert len(loop.queue) == 0
    await asyncio.sleep(0.6)
    assert len(loop.queue) == 1
