"""What to do for a CronJob: start the run that is due, and clean up after those that are over.

Mirrors syncCronJob and cleanupFinishedJobs in pkg/controller/cronjob/cronjob_controllerv2.go. The deletion of old Jobs
comes last, so that a failing one holds up no run.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from operators.core import objects
from operators.core.cronjob.decision import Decision, decide, job_of
from operators.core.cronjob.due import PADDING, delay, job_name
from operators.core.cronjob.observed import SCHEDULED, Observed, end_of
from operators.core.job.observed import COMPLETE, FAILED
from operators.core.objects import Obj
from operators.core.plan import Batch, Create, Delete, Plan, Say, Target

_LONGEST_WAIT: Final = timedelta(seconds=61)
"""A timer knows nothing of a clock that is put forward, or of a machine that slept: so none is longer than this. It is
a little more than a minute, for the runs of each minute to be looked for no sooner than they should be."""
_DELETED: Final = Say("Normal", "SuccessfulDelete", "Deleted job {name}")
_NOT_DELETED: Final = Say("Warning", "FailedDelete", "Deleted job: {error}")
_CREATED: Final = Say("Normal", "SuccessfulCreate", "Created job {name}")
_NOT_CREATED: Final = Say("Warning", "FailedCreate", "Error creating job: {error}")


def plan(observed: Observed) -> Plan:
    """Decide what to write, and when to look again."""
    decision = decide(observed)
    batches = [*_runs(observed, decision)]
    if old := [_delete(observed, job) for job in superfluous(observed, decision)]:
        batches.append(Batch(tuple(old)))
    return Plan(tuple(batches), (*_unexpected(observed, decision), *decision.says), _wait(observed, decision))


def superfluous(observed: Observed, decision: Decision) -> tuple[Obj, ...]:
    """Return the Jobs that have ended and are more than the history keeps, the oldest.

    Not the Job of the run that is about to be started: it is there already, and the status is yet to say so. Once it
    were gone the run would be started again.
    """
    spec = observed.cronjob["spec"]
    kept = job_name(observed.cronjob, decision.start) if decision.start else ""
    found = [
        *_beyond(observed, COMPLETE, spec.get("successfulJobsHistoryLimit")),
        *_beyond(observed, FAILED, spec.get("failedJobsHistoryLimit")),
    ]
    return tuple(job for job in found if objects.name(job) != kept and not objects.is_terminating(job))


def _beyond(observed: Observed, end: str, limit: int | None) -> Iterable[Obj]:
    ended = [job for job in observed.children.values() if end_of(job) == end]
    return sorted(ended, key=_by_start)[: max(0, len(ended) - limit)] if limit is not None else ()


def _by_start(job: Obj) -> tuple[bool, str, str]:
    """Order by start; a Job that never started comes last."""
    started = job["status"].get("startTime") or ""
    return not started, started, objects.name(job)


def _runs(observed: Observed, decision: Decision) -> Iterator[Batch]:
    """Start the run that is due; where it takes the place of others, those go first."""
    if decision.start is None:
        return
    present = job_of(observed, decision.start)
    if observed.cronjob["spec"].get("concurrencyPolicy") == "Replace":
        own = [observed.children[ref["uid"]] for ref in observed.running if ref.get("uid") in observed.children]
        if others := tuple(_delete(observed, job) for job in own if job is not present):
            yield Batch(others)
    if present is None:
        body = _job(observed, decision.start)
        yield Batch((Create(observed.job_resource, body, said=_CREATED, failed=_NOT_CREATED),))


def _delete(observed: Observed, job: Obj) -> Delete:
    target = Target.of(observed.job_resource, job)
    return Delete(target, said=_DELETED, failed=_NOT_DELETED, propagation="Background")


def _job(observed: Observed, run: datetime) -> Obj:
    """Return the Job of a run, under a name that any other controller would give it too."""
    cronjob, resource = observed.cronjob, observed.job_resource
    template = cronjob["spec"]["jobTemplate"]
    meta = template.get("metadata") or {}
    zone = observed.zone if cronjob["spec"].get("timeZone") else UTC
    stamp = run.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {
            "namespace": objects.key(cronjob)[0],
            "name": job_name(cronjob, run),
            "labels": dict(meta.get("labels") or {}),
            "annotations": {**(meta.get("annotations") or {}), SCHEDULED: stamp},
            "ownerReferences": [objects.controller_reference(cronjob)],
        },
        "spec": template.get("spec") or {},
    }


def _unexpected(observed: Observed, decision: Decision) -> Iterator[Say]:
    """Tell of Jobs that nobody wrote down, but for the one of the run that is being written down now."""
    now = job_of(observed, decision.start) if decision.start else None
    for job in observed.unexpected:
        if job is not now:
            message = f"Saw a job that the controller did not create or forgot: {objects.name(job)}"
            yield Say("Warning", "UnexpectedJob", message)


def _wait(observed: Observed, decision: Decision) -> timedelta | None:
    if decision.following is None:
        return None
    return min(decision.following + PADDING + delay(observed.cronjob) - observed.now, _LONGEST_WAIT)
