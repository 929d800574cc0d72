"""Timers by the thousand a second: those that are due within the same step share one of the event loop's."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from operators.core.probe.schedule import STEP

_ROUNDING: Final = 1e-6
"""Of a step: what sums of fractions are off by."""


class Timer:
    """A call that is to be made."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Make it not."""
        self._call = None

    def fire(self) -> None:
        """Make it now, unless it was cancelled."""
        call, self._call = self._call, None
        if call is not None:
            call()


class Wheel:
    """Timers of the loop that runs. Each fires at its time or up to a step later, never before."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[int, list[Timer]] = {}

    def call_at(self, moment: float, call: Callable[[], object]) -> Timer:
        """Have a call made at a time of the loop's."""
        timer, step = Timer(call), math.ceil(moment / STEP - _ROUNDING)
        if (due := self._due.get(step)) is None:
            due = self._due[step] = []
            self._loop.call_at(step * STEP, self._turn, step)
        due.append(timer)
        return timer

    def _turn(self, step: int) -> None:
        """Fire what is due. A defect of one is the loop's to report, and no other's."""
        for timer in self._due.pop(step):
            try:
                timer.fire()
            except Exception as error:  # noqa: BLE001 - whatever it is
                self._loop.call_exception_handler({"message": "a timer's call has failed", "exception": error})
