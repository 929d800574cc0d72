"""Which run of a CronJob is due, how many were missed, and when to look again.

Mirrors mostRecentScheduleTime and nextScheduleTimeDuration in pkg/controller/cronjob/utils.go. How many were missed is
estimated from the distance of the first two, as upstream does; of those, only the latest is made up for.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from operators.core import objects
from operators.core.cronjob.schedule import Schedule
from operators.core.objects import Obj

MANY = 100
"""The missed runs above which a warning is given."""
PADDING = timedelta(milliseconds=100)
"""What clocks may differ by: a run is looked for this much after it is due."""


class UnsatisfiableError(ValueError):
    """A schedule that can be read and never comes."""


@dataclass(frozen=True, slots=True)
class Due:
    """The run to start, None for none; since when runs were counted; and how many were missed, at a rough estimate."""

    time: datetime | None
    since: datetime
    missed: int


def due(
    cronjob: Obj,
    schedule: Schedule,
    now: datetime,
    *,
    within_deadline: bool = True,
    not_before: datetime | None = None,
) -> Due:
    """Return the latest run that is due. Raises UnsatisfiableError.

    within_deadline: runs older than startingDeadlineSeconds are passed over, and not counted. not_before: so are those
    up to this time, before which the schedule was another.
    """
    since = _since(cronjob, now, not_before, within_deadline=within_deadline)
    first = schedule.next(since)
    second = schedule.next(first) if first is not None else None
    if first is None or second is None:
        raise UnsatisfiableError("time difference between two schedules is less than 1 second")
    if now < first:
        return Due(None, since, 0)
    if now < second:
        return Due(first, since, 0)
    distance = max(1, round((second - first).total_seconds()))
    missed = int((now - first).total_seconds()) // distance + 1
    latest = None
    candidate = schedule.next(first + timedelta(seconds=(missed - 2) * distance))
    while candidate is not None and candidate <= now:
        latest = candidate
        candidate = schedule.next(candidate)
    return Due(latest, since, missed)


def following(
    cronjob: Obj, schedule: Schedule, now: datetime, *, not_before: datetime | None = None
) -> datetime | None:
    """Return when the next run is due after those that are due by now, None where there is none."""
    try:
        found = due(cronjob, schedule, now, within_deadline=False, not_before=not_before)
    except UnsatisfiableError:
        return schedule.next(now)
    return schedule.next(found.time or (now if found.missed else found.since))


def job_name(cronjob: Obj, scheduled: datetime) -> str:
    """Return the name of a run's Job: the same whoever starts it."""
    return f"{objects.name(cronjob)}-{int(scheduled.timestamp()) // 60}"


def delay(cronjob: Obj) -> timedelta:
    """Return how long after its time each run is started: the same for all runs of a CronJob, within jitterSeconds.

    It comes from the name: with jitterSeconds 60, of 1,000 CronJobs that are due at the same time about 16 start in
    each second of the minute that follows, and between two runs of one there is as much time as its schedule says.
    """
    limit = int(cronjob["spec"].get("jitterSeconds") or 0)
    return timedelta(seconds=zlib.crc32("/".join(objects.key(cronjob)).encode()) % (limit + 1))


def _since(cronjob: Obj, now: datetime, not_before: datetime | None, *, within_deadline: bool) -> datetime:
    last = (cronjob.get("status") or {}).get("lastScheduleTime")
    since = objects.parse_time(last or cronjob["metadata"]["creationTimestamp"])
    if not_before is not None:
        since = max(since, not_before)
    deadline = cronjob["spec"].get("startingDeadlineSeconds")
    if within_deadline and deadline is not None:
        since = max(since, now - timedelta(seconds=deadline))
    return since
