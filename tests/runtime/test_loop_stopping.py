"""Stopping: what is in flight ends, and nothing begins any more."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from operators.core.objects import Key, Obj
from operators.core.plan import Batch, Create, Plan
from tests.runtime.scripted import Scripted, thing
from tests.runtime.test_loop_waiting import CREATE, Planned, _running

OTHER: Key = ("ns", "other")


@dataclass
class Slow(Scripted):
    """Answers a POST only once it is let go."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Hold a POST up."""
        if method == "POST":
            self.begun.set()
            await self.let_go.wait()
        return await super().request(method, url, body, params=params, content_type=content_type)


async def stopping(client: Slow, grace: float, plan: Plan = CREATE) -> tuple[Any, Planned]:
    """Return the stop of a loop that is in the middle of a write, and the plans that it made."""
    planned = Planned(plan)
    loop = await _running(client, planned, lambda: True)
    await client.begun.wait()
    loop.queue.add(OTHER)
    stop = asyncio.create_task(loop.stop(grace))
    await asyncio.sleep(0)
    loop.queue.add(OTHER)
    return stop, planned


async def test_what_is_in_flight_ends() -> None:
    """The stop waits for the answer, and says that all ended; what was queued is not begun."""
    client = Slow([thing("rs-abcde", 1)])
    stop, planned = await stopping(client, grace=5)
    assert not stop.done()
    client.let_go.set()
    assert await stop
    assert [sent.method for sent in client.sent if sent.method == "POST"] == ["POST"]
    assert planned.times == 1


async def test_a_plan_that_has_begun_is_carried_out_to_its_end() -> None:
    """All batches of the sync that is under way are written, not only the request that is."""
    client = Slow([thing("rs-abcde", 1), thing("rs-fghij", 2)])
    (create,) = CREATE.steps
    assert isinstance(create, Create)
    stop, _ = await stopping(client, grace=5, plan=Plan((Batch((create,)), Batch((create,)))))
    client.let_go.set()
    assert await stop
    assert len([sent for sent in client.sent if sent.method == "POST"]) == 2


@pytest.mark.parametrize("grace", [0, 0.01])
async def test_what_does_not_end_in_time_is_broken_off_and_said(grace: float) -> None:
    """After the grace period the stop goes on, and says that a write may yet take effect."""
    stop, _ = await stopping(Slow([]), grace)
    assert not await stop
