"""When probes are tried: each at its own moment of the period, so that a thousand do not fire together.

A container that has just appeared is looked at within a second, or when its initial delay is over; after that each
probe keeps to a grid of its own, whose place in the period follows from the pod's UID. A container that was there
before is looked at on the grid from the beginning, so that a new leader does not meet all of them at once.
"""

from typing import Final
from zlib import crc32

SOON: Final = 1.0
"""Seconds within which something new is looked at."""
STEP: Final = 0.01
"""Seconds to which places are rounded: what is due together costs less than what is due in turn."""


def place(uid: str, name: str, period: float) -> float:
    """Return where in the period the probe of a pod is: spread evenly, and always the same for the same names."""
    return int(crc32(f"{uid}/{name}".encode()) / 2**32 * period / STEP) * STEP


def first(now: float, phase: float, period: float, *, delay: float, is_new: bool) -> float:
    """Return when to try for the first time. delay is what is left of the initial delay."""
    if not is_new:
        return following(now + delay, phase, period)
    return now + delay + phase / period * min(period, SOON)


def following(now: float, phase: float, period: float) -> float:
    """Return the next moment of the grid after `now`.

    A phase of 3 in periods of 10 has 3, 13, 23 …: at 13 and at 20 the next is 23.
    """
    return now + period - (now - phase) % period


def after(due: float, now: float, phase: float, period: float) -> float:
    """Return when to try again after a try that was due at `due`, as Go's ticker has it.

    What took longer than a period is followed at once, and moments that were missed are not made up for. The first try
    is followed on the grid, at least half a period later.
    """
    following_due = following(due + period / 2, phase, period)
    return max(now, following_due)
