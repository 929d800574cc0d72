"""Nodes as columns: for a label, a taint set or a resource one array with an entry for each node.

A row is a node's place in every column. Rows are reused; `grow` makes room. A column of labels exists once somebody has
asked for its key, and from then on is kept up to date with each node's events.
"""

from collections.abc import Hashable, Mapping
from functools import cache
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

ABSENT: Final = -1
_FEW: Final = 64
V = TypeVar("V", bound=Hashable)


class Coded(Generic[V]):
    """Something of every node, each value as a small number; ABSENT where the node has none."""

    def __init__(self, size: int) -> None:
        self.codes: Codes = np.full(size, ABSENT, np.int32)
        self.values: list[V] = []
        self._known: dict[V, int] = {}
        self._most = _FEW

    def set(self, row: int, value: V | None) -> None:
        """Write down a node's value, None where it has none."""
        self.codes[row] = ABSENT if value is None else self._code(value)

    def grow(self, size: int) -> None:
        """Make room for that many rows."""
        self.codes = _grown(self.codes, size, ABSENT)

    def _code(self, value: V) -> int:
        if value not in self._known:
            if len(self.values) >= self._most:
                self._forget()
            self._known[value] = len(self.values)
            self.values.append(value)
        return self._known[value]

    def _forget(self) -> None:
        """Keep the values that nodes have. Nodes that come and go bring new ones each time: their names, for one."""
        used = np.unique(self.codes[self.codes != ABSENT])
        renumbered = np.full(len(self.values) + 1, ABSENT, np.int32)
        renumbered[used] = np.arange(len(used))
        self.codes = renumbered[self.codes]
        self.values = [self.values[code] for code in used]
        self._known = {value: code for code, value in enumerate(self.values)}
        self._most = 2 * len(self.values) + _FEW


class Labels(Coded[str]):
    """One label of every node."""

    def where(self, wanted: Mapping[str, bool] | None, *, absent: bool) -> Mask:
        """Return the rows whose value is wanted; None wants every value."""
        table = np.ones(len(self.values) + 1, np.bool_) if wanted is None else self._table(wanted)
        table[-1] = absent  # ABSENT is the last entry from behind
        return table[self.codes]

    def _table(self, wanted: Mapping[str, bool]) -> Mask:
        table = np.zeros(len(self.values) + 1, np.bool_)
        for value, is_wanted in wanted.items():
            if (code := self._known.get(value)) is not None:
                table[code] = is_wanted
        return table


class Resources:
    """Amounts of each resource on every node. A resource gets its column with the first amount of it."""

    def __init__(self, size: int) -> None:
        self._nothing = _zeros(size)
        self._columns: dict[str, Ints] = {}

    def __getitem__(self, name: str) -> Ints:
        return self._columns.get(name, self._nothing)

    def add(self, row: int, amounts: Mapping[str, int], sign: int = 1) -> None:
        """Add amounts to a node's, or take them off."""
        for name, amount in amounts.items():
            if name not in self._columns:
                self._columns[name] = np.zeros(len(self._nothing), np.int64)
            self._columns[name][row] += sign * amount

    def replace(self, row: int, amounts: Mapping[str, int]) -> None:
        """Make a node's amounts these."""
        for column in self._columns.values():
            column[row] = 0
        self.add(row, amounts)

    def grow(self, size: int) -> None:
        """Make room for that many rows."""
        self._nothing = _zeros(size)
        self._columns = {name: _grown(column, size, 0) for name, column in self._columns.items()}


@cache
def _zeros(size: int) -> Ints:
    """Return what there is of a resource that no node has and no pod on one requests. Not to be changed."""
    found = np.zeros(size, np.int64)
    found.setflags(write=False)
    return found


def _grown(column: NDArray[np.generic], size: int, fill: int) -> NDArray:  # type: ignore[type-arg]
    larger = np.full(size, fill, column.dtype)
    larger[: len(column)] = column
    return larger


grown = _grown
