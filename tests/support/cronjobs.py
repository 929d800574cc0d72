"""CronJobs, their Jobs and what is planned for them, for tests."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from operators.core import cronjob as rules
from operators.core import objects
from operators.core.cronjob import Observed
from operators.core.cronjob.due import job_name
from operators.core.cronjob.observed import SCHEDULED
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Outcome, Plan, Result, Step
from tests.support.builders import NOW, ago, metadata, owner_reference

TEMPLATE: Obj = {
    "metadata": {"labels": {"app": "tick"}, "annotations": {"note": "mine"}},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}}},
}


def cronjob(
    schedule: str = "0 * * * *",
    *,
    group: str = "batch",
    last: float | None = None,
    age: float = 86_400,
    active: Iterable[Obj] = (),
    status: Obj | None = None,
    deleting: bool = False,
    **spec: Any,
) -> Obj:
    """Return a CronJob tick of an age in seconds, whose last run was so many seconds ago. NOW it is noon.

    active are the Jobs that its status names.
    """
    said: Obj = {**(status or {})}
    if last is not None:
        said["lastScheduleTime"] = ago(last)
    if active:
        said["active"] = [reference(job) for job in active]
    return {
        "apiVersion": f"{group}/v1",
        "kind": "CronJob",
        "metadata": metadata("tick", age=age, deleting=deleting),
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": TEMPLATE,
            **spec,
        },
        "status": said,
    }


def before(seconds: float) -> datetime:
    """Return a time before NOW."""
    return NOW - timedelta(seconds=seconds)


def run(scheduled: float | str, *, group: str = "batch", end: str = "", since: float = 0, owner: str = "tick") -> Obj:
    """Return the Job of the run of so many seconds ago, or one of another name; `owner` is who controls it.

    One of another name is no run of the schedule.

    end: Complete or Failed. since: how many seconds ago it started and, half as many, ended.
    """
    tick = cronjob(group=group)
    name = scheduled if isinstance(scheduled, str) else job_name(tick, before(scheduled))
    scheduled_for = {} if isinstance(scheduled, str) else {SCHEDULED: ago(scheduled)}
    meta = metadata(name, annotations=scheduled_for)
    if owner:
        tick["metadata"] = metadata(owner)
        meta["ownerReferences"] = [owner_reference(tick)]
    status: Obj = {"startTime": ago(since)}
    if end:
        status["conditions"] = [{"type": end, "status": "True"}]
    if end == "Complete":
        status["completionTime"] = ago(since / 2)
    return {"apiVersion": f"{group}/v1", "kind": "Job", "metadata": meta, "spec": {}, "status": status}


def reference(job: Obj) -> Obj:
    """Return how a status names a Job."""
    meta = job["metadata"]
    return {
        "kind": "Job",
        "namespace": "ns",
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": job["apiVersion"],
        "resourceVersion": "1",
    }


def seen(
    made: Obj, *jobs: Obj, after: float = 0, zone: tzinfo | None = UTC, changed: datetime | None = None
) -> Observed:
    """Return what a sync sees: a CronJob, and all Jobs that there are; `after` seconds later than NOW."""
    own = tuple(
        job for job in jobs if (owner := objects.controller_of(job)) is not None and owner.uid == objects.uid(made)
    )
    there = {objects.key(job): job for job in jobs}
    return Observed(made, own, there.get, NOW + timedelta(seconds=after), zone, changed)


def told(plan: Plan) -> list[str]:
    """Return what a plan does, two words a write."""
    return [
        f"create {step.body['metadata']['name']}" if isinstance(step, Create) else f"delete {step.target.name}"
        for step in plan.steps
        if isinstance(step, Create | Delete)
    ]


def reasons(plan: Plan) -> list[str]:
    """Return the reasons of a plan's own events."""
    return [say.reason for say in plan.events]


def done(plan: Plan) -> Outcome:
    """Return the outcome in which every write succeeds."""
    return Outcome(tuple((step, _answer(step)) for step in plan.steps))


def _answer(step: Step) -> Result:
    if not isinstance(step, Create):
        return {}
    meta = {"uid": f"uid-{step.body['metadata']['name']}", "resourceVersion": "7", "creationTimestamp": ago(0)}
    return step.body | {"metadata": step.body["metadata"] | meta}


def synced(observed: Observed) -> Obj:
    """Return the status after a sync in which every write succeeds: the old one where there is none to write."""
    new = rules.report(observed, done(rules.plan(observed)))
    return observed.status if new is None else new
