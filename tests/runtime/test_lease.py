"""Leader election, with several candidates, clocks of their own, and a network that fails."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping

import pytest

from operators.core.objects import Obj
from operators.runtime.client import ApiError
from operators.runtime.lease import LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD, Lease
from tests.support.virtual import virtual


class Leases:
    """An apiserver with one Lease, for each candidate as slow or as dead as a test wants."""

    def __init__(self) -> None:
        self.live: Obj | None = None
        self.hangs: set[str] = set()

    def of(self, name: str) -> Lease:
        """Return a candidate."""
        return Lease(_Way(self, name), "ns", "lease", name, asyncio.get_running_loop().time)


class _Way:
    def __init__(self, leases: Leases, name: str) -> None:
        self._leases = leases
        self._name = name

    async def request(self, method: str, url: str, body: Obj | None = None, **_: object) -> Obj:
        """Serve one request by optimistic locking."""
        await asyncio.sleep(0.01)
        if self._name in self._leases.hangs:
            await asyncio.Event().wait()
        live = self._leases.live
        if method == "POST":
            if live is not None:
                raise ApiError(409, "AlreadyExists", "exists")
        elif live is None:
            raise ApiError(404, "NotFound", "none")
        elif method == "GET":
            return live
        if body is None or (live and live["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]):
            raise ApiError(409, "Conflict", "modified")
        version = int(live["metadata"]["resourceVersion"]) + 1 if live else 1
        written = body | {"metadata": body["metadata"] | {"resourceVersion": str(version)}}
        self._leases.live = written
        await asyncio.sleep(0.01)
        return written

    def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """No lease is watched."""
        raise NotImplementedError


@virtual
async def test_a_free_lease_is_taken_and_a_held_one_waited_for() -> None:
    """The second leads only once the record has stood still for the whole lease by its own clock."""
    leases, loop = Leases(), asyncio.get_running_loop()
    first, second = leases.of("first"), leases.of("second")
    await first.acquire()
    assert loop.time() < 1
    await second.acquire()
    assert loop.time() >= LEASE_DURATION
    assert not first.may_write()


@virtual
async def test_a_released_lease_is_taken_soon() -> None:
    """Nobody waits for it to run out."""
    leases, loop = Leases(), asyncio.get_running_loop()
    first, second = leases.of("first"), leases.of("second")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(2)
    await first.release()
    await waiting
    assert loop.time() < 5


@pytest.mark.parametrize("milliseconds", range(0, 24, 3))
def test_a_renewal_that_is_broken_off_does_not_keep_the_lease(milliseconds: int) -> None:
    """Whether it took effect or not, a leader that ends meanwhile hands the lease over."""

    async def scenario() -> None:
        leases = Leases()
        first = leases.of("first")
        await first.acquire()
        holding = asyncio.create_task(first.hold())
        await asyncio.sleep(RETRY_PERIOD + milliseconds / 1000)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await first.release()
        assert leases.live is not None
        assert leases.live["spec"]["holderIdentity"] == ""

    virtual(scenario)()


@virtual
async def test_leadership_ends_at_the_renew_deadline_while_the_network_hangs() -> None:
    """Not a moment later: from then on another may lead."""
    leases, loop = Leases(), asyncio.get_running_loop()
    lease = leases.of("first")
    await lease.acquire()
    leases.hangs.add("first")
    await asyncio.sleep(RENEW_DEADLINE - 0.1)
    assert lease.may_write()
    await asyncio.sleep(0.1)
    assert not lease.may_write()
    await lease.hold()
    assert loop.time() < RENEW_DEADLINE * 2


@pytest.mark.parametrize("seed", range(20))
def test_two_never_lead_at_once(seed: int) -> None:
    """Whoever hangs for however long: at no moment may two write."""

    async def scenario() -> int:
        leases, chance, led = Leases(), random.Random(seed), set()  # noqa: S311
        candidates = {name: leases.of(name) for name in ("a", "b", "c")}

        async def stand(lease: Lease) -> None:
            while True:
                await lease.acquire()
                await lease.hold()

        tasks = [asyncio.create_task(stand(lease)) for lease in candidates.values()]
        for _ in range(2000):
            if chance.random() < 0.02:
                leases.hangs ^= {chance.choice("abc")}
            await asyncio.sleep(0.1)
            leading = [name for name, lease in candidates.items() if lease.may_write()]
            assert len(leading) <= 1
            led.update(leading)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(led)

    assert virtual(scenario)() >= 1
