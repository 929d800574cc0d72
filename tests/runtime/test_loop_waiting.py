"""A key that has to wait comes back, whatever it waits for."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import pytest

from operators.core.objects import PODS, Key, Obj, replicasets
from operators.core.plan import Batch, Create, Delete, Outcome, Plan, Target
from operators.runtime import controller as loop_module
from operators.runtime import freshness as freshness_module
from operators.runtime.controller import Controller, Loop
from operators.runtime.events import Recorder
from operators.runtime.informer import Informer, Informers
from operators.runtime.writer import Writer
from tests.runtime.scripted import Scripted, page, thing

REPLICASETS = replicasets("kopfwerk.dev")
KEY: Key = ("ns", "rs")
CREATE = Plan((Batch((Create(PODS, {"metadata": {"generateName": "rs-"}, "spec": {}}),)),))
DELETE = Plan((Batch((Delete(Target(PODS, "ns", "a", "uid-a")),)),))


class Planned:
    """Counts the plans that are made, always of the same one."""

    def __init__(self, plan: Plan) -> None:
        self.times = 0
        self._plan = plan
        self._again = asyncio.Event()

    def __call__(self, _: object) -> Plan:
        """Make the plan."""
        self.times += 1
        self._again.set()
        return self._plan

    async def until(self, times: int) -> None:
        """Wait until it was made so often."""
        async with asyncio.timeout(5):
            while self.times < times:
                self._again.clear()
                await self._again.wait()


async def _running(client: Scripted, planned: Planned, may_write: Callable[[], bool]) -> Loop[None]:
    """Return a running loop with a ReplicaSet rs and a pod a, neither of which is heard of any more."""
    informers = Informers()
    for resource, name in ((REPLICASETS, "rs"), (PODS, "a")):
        informer: Informer[Obj] = Informer(client, resource, lambda obj: obj, {})
        client.answers.insert(0, page(thing(name, 1)))
        await informer._list("test")
        informers.add(informer)

    def observe(_: Informers, __: Obj, ___: datetime) -> None:
        return None

    def report(_: None, __: Outcome) -> None:
        return None

    declared = Controller("test", REPLICASETS, (), observe, planned, report, (), workers=1)
    loop = Loop(declared, informers, Writer(client, Recorder(client, "test"), may_write))
    loop.start()
    loop.queue.add(KEY)
    return loop


async def test_a_key_that_met_a_lapsed_lease_comes_back() -> None:
    """A lease that is renewed late must not cost a wake-up."""
    leads = iter([False])
    planned = Planned(CREATE)
    client = Scripted([thing("rs-abcde", 1)])
    loop = await _running(client, planned, lambda: next(leads, True))
    with suppress(TimeoutError):
        await planned.until(2)
    await loop.stop(0)
    assert planned.times == 2


async def test_a_key_is_planned_again_if_its_deletion_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod that changed owners meanwhile wakes nobody when it goes: time does."""
    monkeypatch.setattr(freshness_module, "TIMEOUT", 0.01)
    monkeypatch.setattr(loop_module, "TIMEOUT", 0.02)
    planned = Planned(DELETE)
    client = Scripted([thing("a", 1), thing("a", 1)])
    loop = await _running(client, planned, lambda: True)
    await planned.until(1)
    loop.queue.add(KEY)
    with suppress(TimeoutError):
        await planned.until(2)
    await loop.stop(0)
    assert planned.times == 2
