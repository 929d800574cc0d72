"""What a sync of a Job counts for upstream's metrics."""

from collections.abc import Mapping
from typing import Any

import pytest

from operators.core import job as rules
from operators.core.job import Observed
from operators.core.objects import Obj
from operators.core.plan import Outcome
from tests.support.jobs import all_done, begun, condition, indexed, job, none_done, run, seen, synced

CODE_1: Obj = {"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}]}
OTHERS: Obj = {"rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [9]}}]}


def counted(observed: Observed, status: Obj | None = None, outcome: Outcome | None = None) -> Any:
    """Return the tally of a sync in which every write succeeds, unless told otherwise."""
    found = rules.tally(observed, outcome or all_done(rules.plan(observed)), status or synced(observed))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(job()), "pods_created", id="makes pods"),
        pytest.param(seen(job(), run("a")), "tracking", id="all is there"),
        pytest.param(seen(job(parallelism=1), run("a"), run("b")), "pods_deleted", id="too many"),
        pytest.param(seen(job(suspend=True)), "pods_deleted", id="suspended"),
        pytest.param(seen(job(deleting=True), run("a")), "reconciling", id="on its way out"),
        pytest.param(seen(job(backoffLimit=0), run("a", phase="Failed")), "reconciling", id="at its end"),
    ],
)
def test_what_it_was_busy_with(observed: Observed, want: str) -> None:
    """In upstream's words."""
    assert counted(observed).action == want


@pytest.mark.parametrize(
    ("parent", "after", "want"),
    [
        pytest.param(job(), begun(succeeded=2, failed=1), {"succeeded": 2, "failed": 1}, id="pods"),
        pytest.param(job(status=begun(failed=3)), begun(failed=3), {}, id="no more than before"),
        pytest.param(indexed(9), begun(completedIndexes="0-2,5", succeeded=4), {"succeeded": 4}, id="indexes"),
        pytest.param(
            indexed(3, status=begun(completedIndexes="0-5", succeeded=6)),
            begun(completedIndexes="0-2", succeeded=3),
            {},
            id="indexes that are taken away",
        ),
    ],
)
def test_pods_that_are_over(parent: Obj, after: Obj, want: Mapping[str, int]) -> None:
    """Counted once they are in the status."""
    assert counted(seen(parent), after, Outcome()).pods_finished == want


@pytest.mark.parametrize(
    ("parent", "after", "want", "want_limit"),
    [
        pytest.param(job(), begun(succeeded=2), {}, "global", id="no indexes"),
        pytest.param(indexed(9), begun(completedIndexes="1"), {"succeeded": 1}, "global", id="one limit for all"),
        pytest.param(
            indexed(9, backoffLimitPerIndex=0),
            begun(completedIndexes="1", failedIndexes="2,4"),
            {"succeeded": 1, "failed": 2},
            "perIndex",
            id="a limit for each",
        ),
    ],
)
def test_indexes_that_are_over(parent: Obj, after: Obj, want: Mapping[str, int], want_limit: str) -> None:
    """With what limits their failures."""
    found = counted(seen(parent), after, Outcome())
    assert (found.indexes_finished, found.backoff_limit) == (want, want_limit)


@pytest.mark.parametrize(
    ("types", "want"),
    [
        pytest.param(["SuccessCriteriaMet"], None, id="only announced"),
        pytest.param(["SuccessCriteriaMet", "Complete"], ("succeeded", "Some"), id="complete"),
        pytest.param(["FailureTarget", "Failed"], ("failed", "Some"), id="failed"),
    ],
)
def test_jobs_that_are_over(types: list[str], want: tuple[str, str] | None) -> None:
    """With the reason."""
    after = begun(conditions=[condition(type_) for type_ in types])
    assert counted(seen(job()), after, Outcome()).finished == want


@pytest.mark.parametrize(
    ("policy", "want"),
    [
        pytest.param(CODE_1, {"Ignore": 1}, id="a rule is about it"),
        pytest.param(OTHERS, {}, id="none is"),
        pytest.param(None, {}, id="no policy"),
    ],
)
def test_failures_that_a_policy_handles(policy: Obj | None, want: Mapping[str, int]) -> None:
    """Once the pod is let go."""
    lost = run("a", phase="Failed", code=1)
    parent = job(podFailurePolicy=policy, status=begun(uncountedTerminatedPods={"failed": ["uid-a"]}))
    assert counted(seen(parent, lost)).handled == want
    assert counted(seen(parent, lost), outcome=Outcome()).handled == {}


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(job(parallelism=2)), "new", id="new"),
        pytest.param(seen(job(status=begun(failed=1))), "recreate_terminating_or_failed", id="after a failure"),
        pytest.param(
            seen(job(podReplacementPolicy="Failed", status=begun(failed=1))),
            "recreate_failed",
            id="only after failures",
        ),
    ],
)
def test_why_pods_are_made(observed: Observed, want: str) -> None:
    """As upstream says it."""
    assert counted(observed).why_created == want


def test_pods_that_are_made() -> None:
    """And those that are not."""
    observed = seen(job(parallelism=3))
    assert counted(observed).created == {"succeeded": 3}
    assert counted(observed, begun(), none_done(rules.plan(observed))).created == {"failed": 3}


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(job(managedBy="acme.com/jobs"), id="another's"),
        pytest.param(job(status=begun(conditions=[condition("Complete")])), id="over"),
        pytest.param(job(completionMode="Sorted"), id="of a mode from the future"),
    ],
)
def test_nothing_to_count(parent: Obj) -> None:
    """Where there is nothing to do, no sync is counted."""
    assert rules.tally(seen(parent), Outcome(), None) is None
