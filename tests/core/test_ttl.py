"""When a Job that has ended is deleted."""

from datetime import timedelta

import pytest

from operators.core import ttl
from operators.core.objects import Obj, jobs
from operators.core.plan import Delete
from operators.core.ttl import Finished
from tests.support.builders import NOW
from tests.support.jobs import begun, condition, job

OVER = begun(conditions=[condition("SuccessCriteriaMet", since=31), condition("Complete", since=30)])
LOST = begun(conditions=[condition("Failed", since=30)])


@pytest.mark.parametrize(
    ("parent", "want_deleted", "want_wait"),
    [
        pytest.param(job(status=OVER), False, None, id="no TTL"),
        pytest.param(job(ttlSecondsAfterFinished=0), False, None, id="not over"),
        pytest.param(job(ttlSecondsAfterFinished=0, status=OVER), True, None, id="at once"),
        pytest.param(job(ttlSecondsAfterFinished=30, status=OVER), True, None, id="its time is up"),
        pytest.param(job(ttlSecondsAfterFinished=40, status=OVER), False, 10, id="not yet"),
        pytest.param(job(ttlSecondsAfterFinished=30, status=LOST), True, None, id="failed"),
        pytest.param(job(ttlSecondsAfterFinished=0, status=OVER, deleting=True), False, None, id="going already"),
        pytest.param(
            job(ttlSecondsAfterFinished=0, status=begun(conditions=[condition("Complete", since=-20)])),
            False,
            20,
            id="over in the future: a clock is wrong",
        ),
    ],
)
def test_when(parent: Obj, want_deleted: bool, want_wait: float | None) -> None:  # noqa: FBT001
    """TTL seconds after the condition that says that it is over."""
    plan = ttl.plan(Finished(jobs("batch"), parent, NOW))
    assert bool(list(plan.steps)) is want_deleted
    assert plan.requeue_after == (timedelta(seconds=want_wait) if want_wait else None)


def test_deletes_the_job_that_was_seen_with_its_pods_first() -> None:
    """A Job whose TTL was changed meanwhile is another."""
    (step,) = ttl.plan(Finished(jobs("batch"), job(ttlSecondsAfterFinished=0, status=OVER), NOW)).steps
    assert isinstance(step, Delete)
    assert (step.propagation, step.resource_version, step.target.uid) == ("Foreground", "1", "uid-job")
