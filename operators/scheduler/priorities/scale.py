"""What a priority is, and how upstream brings counts to a scale of 0 to 100 (helper.DefaultNormalizeScore)."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.snapshot import Snapshot

MOST: Final = 100
Rows: TypeAlias = NDArray[np.int64]

Priority: TypeAlias = Callable[[Pod, Snapshot, Rows], Ints | None]
"""Scores the nodes of these rows, those that the pod can go to, from 0 to 100; None has nothing to say."""


def to_largest(counts: Ints, *, reverse: bool = False) -> Ints:
    """Scale so that the largest is 100, or, in reverse, 0. Counts of 1, 2 and 3 give 33, 66 and 100."""
    largest = int(counts.max(initial=0))
    if largest == 0:
        return np.full(len(counts), MOST if reverse else 0, np.int64)
    scaled = MOST * counts // largest
    return MOST - scaled if reverse else scaled
