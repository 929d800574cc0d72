"""Which nodes have which images."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Image:
    """An image that nodes have: its size as the first of those that have it reported it."""

    size: int
    rows: set[int]


class Images(dict[str, Image]):
    """The images that any node has, by name."""

    def put(self, row: int, old: Mapping[str, int], new: Mapping[str, int]) -> None:
        """Take note that a node has other images, and how large those are."""
        if old == new:
            return
        for name in old:
            image = self[name]
            image.rows.discard(row)
            if not image.rows:
                del self[name]
        for name, size in new.items():
            self.setdefault(name, Image(size, set())).rows.add(row)
