"""What is written for a CronJob: the Jobs that are made and deleted, and when it is looked at again."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from operators.core.cronjob import Observed, plan
from operators.core.cronjob.due import job_name
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Say
from tests.support.builders import NOW, owner_reference
from tests.support.cronjobs import TEMPLATE, before, cronjob, reasons, run, seen, told

NOON = job_name(cronjob(), NOW)
OLD = run(3600, since=3600)
OLDER = run(7200, since=7200)


def history(end: str, *ages: float) -> list[Obj]:
    """Return Jobs of past runs that all ended in one way, so many seconds ago."""
    return [run(age, since=age, end=end) for age in ages]


def names(jobs: list[Obj]) -> list[str]:
    """Return their names."""
    return [job["metadata"]["name"] for job in jobs]


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(cronjob(last=3600)), [f"create {NOON}"], id="a run is due"),
        pytest.param(seen(cronjob(last=0)), [], id="none is"),
        pytest.param(seen(cronjob(last=3600), run(0)), [], id="its Job is there already"),
        pytest.param(
            seen(cronjob(last=3600, concurrencyPolicy="Replace", active=[OLD, OLDER]), OLD, OLDER),
            [f"delete {names([OLD])[0]}", f"delete {names([OLDER])[0]}", f"create {NOON}"],
            id="Replace ends all others",
        ),
        pytest.param(
            seen(
                cronjob(last=3600, concurrencyPolicy="Replace", active=[run("other", owner="")]), run("other", owner="")
            ),
            [f"create {NOON}"],
            id="Replace spares what is not its own",
        ),
        pytest.param(
            seen(cronjob(last=3600, concurrencyPolicy="Replace", active=[OLD]), run(3600, since=3600, end="Failed")),
            [f"create {NOON}"],
            id="Replace leaves what has ended",
        ),
        pytest.param(
            seen(cronjob(last=3600, concurrencyPolicy="Replace"), OLD, run("by-hand")),
            [f"delete {names([OLD])[0]}", f"create {NOON}"],
            id="Replace ends what nobody wrote down, and leaves what was started by hand",
        ),
        pytest.param(
            seen(cronjob(last=3600, concurrencyPolicy="Replace"), OLD, run(0)),
            [f"delete {names([OLD])[0]}"],
            id="Replace spares the run that is about to be written down",
        ),
    ],
)
def test_runs(observed: Observed, want: list[str]) -> None:
    """What is made, and what gives way to it."""
    assert told(plan(observed)) == want


def test_what_is_replaced_is_gone_before_the_next_begins() -> None:
    """They are batches, one after the other; a deletion that fails ends the plan."""
    batches = plan(seen(cronjob(last=3600, concurrencyPolicy="Replace", active=[OLD]), OLD)).batches
    assert [type(batch.steps[0]) for batch in batches] == [Delete, Create]


@pytest.mark.parametrize(
    ("limits", "jobs", "want"),
    [
        pytest.param((3, 1), history("Complete", 60, 120, 180), [], id="as many as are kept"),
        pytest.param((3, 1), history("Complete", 60, 120, 180, 240, 300), [300, 240], id="the oldest go"),
        pytest.param((3, 1), history("Failed", 60, 120), [120], id="failed ones have a limit of their own"),
        pytest.param((0, 0), history("Complete", 60) + history("Failed", 120), [60, 120], id="none is kept"),
        pytest.param((None, 1), history("Complete", *range(60, 600, 60)), [], id="all are kept"),
        pytest.param((0, 0), [run(60, since=60)], [], id="one that goes on stays"),
        pytest.param((0, 0), [run("other", owner="tock", end="Complete")], [], id="another's stays"),
    ],
)
def test_history(limits: tuple[int | None, int | None], jobs: list[Obj], want: list[int]) -> None:
    """Of the Jobs that have ended the oldest are deleted, by when they started."""
    made = cronjob(last=0, successfulJobsHistoryLimit=limits[0], failedJobsHistoryLimit=limits[1])
    assert told(plan(seen(made, *jobs))) == [f"delete {job_name(made, before(age))}" for age in want]


def test_the_job_of_a_run_that_is_not_written_down_is_no_history() -> None:
    """Once it were deleted, the run would be started again."""
    made = cronjob(last=3600, successfulJobsHistoryLimit=0)
    assert told(plan(seen(made, run(0, end="Complete")))) == []


def test_history_comes_last() -> None:
    """Where old Jobs cannot be deleted, runs start even so."""
    steps = list(plan(seen(cronjob(last=3600, failedJobsHistoryLimit=0), *history("Failed", 3600))).steps)
    assert [type(step) for step in steps] == [Create, Delete]
    assert isinstance(steps[1], Delete)
    assert steps[1].propagation == "Background"


@pytest.mark.parametrize(
    ("zone", "want"),
    [
        pytest.param("", "2030-01-01T12:00:00Z", id="UTC"),
        pytest.param("Europe/Berlin", "2030-01-01T13:00:00+01:00", id="Berlin"),
        pytest.param("Europe/London", "2030-01-01T12:00:00Z", id="London in winter"),
        pytest.param("Asia/Kolkata", "2030-01-01T17:30:00+05:30", id="half an hour"),
    ],
)
@pytest.mark.parametrize("group", ["batch", "kopfwerk.dev"])
def test_the_job(group: str, zone: str, want: str) -> None:
    """It is the template's, says for when it was meant, and is controlled by the CronJob."""
    made = cronjob("* * * * *", last=60, group=group, timeZone=zone or None)
    (step,) = plan(seen(made, zone=ZoneInfo(zone or "UTC"))).steps
    assert isinstance(step, Create)
    assert step.body == {
        "apiVersion": f"{group}/v1",
        "kind": "Job",
        "metadata": {
            "namespace": "ns",
            "name": NOON,
            "labels": {"app": "tick"},
            "annotations": {"note": "mine", "batch.kubernetes.io/cronjob-scheduled-timestamp": want},
            "ownerReferences": [owner_reference(made)],
        },
        "spec": TEMPLATE["spec"],
    }
    assert step.said == Say("Normal", "SuccessfulCreate", "Created job {name}")
    assert step.failed == Say("Warning", "FailedCreate", "Error creating job: {error}")


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(cronjob("* * * * *", last=0), after=30), 30.1, id="at the next run"),
        pytest.param(seen(cronjob("* * * * *", last=60)), 60.1, id="after the run that is started"),
        pytest.param(seen(cronjob("* * * * *", last=60, suspend=True)), None, id="suspended: only when it is changed"),
        pytest.param(seen(cronjob("nonsense")), None, id="no schedule: likewise"),
        pytest.param(seen(cronjob("0 0 1 1 *", last=0)), 61, id="in a year: each minute, whatever clocks do"),
    ],
)
def test_when_to_look_again(observed: Observed, want: float | None) -> None:
    """A moment after the next run is due, so that clocks that differ a little do not matter."""
    assert plan(observed).requeue_after == (None if want is None else timedelta(seconds=want))


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(cronjob(last=0), OLD), ["UnexpectedJob"], id="made by hand, or forgotten"),
        pytest.param(seen(cronjob(last=0, active=[OLD]), OLD), [], id="known"),
        pytest.param(seen(cronjob(last=0), *history("Complete", 60)), [], id="ended"),
        pytest.param(seen(cronjob(last=3600), run(0)), [], id="about to be written down"),
        pytest.param(seen(cronjob(last=0, suspend=True), OLD), ["UnexpectedJob"], id="of a suspended CronJob"),
    ],
)
def test_unexpected_jobs(observed: Observed, want: list[str]) -> None:
    """A Job that the status does not name is told of for as long as it goes on."""
    assert reasons(plan(observed)) == want
