"""Scenarios about minutes, all at the same time: each has a pair of namespaces, and all see the same minutes begin.

Waiting for minutes one scenario after the other would take an hour.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from operators.core.objects import KOPFWERK, format_time
from operators.runtime.client import Client
from tests.parity.pair import Pair, Side
from tests.support import namespaces

_SAFE: Final = range(2, 35)
"""The seconds of a minute in which there is time enough to begin before the next."""
_SLOWLY: Final = 1.2
"""Seconds between two looks of one scenario: there are dozens."""
_APART: Final = 0.2
"""Seconds between the beginnings of two scenarios, so that a slow apiserver is not asked for everything at once."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """The minute in which the scenarios began, and those that follow it."""

    began: datetime

    def at(self, number: int) -> datetime:
        """Return the beginning of a minute: that of number 0 is past."""
        return self.began + timedelta(minutes=number)

    def name(self, number: int) -> str:
        """Return the name of a minute's Job."""
        return f"tick-{int(self.at(number).timestamp()) // 60}"

    def text(self, number: int) -> str:
        """Return the beginning of a minute as a status has it."""
        return format_time(self.at(number))

    def only(self, *numbers: int) -> str:
        """Return a schedule of these minutes and, within the next hour, no others: no scenario has to hurry."""
        times = [self.at(number) for number in numbers]
        minutes, hours = (
            ",".join(str(n) for n in sorted(set(each)))
            for each in zip(*((t.minute, t.hour) for t in times), strict=True)
        )
        return f"{minutes} {hours} * * *"

    async def begun(self, number: int, after: float = 1) -> None:
        """Wait until a minute has begun, and a little more."""
        wait = self.at(number) - datetime.now(UTC)
        await asyncio.sleep(max(0, wait.total_seconds() + after))


Scenario: TypeAlias = Callable[[Pair, Minutes], Awaitable[None]]


async def run(kubeconfig: str, prefix: str, scenarios: Mapping[str, Scenario]) -> dict[str, BaseException | None]:
    """Run all scenarios, and return what each of them came to; None is well."""
    async with await Client.connect(kubeconfig) as admin, _pairs(admin, prefix, len(scenarios)) as pairs:
        minutes = Minutes(await _safe_minute())
        together = zip(scenarios.values(), pairs, strict=True)
        each = (_after(number * _APART, scenario(pair, minutes)) for number, (scenario, pair) in enumerate(together))
        came_of = await asyncio.gather(*each, return_exceptions=True)
    return dict(zip(scenarios, came_of, strict=True))


async def _after(seconds: float, scenario: Awaitable[None]) -> None:
    await asyncio.sleep(seconds)
    await scenario


async def _safe_minute() -> datetime:
    """Wait for a second in which to begin, and return the minute that it is in."""
    now = datetime.now(UTC)
    if now.second not in _SAFE:
        await asyncio.sleep((_SAFE.start - now.second) % 60)
    return datetime.now(UTC).replace(second=0, microsecond=0)


@asynccontextmanager
async def _pairs(admin: Client, prefix: str, count: int) -> AsyncIterator[list[Pair]]:
    shown = ("cronjobs", "jobs")
    pairs = [
        Pair(
            Side(admin, "batch", f"{prefix}-{number}-up", shown),
            Side(admin, KOPFWERK, f"{prefix}-{number}-our", shown),
            every=_SLOWLY,
        )
        for number in range(count)
    ]
    names = [side.namespace for pair in pairs for side in (pair.upstream, pair.ours)]
    await namespaces.make(admin, *names)
    try:
        yield pairs
    finally:
        for name in names:
            await admin.request("DELETE", f"/api/v1/namespaces/{name}")
