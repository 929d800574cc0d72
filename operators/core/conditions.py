"""Status conditions: a list with one entry a type."""

from collections.abc import Sequence
from datetime import datetime

from operators.core.objects import Obj, format_time


def get(conditions: Sequence[Obj], type_: str) -> Obj | None:
    """Return the condition of a type, if there is one."""
    return next((condition for condition in conditions if condition["type"] == type_), None)


def new(type_: str, status: str, reason: str, message: str, now: datetime) -> Obj:
    """Make a condition whose last transition is now."""
    stamp = format_time(now)
    return {"type": type_, "status": status, "lastTransitionTime": stamp, "reason": reason, "message": message}


def without(conditions: Sequence[Obj], type_: str) -> list[Obj]:
    """Return the conditions but for those of a type."""
    return [condition for condition in conditions if condition["type"] != type_]


def with_(conditions: Sequence[Obj], condition: Obj) -> list[Obj]:
    """Return the conditions with this one for its type, last.

    Where status and reason are as before, nothing changes; where only the reason differs, nothing was passed from one
    state to another, and the time of the last transition stays.
    """
    current = get(conditions, condition["type"])
    if current and current.get("status") == condition["status"]:
        if current.get("reason") == condition["reason"]:
            return list(conditions)
        if since := current.get("lastTransitionTime"):
            condition = condition | {"lastTransitionTime": since}
    return [*without(conditions, condition["type"]), condition]
