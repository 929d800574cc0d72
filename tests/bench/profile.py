"""What a sampling profile says: where the operator's time went, by function."""

import re
from collections import Counter
from pathlib import Path

from rich.table import Table

_LINE = re.compile(r":\d+\)$")
"""The line number that ends a frame: a function is one, wherever in it the sample was."""


def as_table(file: Path, most: int = 30) -> Table:
    """Return the functions in which most samples were, themselves and with what they call.

    The file has a line for each stack, outermost frame first, and how often it was met. Imports are left out: they are
    over before anything is measured.
    """
    alone: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    total = 0
    for line in file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        if "<frozen importlib" in stack:
            continue
        frames = [_LINE.sub(")", frame) for frame in stack.split(";")]
        total += int(count)
        alone[frames[-1]] += int(count)
        for frame in set(frames):
            inclusive[frame] += int(count)
    table = Table("function", box=None, pad_edge=False, title=f"{total} samples", title_justify="left")
    table.add_column("itself", justify="right")
    table.add_column("with callees", justify="right")
    for frame, samples in alone.most_common(most):
        table.add_row(frame, f"{samples / total:.1%}", f"{inclusive[frame] / total:.1%}")
    return table
