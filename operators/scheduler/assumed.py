"""Which pods were placed and not yet seen on their node, and for how long that is believed."""

from collections.abc import Iterator
from typing import Final

ASSUMED_FOR: Final = 60.0
"""Seconds after which a pod that was placed, and of which nothing was heard since, no longer counts on its node."""
BOUND_FOR: Final = 600.0
"""Seconds for one that the apiserver has bound: it is there, and only the watch is late. Unless it is gone already."""


class Assumed:
    """Pods by UID, with the time until which each is believed. The oldest come first, since all wait equally long."""

    def __init__(self) -> None:
        self._placed: dict[str, float] = {}
        self._bound: dict[str, float] = {}
        self._held: set[str] = set()
        """Believed until somebody says otherwise: who holds them has a time limit of its own."""

    def __len__(self) -> int:
        return len(self._placed) + len(self._bound) + len(self._held)

    def __contains__(self, uid: str) -> bool:
        return uid in self._placed or uid in self._bound or uid in self._held

    def is_held(self, uid: str) -> bool:
        """Whether it is believed until somebody says otherwise."""
        return uid in self._held

    def add(self, uid: str, now: float) -> None:
        """Believe from now on that a pod is where it was placed."""
        self.pop(uid)
        self._placed[uid] = now + ASSUMED_FOR

    def hold(self, uid: str) -> None:
        """Believe from now on that a pod is where it shall be placed, without an end."""
        self.pop(uid)
        self._held.add(uid)

    def bound(self, uid: str, now: float) -> None:
        """Believe it for longer: it was bound."""
        if self._placed.pop(uid, None) is not None or uid in self._held:
            self._held.discard(uid)
            self._bound[uid] = now + BOUND_FOR

    def pop(self, uid: str) -> bool:
        """Believe it no longer; whether it was believed."""
        if uid in self._held:
            self._held.remove(uid)
            return True
        return self._placed.pop(uid, None) is not None or self._bound.pop(uid, None) is not None

    def expire(self, now: float) -> Iterator[str]:
        """Yield those that were believed for long enough, each believed no longer."""
        for pods in (self._placed, self._bound):
            while pods:
                uid = next(iter(pods))
                if pods[uid] > now:
                    break
                del pods[uid]
                yield uid
