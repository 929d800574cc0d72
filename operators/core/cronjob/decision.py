"""Which run to start now, and when the next one is. Mirrors the second half of syncCronJob.

Upstream also warns of a run whose deadline has passed (MissSchedule), but since it looks for runs only as far back as
the deadline, that never comes to pass, and there is no such thing here.
"""

import json
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

from operators.core import objects
from operators.core.cronjob import schedule as schedules
from operators.core.cronjob.due import MANY, Due, UnsatisfiableError, delay, due, following, job_name
from operators.core.cronjob.observed import Observed, split, zone_name
from operators.core.objects import Obj
from operators.core.plan import Say

parse: Final = lru_cache(maxsize=4096)(schedules.parse)
"""Reads a schedule, each once. Raises InvalidScheduleError."""

_TOO_MANY: Final = Say(
    "Warning",
    "TooManyMissedTimes",
    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
)
_STILL_RUNNING: Final = Say(
    "Normal",
    "JobAlreadyActive",
    "Not starting job because prior execution is running and concurrency policy is Forbid",
)
_DOCUMENTED: Final = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"


@dataclass(frozen=True, slots=True)
class Decision:
    """The run to start, None for none; the time of the next one; and what there is to say about it."""

    start: datetime | None = None
    following: datetime | None = None
    says: tuple[Say, ...] = ()


@lru_cache(maxsize=16)  # a sync asks for the plan, for the status and for what to tell, all of the same Observed
def decide(observed: Observed) -> Decision:
    """Decide by the schedule, the policy for runs at the same time, and what was started already."""
    cronjob, zone = observed.cronjob, observed.zone
    spec = cronjob["spec"]
    if objects.is_terminating(cronjob):
        return Decision()
    if zone is None:
        name = zone_name(cronjob)
        reason = f"unknown time zone {name}"
        return Decision(says=(Say("Warning", "UnknownTimeZone", f"invalid timeZone: {_quoted(name)}: {reason}"),))
    if spec.get("suspend"):
        return Decision()
    text = spec["schedule"]
    says = _unsupported(text)
    moment = observed.now - delay(cronjob)
    try:
        schedule = parse(split(text)[1], zone)
        found = due(cronjob, schedule, moment, not_before=observed.changed)
    except schedules.InvalidScheduleError as error:
        says += (Say("Warning", "UnparseableSchedule", f"unparseable schedule: {_quoted(text)} : {error}"),)
        return Decision(says=says)
    except UnsatisfiableError as error:
        return Decision(says=(*says, Say("Warning", "InvalidSchedule", f"invalid schedule: {text} : {error}")))
    coming = following(cronjob, schedule, moment, not_before=observed.changed)
    if found.time is None:
        return Decision(following=coming, says=says)
    if found.missed > MANY:
        says += (_TOO_MANY,)
    return _about(observed, found, Decision(found.time, coming, says))


def _about(observed: Observed, found: Due, go: Decision) -> Decision:
    """Return the decision about a run that is due: to go, or why not."""
    cronjob = observed.cronjob
    assert found.time is not None  # noqa: S101 - what the caller has looked at
    name = job_name(cronjob, found.time)
    place = objects.key(cronjob)[0]
    stay = Decision(None, go.following, go.says)
    if any((ref.get("namespace"), ref.get("name")) == (place, name) for ref in observed.named):
        return stay
    holder = observed.find((place, name))
    if holder is not None:
        return go if observed.is_own(holder) else stay
    if cronjob["spec"].get("concurrencyPolicy") == "Forbid" and observed.running:
        return Decision(None, go.following, (*go.says, _STILL_RUNNING))
    return go


def next_after_last(cronjob: Obj, zone: tzinfo) -> datetime | None:
    """Return when the first run is after the last that was started, past or to come; None for a suspended CronJob."""
    if cronjob["spec"].get("suspend"):
        return None
    last = (cronjob.get("status") or {}).get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"]
    try:
        return parse(split(cronjob["spec"]["schedule"])[1], zone).next(objects.parse_time(last))
    except schedules.InvalidScheduleError:
        return None


def job_of(observed: Observed, run: datetime) -> Obj | None:
    """Return the Job of a run, where it was made already."""
    found = observed.find((objects.key(observed.cronjob)[0], job_name(observed.cronjob, run)))
    return found if found is not None and observed.is_own(found) else None


def _unsupported(schedule: str) -> tuple[Say, ...]:
    if "TZ" not in schedule:
        return ()
    message = (
        f"CRON_TZ or TZ used in schedule {_quoted(schedule)} is not officially supported, see {_DOCUMENTED} for "
        "more details"
    )
    return (Say("Warning", "UnsupportedSchedule", message),)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
