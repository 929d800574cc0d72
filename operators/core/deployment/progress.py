"""The Progressing condition: whether a rollout moves, is done, or has stood still for too long.

Mirrors syncRolloutStatus in pkg/controller/deployment/progress.go. The deadline counts from the condition's
lastUpdateTime, and never runs once a rollout is complete.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from operators.core import conditions, objects
from operators.core.deployment.observed import is_paused, progress_deadline, replicas
from operators.core.objects import Obj

PROGRESSING = "Progressing"
AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"


def condition(type_: str, status: str, reason: str, message: str, now: datetime) -> Obj:
    """Make a Deployment's condition, which says when it was last updated, too."""
    return conditions.new(type_, status, reason, message, now) | {"lastUpdateTime": objects.format_time(now)}


def paused_or_resumed(deployment: Obj, found: Sequence[Obj], now: datetime) -> list[Obj]:
    """Say that a rollout is paused or goes on again: its deadline stops, and starts anew (checkPausedConditions)."""
    if objects.is_terminating(deployment):
        return list(found)
    current = conditions.get(found, PROGRESSING)
    reason = _reason(current)
    if progress_deadline(deployment) is None or reason == TIMED_OUT or is_paused(deployment) == (reason == PAUSED):
        return list(found)
    if is_paused(deployment):
        return conditions.with_(found, condition(PROGRESSING, "Unknown", PAUSED, "Deployment is paused", now))
    return conditions.with_(found, condition(PROGRESSING, "Unknown", RESUMED, "Deployment is resumed", now))


def is_complete(deployment: Obj, status: Obj) -> bool:
    """Whether all pods are new and available, and the status is of the latest spec."""
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(name, 0) == replicas(deployment) for name in counts) and status.get(
        "observedGeneration", 0
    ) >= objects.generation(deployment)


def progressed(deployment: Obj, new: Obj | None, status: Obj, found: Sequence[Obj], now: datetime) -> list[Obj]:
    """Return the conditions with what `status`, compared with the Deployment's last one, says of the rollout."""
    before = deployment.get("status") or {}
    # What the rollout is measured by is the condition that users have seen last, as it was before this sync.
    current = conditions.get(found, PROGRESSING)
    if progress_deadline(deployment) is None:
        return conditions.without(found, PROGRESSING)
    settled = status["replicas"] == status["updatedReplicas"] and _reason(current) == AVAILABLE
    if settled:
        return list(found)
    who = f'ReplicaSet "{objects.name(new)}"' if new else f'Deployment "{objects.name(deployment)}"'
    if is_complete(deployment, status):
        message = f"{who} has successfully progressed."
        return conditions.with_(found, condition(PROGRESSING, "True", AVAILABLE, message, now))
    if _moved(before, status):
        made = condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{who} is progressing.", now)
        if current and current.get("status") == "True" and (since := current.get("lastTransitionTime")):
            made["lastTransitionTime"] = since
        return [*conditions.without(found, PROGRESSING), made]
    if current and _has_timed_out(deployment, current, now):
        message = f"{who} has timed out progressing."
        return conditions.with_(found, condition(PROGRESSING, "False", TIMED_OUT, message, now))
    return list(found)


def next_check(deployment: Obj, now: datetime) -> timedelta | None:
    """Return when the deadline will have to be looked at, None where it does not run (requeueStuckDeployment).

    Upstream also asks while a complete rollout is short of pods, which can never time out: that would be polling. Nor
    is there a next time once it has passed: this sync says so, or fails, and is tried again for that.
    """
    status = deployment.get("status") or {}
    current = conditions.get(status.get("conditions") or (), PROGRESSING)
    deadline = progress_deadline(deployment)
    if deadline is None or current is None or is_paused(deployment) or is_complete(deployment, status):
        return None
    if _reason(current) in (TIMED_OUT, AVAILABLE):
        return None
    due = _updated(current) + timedelta(seconds=deadline + 1)
    return due - now if due > now else None


def _moved(before: Obj, after: Obj) -> bool:
    """Whether there are more new, fewer old, more ready or more available pods than before."""

    def old(status: Obj) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(after) < old(before) or any(after.get(name, 0) > before.get(name, 0) for name in grown)


def _has_timed_out(deployment: Obj, current: Obj, now: datetime) -> bool:
    deadline = progress_deadline(deployment)
    if deadline is None or _reason(current) == AVAILABLE:
        return False
    if _reason(current) == TIMED_OUT:
        return True
    return _updated(current) + timedelta(seconds=deadline) < now


def _reason(condition: Obj | None) -> str:
    """Return why a condition is as it is, empty where there is none or it does not say."""
    return (condition or {}).get("reason") or ""


def _updated(condition: Obj) -> datetime:
    """Return when a condition was last updated: long ago, where it does not say."""
    text = condition.get("lastUpdateTime")
    return objects.parse_time(text) if text else datetime.min.replace(tzinfo=UTC)
