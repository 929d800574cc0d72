"""What a CronJob's status says after a sync, and what is told then."""

from typing import Any

import pytest

from operators.core.cronjob import Observed, announce, plan, report
from operators.core.cronjob.due import job_name
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Exists, Failure, Outcome
from tests.support.builders import NOW, ago
from tests.support.cronjobs import cronjob, done, reference, run, seen, synced

NOON = job_name(cronjob(), NOW)
OLD = run(3600, since=3600)
COMPLETE = run(3600, since=3600, end="Complete")
BROKEN = Failure(500, "InternalError", "broken")


def started(version: str = "7") -> Obj:
    """Return how the status names the Job of noon once it is made."""
    return reference(run(0)) | {"resourceVersion": version}


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(cronjob(last=3600)), {"active": [started()], "lastScheduleTime": ago(0)}, id="a run"),
        pytest.param(
            seen(cronjob(last=3600, active=[OLD]), OLD),
            {"active": [reference(OLD), started()], "lastScheduleTime": ago(0)},
            id="a second run",
        ),
        pytest.param(
            seen(cronjob(last=3600, active=[OLD], concurrencyPolicy="Replace"), OLD),
            {"active": [started()], "lastScheduleTime": ago(0)},
            id="in place of another",
        ),
        pytest.param(
            seen(cronjob(last=3600), run(0)),
            {"active": [started("1")], "lastScheduleTime": ago(0)},
            id="a run that nobody wrote down",
        ),
        pytest.param(
            seen(cronjob(last=0), OLD, run("by-hand")),
            {"active": [reference(OLD)], "lastScheduleTime": ago(0)},
            id="an earlier run that nobody wrote down, and one started by hand",
        ),
        pytest.param(
            seen(cronjob(last=0, active=[COMPLETE]), COMPLETE),
            {"lastScheduleTime": ago(0), "lastSuccessfulTime": ago(1800)},
            id="one has succeeded",
        ),
        pytest.param(
            seen(cronjob(last=0), COMPLETE),
            {"lastScheduleTime": ago(0), "lastSuccessfulTime": ago(1800)},
            id="one that was not expected has succeeded",
        ),
        pytest.param(
            seen(cronjob(last=0, status={"lastSuccessfulTime": ago(60)}, active=[COMPLETE]), COMPLETE),
            {"lastScheduleTime": ago(0), "lastSuccessfulTime": ago(60)},
            id="an earlier one has succeeded later",
        ),
        pytest.param(
            seen(cronjob(last=0, active=[OLD]), run(3600, end="Failed")), {"lastScheduleTime": ago(0)}, id="one failed"
        ),
        pytest.param(seen(cronjob(last=0, active=[OLD])), {"lastScheduleTime": ago(0)}, id="one is missing"),
        pytest.param(
            seen(cronjob(last=0, active=[run("other", owner="")]), run("other", owner="")),
            {"lastScheduleTime": ago(0), "active": [reference(run("other", owner=""))]},
            id="a stranger stays for as long as it exists",
        ),
        pytest.param(
            seen(cronjob(last=0, deleting=True, active=[COMPLETE]), COMPLETE),
            {"lastScheduleTime": ago(0), "lastSuccessfulTime": ago(1800)},
            id="being deleted",
        ),
    ],
)
def test_status(observed: Observed, want: Obj) -> None:
    """The Jobs that go on, and the times."""
    assert synced(observed) == want


@pytest.mark.parametrize(
    ("made", "want"),
    [
        pytest.param(cronjob(last=0, group="kopfwerk.dev"), {"nextScheduleTime": ago(-3600)}, id="the next run"),
        pytest.param(cronjob(last=0, group="kopfwerk.dev", suspend=True), {}, id="none: suspended"),
        pytest.param(
            cronjob("0 0 31 2 *", last=0, group="kopfwerk.dev", status={"nextScheduleTime": ago(60)}),
            {},
            id="none any more: the date never comes",
        ),
    ],
)
def test_what_the_custom_resource_says_besides(made: Obj, want: Obj) -> None:
    """How many Jobs go on, for the column, and when the next run is."""
    assert synced(seen(made)) == {"lastScheduleTime": ago(0), "activeJobs": 0, **want}


@pytest.mark.parametrize("group", ["batch", "kopfwerk.dev"])
def test_a_status_that_says_the_same_is_not_written(group: str) -> None:
    """The second of two syncs writes nothing."""
    job = run(0, group=group)
    first = seen(cronjob(last=3600, group=group), job)
    made = first.cronjob | {"status": synced(first)}
    assert report(seen(made, job), Outcome()) is None
    assert report(seen(made | {"status": made["status"] | {"lastSuccessfulTime": ago(5)}}, job), Outcome()) is None


def outcome(observed: Observed, **results: Any) -> Outcome:
    """Return what came of a plan, by kind of step; a kind without a result was not sent."""
    kinds = {Create: results.get("create"), Delete: results.get("delete")}
    sent = ((step, kinds[type(step)]) for step in plan(observed).steps)
    return Outcome(tuple((step, result) for step, result in sent if result is not None))


@pytest.mark.parametrize(
    ("results", "want"),
    [
        pytest.param({"create": BROKEN}, None, id="the Job was refused"),
        pytest.param({"create": Exists(run(0, owner="tock"))}, None, id="another's Job has the name"),
        pytest.param(
            {"create": Exists(run(0))},
            {"active": [started("1")], "lastScheduleTime": ago(0)},
            id="it was there already, and the cache did not know",
        ),
    ],
)
def test_a_run_that_was_not_made(results: Obj, want: Obj | None) -> None:
    """Only a run whose Job there is counts as started."""
    observed = seen(cronjob(last=3600))
    assert report(observed, outcome(observed, **results)) == want


def test_a_run_that_could_not_be_replaced() -> None:
    """What was to give way is still named, and nothing was started."""
    observed = seen(cronjob(last=3600, active=[OLD], concurrencyPolicy="Replace"), OLD)
    assert report(observed, outcome(observed, delete=BROKEN)) is None


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(
            seen(cronjob(last=0, active=[COMPLETE]), COMPLETE),
            [f"Saw completed job: {COMPLETE['metadata']['name']}, condition: Complete"],
            id="succeeded",
        ),
        pytest.param(
            seen(cronjob(last=0, active=[OLD]), run(3600, end="Failed")),
            [f"Saw completed job: {OLD['metadata']['name']}, condition: Failed"],
            id="failed",
        ),
        pytest.param(
            seen(cronjob(last=0, active=[OLD])), [f"Active job went missing: {OLD['metadata']['name']}"], id="missing"
        ),
        pytest.param(
            seen(cronjob(last=0, active=[COMPLETE], successfulJobsHistoryLimit=0), COMPLETE),
            [],
            id="cleaned up at once",
        ),
        pytest.param(seen(cronjob(last=0), COMPLETE), [], id="nobody waited for it"),
    ],
)
def test_what_is_told(observed: Observed, want: list[str]) -> None:
    """In upstream's words, once the status is written."""
    status = report(observed, done(plan(observed)))
    assert status is not None
    assert [say.message for say in announce(observed, status)] == want
