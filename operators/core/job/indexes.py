"""Completion indexes, kept as ranges: `0,2,4-7` is how a status says that seven of them are done.

Mirrors orderedIntervals in pkg/controller/job/indexed_job_utils.go. Everything costs as many steps as there are ranges,
however many indexes they span.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Indexes:
    """Ranges (first, last), in order, that neither overlap nor touch."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, text: str, completions: int) -> "Indexes":
        """Read upstream's notation; what lies beyond `completions` is left out, and so is what makes no sense."""
        return cls(tuple(_joined(_parsed(text, completions)))) if text else cls()

    def __str__(self) -> str:
        return ",".join(_text(first, last) for first, last in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __contains__(self, index: int | None) -> bool:
        if index is None:
            return False
        at = bisect_left(self.ranges, index, key=itemgetter(1))
        return at < len(self.ranges) and self.ranges[at][0] <= index

    def merge(self, other: "Indexes") -> "Indexes":
        """Return the indexes that are in one or the other."""
        if not self.ranges or not other.ranges:
            return self if self.ranges else other
        return Indexes(tuple(_joined(sorted((*self.ranges, *other.ranges)))))

    def with_(self, indexes: Iterable[int]) -> "Indexes":
        """Return these and further indexes, in any order."""
        return self.merge(Indexes(tuple(_joined((index, index) for index in sorted(set(indexes))))))

    def common(self, other: "Indexes") -> int:
        """Return how many indexes are in both."""
        count, mine, theirs = 0, iter(self.ranges), iter(other.ranges)
        a, b = next(mine, None), next(theirs, None)
        while a is not None and b is not None:
            count += max(0, min(a[1], b[1]) - max(a[0], b[0]) + 1)
            if a[1] < b[1]:
                a = next(mine, None)
            else:
                b = next(theirs, None)
        return count

    def first_missing(self, count: int, completions: int) -> list[int]:
        """Return the lowest `count` indexes below `completions` that are not here: of `0,2` and 3, it is 1, 3, 4."""
        return list(islice(self._missing(completions), count))

    def _missing(self, completions: int) -> Iterator[int]:
        candidate = 0
        for first, last in self.ranges:
            yield from range(candidate, min(first, completions))
            candidate = last + 1
        yield from range(candidate, completions)


def _parsed(text: str, completions: int) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        numbers = part.split("-")
        if not all(_NUMBER.fullmatch(number) for number in numbers[:2]):
            continue
        first = int(numbers[0])
        if first >= completions:
            return
        yield first, (min(int(numbers[1]), completions - 1) if len(numbers) > 1 else first)


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join ranges, ordered by their first index, that overlap or touch."""
    current: tuple[int, int] | None = None
    for first, last in ranges:
        if current is None:
            current = first, last
        elif first <= current[1] + 1:
            current = current[0], max(current[1], last)
        else:
            yield current
            current = first, last
    if current is not None:
        yield current


def _text(first: int, last: int) -> str:
    """Write a range as upstream does, two neighbours without a dash."""
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"
