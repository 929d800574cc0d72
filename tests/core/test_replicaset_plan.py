"""What a ReplicaSet does: adopt, release, create, delete, and look again."""

from datetime import timedelta

import pytest

from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Patch, Step
from operators.core.pods import Pod
from operators.core.replicaset import Observed, plan
from operators.core.replicaset.plan import BURST
from tests.support.builders import NOW, owner_reference, pod, replicaset

RS = replicaset()
OTHER = replicaset("other")


def steps(rs: Obj, *pods: Pod) -> list[Step]:
    """Return what is planned."""
    return list(plan(Observed(rs, pods, (), NOW)).steps)


def mine(name: str, **rest: object) -> Pod:
    """Return a pod of RS."""
    return pod(name, owner=RS, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("replicas", "pods", "want_created", "want_deleted"),
    [
        pytest.param(3, (), 3, 0, id="none-there"),
        pytest.param(1, (mine("a"),), 0, 0, id="as-many-as-wanted"),
        pytest.param(2, (mine("a", phase="Failed"), mine("b")), 1, 0, id="a-failed-one-is-replaced"),
        pytest.param(2, (mine("a", phase="Succeeded"), mine("b")), 1, 0, id="a-succeeded-one-is-replaced"),
        pytest.param(2, (mine("a", deleting=True), mine("b")), 1, 0, id="one-that-is-deleted-is-replaced"),
        pytest.param(1, (mine("a"), mine("b"), mine("c")), 0, 2, id="too-many"),
        pytest.param(0, (mine("a"),), 0, 1, id="none-wanted"),
        pytest.param(BURST + 1, (), BURST, 0, id="no-more-than-a-burst"),
        pytest.param(1, (pod("a", owner=OTHER),), 1, 0, id="another's-does-not-count"),
    ],
)
def test_the_difference_is_created_or_deleted(
    replicas: int, pods: tuple[Pod, ...], want_created: int, want_deleted: int
) -> None:
    """As many are created or deleted as the active pods differ from what is wanted."""
    rs = replicaset(replicas=replicas)
    planned = steps(rs, *pods)
    assert sum(isinstance(step, Create) for step in planned) == want_created
    assert sum(isinstance(step, Delete) for step in planned) == want_deleted


def test_an_orphan_is_adopted_and_counts() -> None:
    """It gets the reference, at the version that was seen, after a look at the live ReplicaSet."""
    planned = plan(Observed(replicaset(replicas=1), (pod("orphan"),), (), NOW))
    (batch,) = planned.batches
    assert batch.live_owner
    (step,) = batch.steps
    assert isinstance(step, Patch)
    assert step.body["metadata"]["ownerReferences"] == [owner_reference(RS)]
    assert (step.target.uid, step.resource_version) == ("uid-orphan", "1")


def test_a_pod_that_left_the_selector_is_released_and_replaced() -> None:
    """It keeps running without a controller; that it is gone meanwhile is no failure."""
    release, create = steps(replicaset(replicas=1), mine("a", labels={"app": "debug"}))
    assert isinstance(release, Patch)
    assert release.body == {"metadata": {"ownerReferences": None}}
    assert release.ignore == {404, 422}
    assert isinstance(create, Create)


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param((pod("orphan"),), id="adopts-nothing"),
        pytest.param((mine("a", labels={}),), id="releases-nothing"),
        pytest.param((), id="creates-nothing"),
        pytest.param(tuple(mine(name) for name in "abcde"), id="deletes-nothing"),
    ],
)
def test_one_that_is_being_deleted_does_nothing(pods: tuple[Pod, ...]) -> None:
    """The garbage collector does the rest."""
    assert steps(replicaset(deleting=True), *pods) == []


def test_a_dying_or_strange_pod_is_not_adopted() -> None:
    """Neither a pod that is being deleted, nor one with other labels, nor another controller's."""
    pods = (pod("dying", deleting=True), pod("strange", labels={"app": "db"}), pod("others", owner=OTHER))
    assert steps(replicaset(replicas=0), *pods) == []


def test_creates_start_slowly() -> None:
    """A ReplicaSet whose pods are all refused does not send them all."""
    (batch,) = plan(Observed(RS, (), (), NOW)).batches
    assert batch.slow_start


@pytest.mark.parametrize(
    ("ready", "want"),
    [
        pytest.param((4,), timedelta(seconds=6), id="when-the-time-is-over"),
        pytest.param((4, 7, None), timedelta(seconds=3), id="at-the-earliest"),
        pytest.param((10, 60), None, id="not-where-all-are-available"),
        pytest.param((None,), None, id="not-where-none-is-ready"),
    ],
)
def test_it_looks_again_when_a_pod_becomes_available(ready: tuple[float | None, ...], want: timedelta | None) -> None:
    """With minReadySeconds 10 nothing else would say so."""
    rs = replicaset(replicas=len(ready), minReadySeconds=10)
    pods = tuple(mine(str(i), ready=seconds) for i, seconds in enumerate(ready))
    assert plan(Observed(rs, pods, (), NOW)).requeue_after == want
