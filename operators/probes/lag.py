"""How far behind the prober is: as a histogram of every try, and as the worst of the last seconds."""

import asyncio
from typing import Final

from operators.runtime import metrics

_WINDOW: Final = 10.0


class Lag:
    """What is late."""

    def __init__(self) -> None:
        self._worst = 0.0

    def note(self, seconds: float) -> None:
        """Note by how much a try was late."""
        metrics.probe_lag.observe(max(0.0, seconds))
        self._worst = max(self._worst, seconds)

    async def watch(self) -> None:
        """Keep the gauge, until cancelled."""
        while True:
            await asyncio.sleep(_WINDOW)
            metrics.prober_behind.set(self._worst)
            self._worst = 0.0
