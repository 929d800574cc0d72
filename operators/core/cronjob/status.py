"""What a CronJob's status says, and what is told once it says so."""

from collections.abc import Iterator

from operators.core import objects
from operators.core.cronjob.decision import Decision, decide, job_of
from operators.core.cronjob.observed import Observed, end_of
from operators.core.cronjob.plan import superfluous
from operators.core.job.observed import COMPLETE
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Create, Delete, Exists, Failure, Outcome, Say


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there says the same."""
    decision = decide(observed)
    deleted = {
        step.target.uid
        for step, result in outcome.results
        if isinstance(step, Delete) and not isinstance(result, Failure)
    }
    new: Obj = {name: value for name, value in observed.status.items() if name != "active"}
    started = _started(observed, decision, outcome)
    left = deleted if started is None else deleted | {objects.uid(started)}
    active = [ref for ref in observed.running if ref.get("uid") not in left]
    if started is not None and decision.start is not None:
        active.append(observed.reference(started))
        new["lastScheduleTime"] = objects.format_time(decision.start)
    if active:
        new["active"] = active
    if last := _last_success(observed):
        new["lastSuccessfulTime"] = last
    if observed.job_resource.group == KOPFWERK:
        new["activeJobs"] = len(active)
        new.pop("nextScheduleTime", None)
        if decision.following is not None:
            new["nextScheduleTime"] = objects.format_time(decision.following)
    return None if new == _plain(observed.status) else new


def announce(observed: Observed, _status: Obj) -> Iterator[Say]:
    """Return what is to be told of the Jobs that the status names no longer."""
    cleaned = {objects.uid(job) for job in superfluous(observed, decide(observed))}
    for ref in observed.ended:
        if ref["uid"] not in cleaned:
            job = observed.children[ref["uid"]]
            message = f"Saw completed job: {objects.name(job)}, condition: {end_of(job)}"
            yield Say("Normal", "SawCompletedJob", message)
    for ref in observed.missing:
        yield Say("Normal", "MissingJob", f"Active job went missing: {ref.get('name', '')}")


def _plain(status: Obj) -> Obj:
    """Return a status as built-in kinds keep it, which leave out a list that is empty."""
    return {name: value for name, value in status.items() if name != "active" or value}


def _started(observed: Observed, decision: Decision, outcome: Outcome) -> Obj | None:
    """Return the Job of the run that is due: as it was made now, or before and nobody wrote it down."""
    if decision.start is None:
        return None
    for step, result in outcome.results:
        if isinstance(step, Create):
            job = result.obj if isinstance(result, Exists) else result
            return job if isinstance(job, dict) and observed.is_own(job) else None
    return job_of(observed, decision.start)


def _last_success(observed: Observed) -> str | None:
    """Return when the last of its Jobs that succeeded did."""
    succeeded = (job["status"] for job in observed.children.values() if end_of(job) == COMPLETE)
    known = [observed.status.get("lastSuccessfulTime"), *(status.get("completionTime") for status in succeeded)]
    return max(filter(None, known), default=None)
