"""TTL after finished: woken by a Job's changes, and when its time is up."""

from datetime import datetime

from operators.controllers import job_metrics
from operators.core import ttl
from operators.core.objects import Obj, jobs
from operators.core.plan import Failure, Outcome
from operators.core.ttl import Finished
from operators.runtime.controller import Controller, Sync, Writes
from operators.runtime.informer import Informers


def ttl_controller(group: str) -> Controller[Finished]:
    """Declare the controller that deletes an API group's Jobs after their end."""
    resource = jobs(group)

    def observe(_: Informers, job: Obj, now: datetime) -> Finished:
        return Finished(resource, job, now)

    return Controller(
        name="ttl-after-finished",
        resource=resource,
        watches=(),
        observe=observe,
        plan=ttl.plan,
        report=_no_status,
        ended=_ended,
        writes=(Writes(resource, ("delete",)),),
    )


def _no_status(_observed: Finished, _outcome: Outcome) -> None:
    """Report nothing: the status is the Job controller's."""


def _ended(observed: Finished, sync: Sync) -> None:
    """Note how late a Job was deleted."""
    expired = ttl.expires(observed.job)
    if expired is not None and any(not isinstance(result, Failure) for _, result in sync.outcome.results):
        job_metrics.deletion_duration.observe((observed.now - expired).total_seconds())
