"""Which pods a Job makes and deletes."""

from datetime import timedelta
from typing import Any

import pytest

from operators.core import job as rules
from operators.core.objects import Obj
from operators.core.plan import Patch
from operators.core.pods import Pod
from operators.core.runs import FINALIZER
from tests.support.builders import ago, pod
from tests.support.jobs import begun, condition, indexed, job, run, seen, synced, told


def runs(count: int, **rest: Any) -> tuple[Pod, ...]:
    """Return pods that run."""
    return tuple(run(f"p{number}", **rest) for number in range(count))


def of(*indexes: int, **rest: Any) -> tuple[Pod, ...]:
    """Return a pod of each index."""
    return tuple(run(f"p{index}", index=index, **rest) for index in indexes)


def doubled(completed: str = "", **status: Any) -> Obj:
    """Return a status whose indexes are done."""
    return begun(completedIndexes=completed, **status)


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(job(), (), ["create"], id="one by default"),
        pytest.param(job(parallelism=3), (), ["create"] * 3, id="a work queue starts all"),
        pytest.param(job(parallelism=3), runs(3), [], id="all are there"),
        pytest.param(job(completions=5, parallelism=3), (), ["create"] * 3, id="as many as may run at a time"),
        pytest.param(job(completions=2, parallelism=3), (), ["create"] * 2, id="no more than are wanted"),
        pytest.param(
            job(completions=5, parallelism=3, status=begun(succeeded=4)), (), ["create"], id="no more than are missing"
        ),
        pytest.param(job(completions=5, parallelism=3, status=begun(succeeded=4)), runs(1), [], id="the last one runs"),
        pytest.param(job(parallelism=3, status=begun(succeeded=1)), runs(2), [], id="a success ends the queue"),
        pytest.param(job(completions=0), (), [], id="nothing to do"),
        pytest.param(job(parallelism=0), (), [], id="no parallelism"),
        pytest.param(
            job(completions=5, parallelism=1),
            (run("a", ready=False), run("b")),
            ["strip a", "delete a"],
            id="one too many: the least ready goes, and does not count",
        ),
        pytest.param(
            job(completions=5, parallelism=1),
            (run("a", node=""), run("b", phase="Pending")),
            ["strip a", "delete a"],
            id="one too many: the one without a node goes",
        ),
        pytest.param(
            job(completions=5, parallelism=1),
            (run("a", age=300), run("b", age=200)),
            ["strip b", "delete b"],
            id="one too many: the younger goes",
        ),
        pytest.param(job(parallelism=1000), (), ["create"] * 500, id="no more than 500 at a time"),
        pytest.param(job(suspend=True), (), [], id="suspended: none is made"),
        pytest.param(
            job(suspend=True, parallelism=2),
            runs(2),
            ["strip p0", "strip p1", "delete p0", "delete p1"],
            id="suspended: all go, and do not count",
        ),
        pytest.param(job(deleting=True), (), [], id="being deleted: none is made"),
        pytest.param(job(managedBy="acme.com/jobs"), runs(3), [], id="another's Job is not touched"),
        pytest.param(job(managedBy="kubernetes.io/job-controller"), (), ["create"], id="ours by its name"),
        pytest.param(
            job(parallelism=2), (run("a", deleting=True, ended=0), run("b")), [], id="a deleted pod failed: back-off"
        ),
        pytest.param(
            job(parallelism=2, podReplacementPolicy="Failed"),
            (run("a", deleting=True), run("b")),
            [],
            id="replaced only once it has failed",
        ),
    ],
)
def test_any_pods(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """Pods without indexes are alike."""
    assert told(rules.plan(seen(parent, *pods))) == want


BARE = run("bare", tracked=False)


@pytest.mark.parametrize(
    ("parent", "want"),
    [
        pytest.param(job(group="kopfwerk.dev"), ["patch bare"], id="ours"),
        pytest.param(job(), [], id="a built-in one: only its user can have done so"),
        pytest.param(job(group="kopfwerk.dev", suspend=True), ["delete bare"], id="not where the pod goes"),
        pytest.param(job(group="kopfwerk.dev", deleting=True), [], id="nor with its Job"),
        pytest.param(job(group="kopfwerk.dev", managedBy="acme.com/jobs"), [], id="nor of another's"),
    ],
)
def test_a_pod_that_lost_the_finalizer(parent: Obj, want: list[str]) -> None:
    """It gets the finalizer again, or nobody would count it."""
    plan = rules.plan(seen(parent, BARE))
    assert told(plan) == want
    given = [step.body for step in plan.steps if isinstance(step, Patch)]
    assert given == [{"metadata": {"finalizers": [FINALIZER]}}] * len(given)


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(indexed(3), (), ["create 0", "create 1", "create 2"], id="all indexes"),
        pytest.param(indexed(5, parallelism=2), (), ["create 0", "create 1"], id="the lowest first"),
        pytest.param(indexed(5, parallelism=2, status=doubled("0,2")), of(1), ["create 3"], id="gaps are passed over"),
        pytest.param(
            indexed(3),
            (*of(0, 1), run("twin", index=1, ready=False), *of(2)),
            ["strip twin", "delete twin"],
            id="an index twice",
        ),
        pytest.param(indexed(3), (*of(0, 1, 2), *of(7)), ["strip p7", "delete p7"], id="an index that there is not"),
        pytest.param(indexed(3), (*of(0, 1, 2), run("no")), ["strip no", "delete no"], id="no index"),
        pytest.param(indexed(3), (*of(0, 1, 2), run("bad", index="x")), ["strip bad", "delete bad"], id="a bad index"),
        pytest.param(
            indexed(2, parallelism=2, status=doubled("0-4")), (), [], id="fewer completions: what is done remains done"
        ),
        pytest.param(indexed(4, parallelism=4, status=doubled("0-1")), (), ["create 2", "create 3"], id="more of them"),
        pytest.param(
            indexed(3, backoffLimitPerIndex=1, status=begun(failedIndexes="1")),
            (),
            ["create 0", "create 2"],
            id="a failed index is not tried again",
        ),
        pytest.param(
            indexed(2, podReplacementPolicy="Failed"),
            of(0, deleting=True),
            ["create 1"],
            id="an index whose pod is going waits for it",
        ),
    ],
)
def test_pods_of_indexes(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """Each index has one pod at a time, and none once it is done."""
    assert told(rules.plan(seen(parent, *pods))) == want


def failed(*ages: float) -> tuple[Pod, ...]:
    """Return pods that failed so many seconds ago, counted already."""
    return tuple(run(f"f{number}", phase="Failed", ended=age, tracked=False) for number, age in enumerate(ages))


@pytest.mark.parametrize(
    ("parent", "pods", "want_steps", "want_wait"),
    [
        pytest.param(job(), failed(3), [], 7, id="10 s after the first failure"),
        pytest.param(job(), failed(11), ["create"], None, id="which are over"),
        pytest.param(job(), failed(30, 3), [], 17, id="20 s after the second"),
        pytest.param(job(), failed(*range(100, 107), 1), [], 599, id="600 s at most"),
        pytest.param(
            job(completions=3),
            (*failed(30, 3), run("ok", phase="Succeeded", ended=1, tracked=False)),
            ["create"],
            None,
            id="a success begins anew",
        ),
        pytest.param(
            job(completions=3),
            (*failed(30, 3), run("ok", phase="Succeeded", ended=20, tracked=False)),
            [],
            7,
            id="failures before a success do not count",
        ),
        pytest.param(
            job(podFailureBackoff={"baseSeconds": 2, "maxSeconds": 3}),
            failed(9, 1),
            [],
            2,
            id="another base and maximum",
        ),
        pytest.param(
            job(podFailureBackoff={"baseSeconds": 30, "maxSeconds": 3}),
            failed(1),
            [],
            2,
            id="no longer than the maximum the first time either",
        ),
        pytest.param(job(parallelism=0), failed(1), [], None, id="nothing is missing"),
        pytest.param(
            indexed(2, backoffLimitPerIndex=3),
            of(0, phase="Failed", failures=1, ended=5),
            ["create 1"],
            15,
            id="each index waits for itself",
        ),
        pytest.param(
            indexed(1, backoffLimitPerIndex=3),
            of(0, phase="Failed", failures=1, ended=25),
            ["create 0"],
            None,
            id="until its wait is over",
        ),
        pytest.param(
            indexed(1, backoffLimitPerIndex=3),
            of(0, phase="Failed", failures=1, ignored=1, ended=25),
            [],
            15,
            id="ignored failures make it wait too",
        ),
    ],
)
def test_back_off(parent: Obj, pods: tuple[Pod, ...], want_steps: list[str], want_wait: float | None) -> None:
    """A failed pod's replacement waits, longer with every failure in a row."""
    plan = rules.plan(seen(parent, *pods))
    assert told(plan) == want_steps
    assert plan.requeue_after == (None if want_wait is None else timedelta(seconds=want_wait))


def test_a_deleted_pod_is_remembered_as_failed() -> None:
    """The wait goes on when the pod itself is gone, and ends in time."""
    first = seen(job(), run("a", deleting=True, ended=2))
    gone = seen(job(), endings=first.endings)
    assert told(rules.plan(gone)) == []
    assert told(rules.plan(seen(job(), endings=first.endings, after=8))) == ["create"]


def test_pods_taken_away_on_purpose_are_no_failures() -> None:
    """Once a Job goes on, nothing has to be waited for."""
    assert told(rules.plan(seen(job(), run("a", deleting=True, ended=2, tracked=False)))) == ["create"]


@pytest.mark.parametrize(
    ("parent", "want"),
    [
        pytest.param(job(activeDeadlineSeconds=90), 30, id="counts from the start"),
        pytest.param(job(activeDeadlineSeconds=90, status={}), 90, id="not begun yet"),
        pytest.param(job(activeDeadlineSeconds=90, suspend=True), None, id="not while suspended"),
        pytest.param(job(), None, id="none"),
    ],
)
def test_comes_back_at_the_deadline(parent: Obj, want: float | None) -> None:
    """Nothing else would wake a Job whose time is up."""
    assert rules.plan(seen(parent, run("a"))).requeue_after == (timedelta(seconds=want) if want else None)


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(begun(conditions=[condition("FailureTarget")]), ["delete a"], id="failed: what runs goes"),
        pytest.param(
            begun(conditions=[condition("SuccessCriteriaMet")]), ["strip a", "strip z", "delete a"], id="succeeded"
        ),
        pytest.param(begun(conditions=[condition("Failed")]), ["strip a", "strip z"], id="ended: all are let go"),
        pytest.param(begun(conditions=[condition("Complete")]), ["strip a", "strip z"], id="complete: likewise"),
    ],
)
def test_an_end_that_is_decided(status: Obj, want: list[str]) -> None:
    """What runs is deleted, and what is accounted for is let go; nothing is made."""
    pods = (run("a"), run("z", deleting=True, phase="Pending"))
    assert told(rules.plan(seen(job(parallelism=5, status=status), *pods))) == want


