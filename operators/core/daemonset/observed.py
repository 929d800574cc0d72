"""What a DaemonSet's rules look at, and the questions that they all ask of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from operators.core import objects
from operators.core.daemonset.backoff import Retry
from operators.core.objects import KOPFWERK, Obj
from operators.core.pods import Pod
from operators.core.rounding import scaled

SKIPS_NOT_READY: Final = "kopfwerk.dev/rollout-skips-not-ready-nodes"
"""The annotation by which pods on nodes that are not ready do not count against a rollout's bounds ("true")."""

_TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"


@dataclass(frozen=True, slots=True)
class Observed:
    """One DaemonSet, what belongs to it, and every node.

    pods and revisions: those that it controls, by UID, and orphans that its selector takes. retries: by node, when a
    failed pod was last deleted there, and how long the next one has to wait.
    """

    daemonset: Obj
    pods: tuple[Pod, ...]
    revisions: tuple[Obj, ...]
    nodes: tuple[Obj, ...]
    now: datetime
    retries: Mapping[str, Retry] = field(default_factory=dict)


def min_ready_seconds(daemonset: Obj) -> int:
    """Return for how long a pod must have been ready to count as available."""
    return int(daemonset["spec"].get("minReadySeconds", 0))


def is_rolling(daemonset: Obj) -> bool:
    """Whether pods of an old template are replaced, rather than left until somebody deletes them."""
    return (_strategy(daemonset).get("type") or "RollingUpdate") == "RollingUpdate"


def bounds(daemonset: Obj, desired: int) -> tuple[int, int]:
    """Return maxSurge and maxUnavailable for `desired` nodes, percentages rounded up: 10 % of 11 are 2.

    Where both come to 0, one pod may be unavailable, or nothing would ever move.
    """
    if not is_rolling(daemonset):
        return 0, 0
    rolling = _strategy(daemonset).get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge"), desired, round_up=True)
    unavailable = scaled(rolling.get("maxUnavailable", 1), desired, round_up=True)
    return surge, unavailable if surge or unavailable else 1


def allows_surge(daemonset: Obj) -> bool:
    """Whether a node may have two pods during an update."""
    return bounds(daemonset, 1)[0] > 0


def skips_not_ready_nodes(daemonset: Obj) -> bool:
    """Whether a rollout's bounds are about nodes that are ready, and no others."""
    return objects.annotations(daemonset).get(SKIPS_NOT_READY) == "true"


def template_generation(daemonset: Obj) -> str | None:
    """Return the number of the template, by which pods older than their revisions are known.

    Only the built-in kind has one that is kept up to date. A custom resource that has the annotation was copied from
    there, and every pod would be taken for one of the newest template for ever.
    """
    if daemonset["apiVersion"].startswith(KOPFWERK):
        return None
    try:
        return str(int(objects.annotations(daemonset)[_TEMPLATE_GENERATION]))
    except (KeyError, ValueError):
        return None


def _strategy(daemonset: Obj) -> dict[str, Any]:
    return daemonset["spec"].get("updateStrategy") or {}
