"""The queue of keys."""

import asyncio

from operators.runtime.workqueue import BASE_DELAY, WorkQueue
from tests.support.virtual import virtual

A, B = ("ns", "a"), ("ns", "b")


@virtual
async def test_a_waiting_key_is_queued_once() -> None:
    """Keys come out in the order in which they came in."""
    queue = WorkQueue("test")
    for key in (A, B, A):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == [A, B]
    assert len(queue) == 0


@virtual
async def test_a_key_is_never_worked_on_twice_at_once() -> None:
    """What is added meanwhile comes back once the first is done."""
    queue = WorkQueue("test")
    queue.add(A)
    await queue.get()
    queue.add(A)
    assert len(queue) == 0
    queue.done(A)
    assert await queue.get() == A


@virtual
async def test_the_earliest_delay_counts() -> None:
    """A later time does not put a key off, an earlier one brings it forward."""
    queue, loop = WorkQueue("test"), asyncio.get_running_loop()
    for seconds in (10, 3, 20):
        queue.add_after(A, seconds)
    assert await queue.get() == A
    assert loop.time() == 3


@virtual
async def test_failures_come_back_ever_later() -> None:
    """The delay doubles until the key succeeds."""
    queue, loop, waits = WorkQueue("test"), asyncio.get_running_loop(), []
    for fails in (True, True, True, False, True):
        if not fails:
            queue.forget(A)
            continue
        started = loop.time()
        queue.retry(A)
        queue.done(await queue.get() or A)
        waits.append(round((loop.time() - started) / BASE_DELAY))
    assert waits == [1, 2, 4, 1]


@virtual
async def test_a_closed_queue_lets_every_worker_go() -> None:
    """What waits is dropped, and nothing comes in any more."""
    queue = WorkQueue("test")
    queue.add(A)
    queue.add_after(B, 1)
    queue.close()
    queue.add(B)
    assert [await queue.get(), await queue.get()] == [None, None]
