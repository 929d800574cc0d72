"""How a Job ends: why it is said first, when it is over, and the events of that."""

from typing import Any

import pytest

from operators.core import job as rules
from operators.core.objects import Obj
from operators.core.pods import Pod
from tests.support.builders import ago
from tests.support.jobs import begun, condition, indexed, job, none_done, run, seen, synced


def counts(status: Obj, *fields: str) -> dict[str, Any]:
    """Return some fields, and what is not counted yet."""
    return {
        field: status.get(field) for field in fields or ("active", "succeeded", "failed", "uncountedTerminatedPods")
    }


def said(status: Obj) -> list[tuple[str, str, str]]:
    """Return the conditions, less their times."""
    return [(c["type"], c["status"], c["reason"]) for c in status.get("conditions", [])]


ENDED: dict[str, Any] = {"phase": "Succeeded"}
FAILED: dict[str, Any] = {"phase": "Failed"}


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(job(), (run("a", **ENDED),), [("SuccessCriteriaMet", "True", "CompletionsReached")], id="done"),
        pytest.param(
            job(completions=0), (), [("SuccessCriteriaMet", "True", "CompletionsReached")], id="nothing to do"
        ),
        pytest.param(job(parallelism=2), (run("a", **ENDED), run("b")), [], id="a work queue waits for those that run"),
        pytest.param(
            job(parallelism=2),
            (run("a", **ENDED), run("b", **FAILED)),
            [("SuccessCriteriaMet", "True", "CompletionsReached")],
            id="whatever comes of them",
        ),
        pytest.param(
            job(backoffLimit=0), (run("a", **FAILED),), [("FailureTarget", "True", "BackoffLimitExceeded")], id="limit"
        ),
        pytest.param(job(backoffLimit=1), (run("a", **FAILED),), [], id="below the limit"),
        pytest.param(
            job(backoffLimit=2, status=begun(failed=2)),
            (run("a", **FAILED), run("b")),
            [("FailureTarget", "True", "BackoffLimitExceeded")],
            id="limit over time",
        ),
        pytest.param(
            job(backoffLimit=2, restart="OnFailure"),
            (run("a", restarts=2),),
            [("FailureTarget", "True", "BackoffLimitExceeded")],
            id="restarts reach the limit",
        ),
        pytest.param(job(backoffLimit=2, restart="OnFailure"), (run("a", restarts=1),), [], id="restarts below it"),
        pytest.param(
            job(backoffLimit=0, restart="OnFailure"),
            (run("a", restarts=1),),
            [("FailureTarget", "True", "BackoffLimitExceeded")],
            id="no restart is allowed",
        ),
        pytest.param(job(backoffLimit=0, restart="OnFailure"), (run("a"),), [], id="nor was there one"),
        pytest.param(
            job(activeDeadlineSeconds=60), (run("a"),), [("FailureTarget", "True", "DeadlineExceeded")], id="deadline"
        ),
        pytest.param(job(activeDeadlineSeconds=61), (run("a"),), [], id="before the deadline"),
        pytest.param(
            job(podFailurePolicy={"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}),
            (run("a", **FAILED, code=42),),
            [("FailureTarget", "True", "PodFailurePolicy")],
            id="a policy fails it",
        ),
        pytest.param(
            indexed(3, backoffLimitPerIndex=0, maxFailedIndexes=1),
            (run("a", **FAILED, index=0), run("b", **FAILED, index=1), run("c", index=2)),
            [("FailureTarget", "True", "MaxFailedIndexesExceeded")],
            id="too many indexes failed",
        ),
        pytest.param(
            indexed(2, backoffLimitPerIndex=0),
            (run("a", **FAILED, index=0), run("b", **ENDED, index=1)),
            [("FailureTarget", "True", "FailedIndexes")],
            id="all others succeeded",
        ),
        pytest.param(
            indexed(3, successPolicy={"rules": [{"succeededIndexes": "1"}]}),
            (run("a", index=0), run("b", **ENDED, index=1)),
            [("SuccessCriteriaMet", "True", "SuccessPolicy")],
            id="enough succeeded",
        ),
        pytest.param(
            job(status=begun(conditions=[condition("FailureTarget", "DeadlineExceeded")])),
            (),
            [("FailureTarget", "True", "DeadlineExceeded"), ("Failed", "True", "DeadlineExceeded")],
            id="failed once all is accounted for",
        ),
        pytest.param(
            job(status=begun(conditions=[condition("SuccessCriteriaMet", "CompletionsReached")], succeeded=1)),
            (),
            [("SuccessCriteriaMet", "True", "CompletionsReached"), ("Complete", "True", "CompletionsReached")],
            id="complete once all is accounted for",
        ),
        pytest.param(
            job(status=begun(conditions=[condition("FailureTarget")])),
            (run("a", deleting=True),),
            [("FailureTarget", "True", "Some")],
            id="not while a pod is terminating",
        ),
        pytest.param(
            job(deleting=True),
            (run("a", **ENDED),),
            [("SuccessCriteriaMet", "True", "CompletionsReached")],
            id="done while it is deleted",
        ),
    ],
)
def test_how_it_ends(parent: Obj, pods: tuple[Pod, ...], want: list[tuple[str, str, str]]) -> None:
    """Why it ends is said before anything that says so may go, and that it has ended, after all pods are counted."""
    assert said(synced(seen(parent, *pods))) == want


