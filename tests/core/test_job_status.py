"""What a Job's status says after a sync: counts, indexes, suspension, columns."""

from typing import Any

import pytest

from operators.core import job as rules
from operators.core.objects import Obj
from operators.core.pods import Pod
from tests.support.builders import ago
from tests.support.jobs import all_done, begun, condition, indexed, job, run, seen, synced


def counts(status: Obj, *fields: str) -> dict[str, Any]:
    """Return some fields, and what is not counted yet."""
    return {
        field: status.get(field) for field in fields or ("active", "succeeded", "failed", "uncountedTerminatedPods")
    }


def said(status: Obj) -> list[tuple[str, str, str]]:
    """Return the conditions, less their times."""
    return [(c["type"], c["status"], c["reason"]) for c in status.get("conditions", [])]


def waiting(**pods: list[str]) -> Obj:
    """Return a status that names pods that are not counted yet."""
    return begun(uncountedTerminatedPods={name: [f"uid-{pod}" for pod in found] for name, found in pods.items()})


ENDED: dict[str, Any] = {"phase": "Succeeded"}
FAILED: dict[str, Any] = {"phase": "Failed"}


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(
            job(completions=9, parallelism=1),
            (run("a", **ENDED), run("r")),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {"succeeded": ["uid-a"]}},
            id="one that succeeded is named first",
        ),
        pytest.param(
            job(completions=9, parallelism=1),
            (run("a", **FAILED), run("r")),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {"failed": ["uid-a"]}},
            id="and so is one that failed",
        ),
        pytest.param(
            job(completions=9, parallelism=1, status=waiting(succeeded=["a"])),
            (run("a", **ENDED), run("r")),
            {"succeeded": 1, "failed": 0, "uncountedTerminatedPods": {}},
            id="counted once its finalizer is off",
        ),
        pytest.param(
            job(completions=9, parallelism=1, status=waiting(succeeded=["a"])),
            (run("a", **ENDED, tracked=False), run("r")),
            {"succeeded": 1, "failed": 0, "uncountedTerminatedPods": {}},
            id="or was already",
        ),
        pytest.param(
            job(completions=9, parallelism=1, status=waiting(failed=["a"])),
            (run("r"),),
            {"succeeded": 0, "failed": 1, "uncountedTerminatedPods": {}},
            id="or the pod is gone",
        ),
        pytest.param(
            job(completions=9, parallelism=1),
            (run("a", **ENDED, tracked=False), run("r")),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {}},
            id="without a finalizer it was counted before",
        ),
        pytest.param(
            job(completions=9, parallelism=1),
            (run("a", deleting=True), run("r")),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {"failed": ["uid-a"]}},
            id="a deleted pod has failed",
        ),
        pytest.param(
            job(completions=9, parallelism=1, podReplacementPolicy="Failed"),
            (run("a", deleting=True),),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {}},
            id="unless only failed ones are replaced",
        ),
        pytest.param(
            job(
                completions=9,
                parallelism=1,
                podFailurePolicy={"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}]},
            ),
            (run("a", **FAILED), run("r")),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {}},
            id="an ignored failure does not count",
        ),
        pytest.param(
            indexed(9, parallelism=1),
            (run("a", **FAILED, index=12), run("b", **FAILED), run("r", index=3)),
            {"succeeded": 0, "failed": 0, "uncountedTerminatedPods": {}},
            id="nor does one without an index of the Job",
        ),
    ],
)
def test_counting(parent: Obj, pods: tuple[Pod, ...], want: dict[str, Any]) -> None:
    """Each pod's end is named, then its finalizer goes, then it is counted."""
    assert counts(synced(seen(parent, *pods)), *want) == want


def test_names_no_more_than_500() -> None:
    """The rest follows when those are counted."""
    pods = [run(f"p{number:03}", **FAILED) for number in range(600)]
    status = synced(seen(job(parallelism=1, backoffLimit=1000), *pods))
    assert len(status["uncountedTerminatedPods"]["failed"]) == 500


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(
            indexed(5), (run("a", **ENDED, index=3),), {"succeeded": 1, "completedIndexes": "3"}, id="an index is done"
        ),
        pytest.param(
            indexed(5, status=begun(completedIndexes="0-2", succeeded=3)),
            (run("a", **ENDED, index=3),),
            {"succeeded": 4, "completedIndexes": "0-3"},
            id="and another",
        ),
        pytest.param(
            indexed(5, status=begun(completedIndexes="0-2", succeeded=3)),
            (run("a", **ENDED, index=1),),
            {"succeeded": 3, "completedIndexes": "0-2"},
            id="never the same twice",
        ),
        pytest.param(
            indexed(2, parallelism=2, status=begun(completedIndexes="0-3", succeeded=4)),
            (),
            {"succeeded": 2, "completedIndexes": "0,1"},
            id="fewer completions leave some out",
        ),
        pytest.param(
            indexed(5, backoffLimitPerIndex=1),
            (run("a", **FAILED, index=2, failures=1),),
            {"failedIndexes": "2", "failed": 0, "uncountedTerminatedPods": {"failed": ["uid-a"]}},
            id="an index has failed for good",
        ),
        pytest.param(
            indexed(5, backoffLimitPerIndex=1),
            (run("a", **FAILED, index=2, failures=0),),
            {"failedIndexes": "", "failed": 0, "uncountedTerminatedPods": {}},
            id="a pod whose index is tried again is kept until there is another",
        ),
        pytest.param(
            indexed(5, backoffLimitPerIndex=1),
            (run("a", **FAILED, index=2, failures=0), run("b", index=2, failures=1)),
            {"failedIndexes": "", "failed": 0, "uncountedTerminatedPods": {"failed": ["uid-a"]}},
            id="and counted then",
        ),
    ],
)
def test_indexes(parent: Obj, pods: tuple[Pod, ...], want: dict[str, Any]) -> None:
    """An Indexed Job counts indexes that succeeded, and pods that failed."""
    assert counts(synced(seen(parent, *pods)), *want) == want


