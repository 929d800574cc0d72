"""What a Deployment's rules look at, and the questions that they all ask of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.rounding import fenceposts

_NO_LIMIT = 2**31 - 1
"""The value by which upstream's old API versions said that there is no limit, still honoured."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One Deployment and its family.

    replicasets: those that it controls, by UID, and orphans that it may adopt. pods: by the UID of the ReplicaSet that
    controls them.
    """

    deployment: Obj
    replicasets: tuple[Obj, ...]
    pods: Mapping[str, tuple[Pod, ...]]
    now: datetime


def replicas(deployment: Obj) -> int:
    """Return the number of pods asked for."""
    return int(deployment["spec"].get("replicas", 1))


def is_paused(deployment: Obj) -> bool:
    """Whether changes of the template are to wait."""
    return bool(deployment["spec"].get("paused"))


def is_recreate(deployment: Obj) -> bool:
    """Whether old pods have to be gone before new ones come."""
    return _strategy(deployment).get("type") == "Recreate"


def max_surge(deployment: Obj) -> int:
    """Return how many pods there may be beyond `replicas`."""
    return 0 if is_recreate(deployment) else _fenceposts(deployment)[0]


def max_unavailable(deployment: Obj) -> int:
    """Return how many of `replicas` need not be available."""
    wanted = replicas(deployment)
    if is_recreate(deployment) or wanted == 0:
        return 0
    return min(wanted, _fenceposts(deployment)[1])


def progress_deadline(deployment: Obj) -> int | None:
    """Return the seconds that a rollout may stand still, None where it may for ever."""
    return _limit(deployment["spec"].get("progressDeadlineSeconds"))


def history_limit(deployment: Obj) -> int | None:
    """Return how many old ReplicaSets are kept, None for all."""
    return _limit(deployment["spec"].get("revisionHistoryLimit"))


def _limit(value: int | None) -> int | None:
    return None if value == _NO_LIMIT else value


def _strategy(deployment: Obj) -> Obj:
    return deployment["spec"].get("strategy") or {}


def _fenceposts(deployment: Obj) -> tuple[int, int]:
    rolling: dict[str, Any] = _strategy(deployment).get("rollingUpdate") or {}
    return fenceposts(rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%"), replicas(deployment))
