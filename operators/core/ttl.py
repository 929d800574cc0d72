"""Deleting Jobs some time after they have ended. Mirrors pkg/controller/ttlafterfinished.

Upstream reads a Job again before it deletes it, since its TTL may have changed; here the deletion is of the Job as it
was seen, and of no newer one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from operators.core import objects
from operators.core.objects import Obj, Resource
from operators.core.plan import Batch, Delete, Plan, Target


@dataclass(frozen=True, slots=True)
class Finished:
    """A Job, which may or may not have ended."""

    resource: Resource
    job: Obj
    now: datetime


def plan(observed: Finished) -> Plan:
    """Delete the Job with its pods where its time is up, or come back when it is."""
    job, end = observed.job, expires(observed.job)
    if end is None or objects.is_terminating(job):
        return Plan()
    left = end - observed.now
    if left > timedelta():
        return Plan(requeue_after=left)
    target = Target.of(observed.resource, job)
    version = job["metadata"]["resourceVersion"]
    return Plan((Batch((Delete(target, propagation="Foreground", resource_version=version),)),))


def expires(job: Obj) -> datetime | None:
    """Return when a Job is to be deleted, None where it is not, or has not ended."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            since = condition.get("lastTransitionTime")  # somebody else's controller may leave it out
            return objects.parse_time(since) + timedelta(seconds=ttl) if ttl is not None and since else None
    return None
