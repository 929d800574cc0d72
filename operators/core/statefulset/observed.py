"""What a StatefulSet's rules look at, and the questions that they all ask of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.rounding import scaled


@dataclass(frozen=True, slots=True)
class Observed:
    """One StatefulSet and what belongs to it.

    pods and revisions: those that it controls, by UID, and orphans that its selector takes. claims: by name, those that
    its pods have or need, as far as they exist.
    """

    statefulset: Obj
    pods: tuple[Pod, ...]
    revisions: tuple[Obj, ...]
    claims: Mapping[str, Obj]
    now: datetime


def replicas(statefulset: Obj) -> int:
    """Return the number of pods asked for."""
    return int(statefulset["spec"].get("replicas", 1))


def start(statefulset: Obj) -> int:
    """Return the first pod's ordinal."""
    return int((statefulset["spec"].get("ordinals") or {}).get("start", 0))


def ordinals(statefulset: Obj) -> range:
    """Return the ordinals that there shall be pods for."""
    first = start(statefulset)
    return range(first, first + replicas(statefulset))


def min_ready_seconds(statefulset: Obj) -> int:
    """Return for how long a pod must have been ready to count as available."""
    return int(statefulset["spec"].get("minReadySeconds", 0))


def is_parallel(statefulset: Obj) -> bool:
    """Whether pods need not wait for one another (podManagementPolicy)."""
    return bool(statefulset["spec"].get("podManagementPolicy") == "Parallel")


def is_rolling(statefulset: Obj) -> bool:
    """Whether pods of an old template are replaced, rather than left until somebody deletes them."""
    return bool(_strategy(statefulset).get("type", "RollingUpdate") == "RollingUpdate")


def rolling_update(statefulset: Obj) -> Obj | None:
    """Return the parameters of a rolling update, None where none are given, which has a meaning of its own."""
    return _strategy(statefulset).get("rollingUpdate")


def partition(statefulset: Obj) -> int:
    """Return how many pods, counted from the first ordinal, a rolling update leaves alone."""
    return int((rolling_update(statefulset) or {}).get("partition") or 0)


def max_unavailable(statefulset: Obj) -> int:
    """Return how many pods a rolling update may have unavailable: at least one, percentages rounded down."""
    given = (rolling_update(statefulset) or {}).get("maxUnavailable")
    return max(1, scaled(1 if given is None else given, replicas(statefulset), round_up=False))


def _strategy(statefulset: Obj) -> dict[str, Any]:
    return statefulset["spec"].get("updateStrategy") or {}