@pytest.mark.parametrize(
    ("parent", "pods", "want_start", "want_conditions", "want_events"),
    [
        pytest.param(job(status={}), (), 0, [], [], id="begins"),
        pytest.param(
            job(status={}, suspend=True),
            (),
            None,
            [("Suspended", "True", "JobSuspended")],
            ["Normal Suspended Job suspended"],
            id="begins suspended",
        ),
        pytest.param(
            job(suspend=True),
            (run("a"),),
            None,
            [("Suspended", "True", "JobSuspended")],
            ["Normal Suspended Job suspended"],
            id="is suspended",
        ),
        pytest.param(
            job(suspend=True, status={"conditions": [condition("Suspended", "JobSuspended", "Job suspended")]}),
            (),
            None,
            [("Suspended", "True", "JobSuspended")],
            [],
            id="remains suspended",
        ),
        pytest.param(
            job(status={"conditions": [condition("Suspended", "JobSuspended", "Job suspended")]}),
            (),
            0,
            [("Suspended", "False", "JobResumed")],
            ["Normal Resumed Job resumed"],
            id="is resumed",
        ),
    ],
)
def test_suspension(
    parent: Obj,
    pods: tuple[Pod, ...],
    want_start: float | None,
    want_conditions: list[tuple[str, str, str]],
    want_events: list[str],
) -> None:
    """A suspended Job has no start; one that is resumed begins anew."""
    observed = seen(parent, *pods)
    status = synced(observed)
    assert status.get("startTime") == (None if want_start is None else ago(want_start))
    assert said(status) == want_conditions
    events = [f"{say.type} {say.reason} {say.message}" for say in rules.announce(observed, status)]
    assert events == want_events


@pytest.mark.parametrize(
    ("parent", "pods"),
    [
        pytest.param(job(status=begun(active=1, ready=1, terminating=0)), (run("a"),), id="nothing has changed"),
        pytest.param(job(managedBy="acme.com/jobs"), (run("a"),), id="another's Job"),
        pytest.param(job(status=begun(conditions=[condition("Complete")])), (run("a"),), id="over"),
        pytest.param(job(completionMode="Sorted"), (run("a"),), id="of an unknown mode"),
    ],
)
def test_writes_nothing(parent: Obj, pods: tuple[Pod, ...]) -> None:
    """A status that says the same is not written."""
    observed = seen(parent, *pods)
    assert rules.report(observed, all_done(rules.plan(observed))) is None


def test_counts_what_the_sync_made() -> None:
    """Pods that were made are active though the cache has yet to show them."""
    assert counts(synced(seen(job(parallelism=3, status={}))), "active", "ready", "terminating") == {
        "active": 3,
        "ready": 0,
        "terminating": 0,
    }


@pytest.mark.parametrize(
    ("spec", "status", "want"),
    [
        pytest.param({"completions": 3}, begun(succeeded=1), ("Running", "1/3"), id="running"),
        pytest.param({"parallelism": 1}, begun(), ("Running", "0/1"), id="a work queue of one"),
        pytest.param({"parallelism": 4}, begun(), ("Running", "0/1 of 4"), id="a work queue"),
        pytest.param({"suspend": True}, begun(), ("Suspended", "0/1"), id="suspended"),
        pytest.param(
            {"completions": 1},
            begun(succeeded=1, conditions=[condition("SuccessCriteriaMet")]),
            ("Complete", "1/1"),
            id="over",
        ),
    ],
)
def test_columns_of_the_custom_resource(spec: Obj, status: Obj, want: tuple[str, str]) -> None:
    """What upstream's apiserver computes for `kubectl get` is in the status, as no column of a custom resource can."""
    new = synced(seen(job(group="kopfwerk.dev", status=status, **spec)))
    assert (new["state"], new["progress"]) == want
