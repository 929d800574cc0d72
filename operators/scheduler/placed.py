"""Pods that are on nodes, budgets that protect them, and pods that are thought away for a while."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from operators.core.selectors import Selector
from operators.scheduler.pod import Pod


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod on a node."""

    pod: Pod
    row: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a PodDisruptionBudget lets go."""

    selector: Selector | None
    allowed: int
    disrupted: frozenset[str]
    """Names of pods whose eviction is under way and counted."""


class Away:
    """Pods that are thought away from where they are placed, of which each can be thought back."""

    def __init__(self, placed: Mapping[str, Placed], count: Callable[[Pod, int, int], None]) -> None:
        self._placed, self._count = placed, count
        self._away: set[str] = set()

    def send_off(self, uid: str) -> None:
        """Have a pod gone."""
        if uid in self._placed and uid not in self._away:
            self._away.add(uid)
            self._count(self._placed[uid].pod, self._placed[uid].row, -1)

    def bring_back(self, uid: str) -> None:
        """Have it where it was."""
        if uid in self._away:
            self._away.remove(uid)
            self._count(self._placed[uid].pod, self._placed[uid].row, 1)