def test_takes_on_orphans_with_the_finalizer_and_lets_go_without() -> None:
    """A pod that is taken on is tracked from then on; one whose labels no longer match is let go untracked."""
    orphan = pod("orphan", labels={"batch.kubernetes.io/controller-uid": "uid-job"})
    left = run("left", labels={"app": "other"})
    plan = rules.plan(seen(job(parallelism=1), orphan, left))
    release, adopt = plan.batches
    assert release.steps[0].body == {"metadata": {"ownerReferences": None, "finalizers": None}}  # type: ignore[union-attr]
    assert adopt.live_owner
    assert adopt.steps[0].body["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]  # type: ignore[union-attr]


def test_says_that_it_does_not_know_a_mode() -> None:
    """A mode of the future is left alone."""
    plan = rules.plan(seen(job(completionMode="Sorted"), run("a")))
    assert told(plan) == []
    assert [event.reason for event in plan.events] == ["UnknownCompletionMode"]


def test_begins_without_a_status() -> None:
    """A Job that was made this moment has no status at all."""
    parent = seen(job(status={}))
    assert told(rules.plan(parent)) == ["create"]
    assert synced(parent)["startTime"] == ago(0)


def test_waits_at_least_a_second() -> None:
    """A sync the moment before a wait is over would only come again."""
    assert rules.plan(seen(job(), *failed(9), after=0.5)).requeue_after == timedelta(seconds=1)