def test_is_not_over_before_what_runs_is_deleted() -> None:
    """Where a deletion fails, nothing is decided."""
    observed = seen(job(backoffLimit=0), run("a", **FAILED), run("b"))
    status = rules.report(observed, none_done(rules.plan(observed)))
    assert status is not None
    assert said(status) == []
    assert status["active"] == 1


def test_those_that_were_running_count_as_failed() -> None:
    """With a Job that fails, all that it deletes do."""
    status = synced(seen(job(backoffLimit=0, parallelism=2), run("a", **FAILED), run("b")))
    assert counts(status) == {
        "active": 0,
        "succeeded": 0,
        "failed": 0,
        "uncountedTerminatedPods": {"failed": ["uid-a", "uid-b"]},
    }
    assert status["terminating"] == 1


@pytest.mark.parametrize("decided", ["FailureTarget", "SuccessCriteriaMet"])
def test_what_is_deleted_at_the_end_fails_no_index(decided: str) -> None:
    """The indexes that have failed are those that had when it was decided."""
    status = begun(failedIndexes="0", conditions=[condition(decided)])
    parent = indexed(3, backoffLimitPerIndex=0, status=status)
    assert synced(seen(parent, run("b", index=1, deleting=True)))["failedIndexes"] == "0"


@pytest.mark.parametrize("phase", ["Running", "Failed"])
def test_those_that_a_success_makes_superfluous_do_not(phase: str) -> None:
    """With a Job that succeeds early, what it deletes has neither failed nor succeeded, however it ends."""
    met = indexed(2, status=begun(completedIndexes="1", succeeded=1, conditions=[condition("SuccessCriteriaMet")]))
    status = synced(seen(met, run("a", index=0, deleting=True, phase=phase)))
    assert counts(status, "succeeded", "failed", "uncountedTerminatedPods") == {
        "succeeded": 1,
        "failed": 0,
        "uncountedTerminatedPods": {},
    }


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(
            begun(conditions=[condition("SuccessCriteriaMet")], succeeded=1),
            ["Normal Completed Job completed"],
            id="ok",
        ),
        pytest.param(
            begun(conditions=[condition("SuccessCriteriaMet")], succeeded=2),
            [
                "Warning TooManySucceededPods Too many succeeded pods running after completion count reached",
                "Normal Completed Job completed",
            ],
            id="too many",
        ),
        pytest.param(
            begun(conditions=[condition("FailureTarget", "DeadlineExceeded", "Too long")]),
            ["Warning DeadlineExceeded Too long"],
            id="failed",
        ),
        pytest.param(begun(conditions=[condition("Complete")]), [], id="over long ago"),
    ],
)
def test_tells_how_it_ended(status: Obj, want: list[str]) -> None:
    """Once, when the status has it."""
    observed = seen(job(completions=1, status=status))
    new = synced(observed)
    assert [f"{say.type} {say.reason} {say.message}" for say in rules.announce(observed, new)] == want


def test_a_complete_job_has_a_completion_time() -> None:
    """A failed one has none."""
    done = synced(seen(job(status=begun(conditions=[condition("SuccessCriteriaMet")], succeeded=1))))
    lost = synced(seen(job(status=begun(conditions=[condition("FailureTarget")]))))
    assert (done.get("completionTime"), lost.get("completionTime")) == (ago(0), None)
