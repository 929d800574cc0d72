"""A StatefulSet's pods: which is made, waited for, repaired, removed or replaced next."""

import pytest

from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.statefulset import plan
from tests.support.builders import claim, pod, statefulset
from tests.support.sets import history, replica, rolling, seen, told, web

SET = statefulset()
PARALLEL = {"podManagementPolicy": "Parallel"}


def up(*ordinals: int, revision: str = "new") -> tuple[Pod, ...]:
    """Return pods that are ready."""
    return tuple(replica(SET, ordinal, revision) for ordinal in ordinals)


def down(ordinal: int, revision: str = "new") -> Pod:
    """Return a pod that runs and is not ready."""
    return replica(SET, ordinal, revision, ready=None)


def going(ordinal: int, revision: str = "new") -> Pod:
    """Return a pod that is being deleted."""
    return replica(SET, ordinal, revision, deleting=True)


def ended(ordinal: int, phase: str = "Failed", revision: str = "new") -> Pod:
    """Return a pod whose containers have ended for good."""
    return replica(SET, ordinal, revision, phase=phase)


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(web("new"), (), ["create web-0 new"], id="the first"),
        pytest.param(web("new"), up(0), ["create web-1 new"], id="the second once the first is ready"),
        pytest.param(web("new"), (down(0),), [], id="waits for readiness"),
        pytest.param(web("new"), (replica(SET, 0, phase="Pending"),), [], id="waits for running"),
        pytest.param(web("new", minReadySeconds=60), (replica(SET, 0, ready=30),), [], id="waits for availability"),
        pytest.param(
            web("new", minReadySeconds=60), (replica(SET, 0, ready=60),), ["create web-1 new"], id="available in time"
        ),
        pytest.param(web("new"), (going(0),), [], id="waits for a pod that goes"),
        pytest.param(web("new"), (*up(0, 1, 2),), [], id="complete"),
        pytest.param(web("new"), up(1, 2), ["create web-0 new"], id="a gap is filled"),
        pytest.param(web("new"), (ended(0), *up(1)), ["delete web-0"], id="a failed pod goes"),
        pytest.param(web("new"), (ended(0, "Succeeded"),), ["delete web-0"], id="a pod that succeeded too"),
        pytest.param(
            web("new"),
            (*up(0), replica(SET, 1, phase="Failed", deleting=True)),
            [],
            id="a failed pod that goes already",
        ),
        pytest.param(web("new"), (ended(0), ended(1)), ["delete web-0"], id="one failed pod after the other"),
        pytest.param(web("new", ordinals={"start": 5}), (), ["create web-5 new"], id="another first ordinal"),
        pytest.param(
            web("new", replicas=2, ordinals={"start": 1}),
            up(0, 1, 2),
            ["delete web-0"],
            id="below the first is too many",
        ),
        pytest.param(web("new", replicas=0), (), [], id="none wanted"),
    ],
)
def test_one_after_the_other(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """OrderedReady makes a pod once all before it are available, and never two at once."""
    assert told(plan(seen(parent, *pods))) == want


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(web("new", replicas=1), up(0, 1, 2), ["delete web-2"], id="the highest first"),
        pytest.param(web("new", replicas=1), (*up(0, 1), going(2)), [], id="waits for it to be gone"),
        pytest.param(web("new", replicas=1), (down(0), *up(1, 2)), [], id="not while one that stays is unready"),
        pytest.param(web("new", replicas=1), (*up(0, 1), down(2)), ["delete web-2"], id="unready itself"),
        pytest.param(web("new", replicas=1), (*up(0), down(1), *up(2)), ["delete web-2"], id="a lower one is unready"),
        pytest.param(web("new", replicas=1), (*up(0), down(1), down(2)), [], id="unready, and a lower one too"),
        pytest.param(web("new", replicas=1), (*up(0), ended(1)), ["delete web-1"], id="failed itself"),
        pytest.param(web("new", replicas=2), (*up(0), *up(2)), ["create web-1 new"], id="making goes before removing"),
        pytest.param(
            web("old", replicas=2),
            (*up(0, 1, revision="old"), *up(2)),
            ["delete web-2"],
            id="removing goes before replacing",
        ),
        pytest.param(
            web("new", replicas=1, minReadySeconds=60),
            (replica(SET, 0, ready=90), replica(SET, 1, ready=30), replica(SET, 2, ready=90)),
            ["delete web-2"],
            id="the highest is available",
        ),
    ],
)
def test_scaling_down(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """Pods go from the highest ordinal down, each once the one above is gone and all others are well."""
    assert told(plan(seen(parent, *pods))) == want


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(
            web("new", **PARALLEL), (), ["create web-0 new", "create web-1 new", "create web-2 new"], id="all at once"
        ),
        pytest.param(
            web("new", **PARALLEL), (down(0), going(1)), ["create web-2 new"], id="whatever the others are at"
        ),
        pytest.param(
            web("new", **PARALLEL), (ended(0), *up(1)), ["delete web-0", "create web-2 new"], id="failed ones meanwhile"
        ),
        pytest.param(
            web("new", replicas=0, **PARALLEL), up(0, 1), ["delete web-1", "delete web-0"], id="all go at once"
        ),
        pytest.param(
            web("new", replicas=2, **PARALLEL), (*up(0), *up(2)), ["create web-1 new", "+", "delete web-2"], id="both"
        ),
        pytest.param(
            web("new", replicas=1, **PARALLEL), (*up(0), going(1), down(2)), ["delete web-2"], id="not those that go"
        ),
    ],
)
def test_parallel(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """Parallel waits for no pod, neither on the way up nor on the way down."""
    made = plan(seen(parent, *pods))
    assert told(made) == want
    assert all(batch.slow_start for batch in made.batches)


OLD = up(0, 1, 2, revision="old")


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(web(), OLD, ["delete web-2"], id="the highest first"),
        pytest.param(web(), (*OLD[:2], going(2, "old")), [], id="waits for it to be gone"),
        pytest.param(web(), OLD[:2], ["create web-2 new"], id="and makes it anew"),
        pytest.param(web(), (*OLD[:2], down(2)), [], id="waits for the new one"),
        pytest.param(web(), (*OLD[:2], *up(2)), ["delete web-1"], id="goes on"),
        pytest.param(web(), up(0, 1, 2), [], id="is complete"),
        pytest.param(
            web(updateStrategy=rolling(unavailable=2)), OLD, ["delete web-2", "delete web-1"], id="two at a time"
        ),
        pytest.param(
            web(updateStrategy=rolling(unavailable="67%")), OLD, ["delete web-2", "delete web-1"], id="a percentage"
        ),
        pytest.param(web(updateStrategy=rolling(unavailable="1%")), OLD, ["delete web-2"], id="at least one"),
        pytest.param(
            web(updateStrategy=rolling(unavailable=2)), OLD[:1], ["create web-1 new"], id="but they come one by one"
        ),
        pytest.param(web(updateStrategy=rolling(partition=2)), (*OLD[:2], *up(2)), [], id="down to the partition"),
        pytest.param(web(updateStrategy=rolling(partition=1)), (*OLD[:2], *up(2)), ["delete web-1"], id="partition 1"),
        pytest.param(web(updateStrategy=rolling(partition=5)), OLD, [], id="a partition above all"),
        pytest.param(
            web(updateStrategy=rolling(partition=1)), OLD[1:], ["create web-0 old"], id="below it the old one is made"
        ),
        pytest.param(
            web(updateStrategy=rolling(partition=1), ordinals={"start": 3}),
            (),
            ["create web-3 old"],
            id="the partition counts from the first ordinal",
        ),
        pytest.param(
            web(updateStrategy=rolling(partition=1), ordinals={"start": 3}),
            up(3, revision="old"),
            ["create web-4 new"],
            id="above it the new one is made",
        ),
        pytest.param(web(updateStrategy={"type": "OnDelete"}), OLD, [], id="OnDelete replaces nothing"),
        pytest.param(
            web(updateStrategy={"type": "OnDelete"}), OLD[:2], ["create web-2 new"], id="OnDelete makes the new one"
        ),
        pytest.param(web(updateStrategy={"type": "RollingUpdate"}), OLD, ["delete web-2"], id="no parameters"),
        pytest.param(
            web(updateStrategy={"type": "RollingUpdate"}, status={"currentReplicas": 2}),
            OLD[:2],
            ["create web-2 new"],
            id="no parameters: beyond those counted the new one is made",
        ),
        pytest.param(
            web(updateStrategy={"type": "RollingUpdate"}, status={"currentReplicas": 2}),
            (*OLD[:1], *up(2)),
            ["create web-1 old"],
            id="no parameters: among those counted the old one is made",
        ),
    ],
)
def test_rolling_update(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """Pods of the old revision give way from the highest ordinal down, as far as partition and maxUnavailable let."""
    assert told(plan(seen(parent, *pods))) == want


def parallel(partition: int = 0, unavailable: int = 1, replicas: int = 3) -> Obj:
    """Return a StatefulSet whose pods do not wait for one another, and that is at the revision old."""
    return web(replicas=replicas, updateStrategy=rolling(partition, unavailable), **PARALLEL)


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(parallel(), OLD, ["delete web-2"], id="one at a time"),
        pytest.param(parallel(unavailable=2), OLD, ["delete web-2", "delete web-1"], id="two at a time"),
        pytest.param(parallel(), (*OLD[:2], down(2)), [], id="a new one that is unready uses the room"),
        pytest.param(parallel(), (*OLD[:2], going(2, "old")), [], id="as does one that goes"),
        pytest.param(
            parallel(), (down(0, "old"), *OLD[1:]), ["delete web-0"], id="an old one that is unready goes first"
        ),
        pytest.param(
            parallel(),
            (down(0, "old"), down(1, "old"), down(2, "old")),
            ["delete web-2", "delete web-1", "delete web-0"],
            id="whatever their number",
        ),
        pytest.param(
            parallel(unavailable=3, replicas=5),
            (down(0, "old"), down(1, "old"), *up(2, 3, 4, revision="old")),
            ["delete web-1", "delete web-0", "delete web-4"],
            id="and then as many as there is room for",
        ),
        pytest.param(
            parallel(partition=1), (down(0, "old"), *OLD[1:]), [], id="one below the partition uses the room, and stays"
        ),
        pytest.param(
            parallel(), (ended(0, revision="old"), *OLD[1:]), ["delete web-0"], id="a failed one is not deleted twice"
        ),
        pytest.param(parallel(), OLD[:2], ["create web-2 new"], id="one that is missing uses the room"),
        pytest.param(
            web(updateStrategy={"type": "RollingUpdate"}, status={"currentReplicas": 3}, **PARALLEL),
            (down(0, "old"), *OLD[1:]),
            [],
            id="no parameters: what would come back as it was is left alone",
        ),
    ],
)
def test_parallel_rolling_update(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """Parallel first replaces what is of no use anyway, then available pods within maxUnavailable."""
    assert told(plan(seen(parent, *pods))) == want


NATIVE = web(group="apps", replicas=3)
BAD = ("old", "bad", "new")


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(web(), (*OLD[:2], down(2, "bad")), ["delete web-2"], id="a template was bad and is corrected"),
        pytest.param(web("bad"), (down(0, "bad"),), ["delete web-0"], id="the very first was bad"),
        pytest.param(
            web(), (*OLD[:2], replica(SET, 2, "bad", phase="Pending")), ["delete web-2"], id="it does not even start"
        ),
        pytest.param(NATIVE, (*OLD[:2], down(2, "bad")), [], id="upstream waits for ever"),
        pytest.param(
            web(annotations={"kopfwerk.dev/replace-stuck-pods": "false"}),
            (*OLD[:2], down(2, "bad")),
            [],
            id="switched off",
        ),
        pytest.param(
            web(group="apps", annotations={"kopfwerk.dev/replace-stuck-pods": "true"}),
            (*OLD[:2], down(2, "bad")),
            ["delete web-2"],
            id="switched on for a built-in kind",
        ),
        pytest.param(web(), (*OLD[:2], down(2)), [], id="one of the new template is waited for"),
        pytest.param(web(), (down(0, "old"), OLD[1], down(2)), [], id="not while a new one is being brought up"),
        pytest.param(
            web(updateStrategy=rolling(unavailable=2)),
            (down(0, "old"), OLD[1], down(2)),
            ["delete web-0"],
            id="unless maxUnavailable leaves room",
        ),
        pytest.param(
            web(),
            (down(0, "bad"), down(1, "bad"), down(2, "bad")),
            ["delete web-0"],
            id="one at a time, the lowest first",
        ),
        pytest.param(web(), (*OLD[:2], going(2, "bad")), [], id="it goes already"),
        pytest.param(
            web(updateStrategy=rolling(partition=1)), (down(0, "bad"), *up(1, 2)), [], id="below the partition"
        ),
        pytest.param(
            web(updateStrategy=rolling(partition=2)),
            (*OLD[:2], down(2, "bad")),
            ["delete web-2"],
            id="at the partition",
        ),
        pytest.param(
            web(updateStrategy=rolling(partition=3)),
            (*OLD[:2], down(2, "bad")),
            [],
            id="the partition was raised above",
        ),
        pytest.param(
            web(updateStrategy=rolling(partition=1)),
            (down(0, "old"), OLD[1], down(2, "bad")),
            [],
            id="another waits, below the partition",
        ),
        pytest.param(web(updateStrategy={"type": "OnDelete"}), (*OLD[:2], down(2, "bad")), [], id="OnDelete"),
        pytest.param(
            web(updateStrategy={"type": "RollingUpdate"}, status={"currentReplicas": 3}),
            (down(0, "old"), *OLD[1:]),
            [],
            id="no parameters: it would come back as it was",
        ),
        pytest.param(
            web(updateStrategy={"type": "RollingUpdate"}, status={"currentReplicas": 1}),
            (down(0, "old"),),
            ["delete web-0"],
            id="no parameters: it comes back as a new one",
        ),
        pytest.param(
            web(minReadySeconds=60),
            (*OLD[:2], replica(SET, 2, "old", ready=30)),
            [],
            id="ready, and only not yet available",
        ),
    ],
)
def test_a_stuck_rollout(parent: Obj, pods: tuple[Pod, ...], want: list[str]) -> None:
    """A custom resource's rollout replaces the pod that it would otherwise wait for in vain (kubernetes#67250)."""
    assert told(plan(seen(parent, *pods, revisions=history(parent, *BAD)))) == want


@pytest.mark.parametrize(
    ("pods", "want"),
    [
        pytest.param(
            (replica(None, 0),), ["adopt web-0", "+", "create web-1 new"], id="an orphan with a member's name"
        ),
        pytest.param((*up(0), replica(None, 0, name="other")), ["create web-1 new"], id="an orphan of another name"),
        pytest.param(
            (*up(0), replica(SET, 0, name="other")),
            ["release other-0", "+", "create web-1 new"],
            id="its own of another name",
        ),
        pytest.param(
            (*up(0), replica(SET, 1, labels={"app": "stray"})),
            ["release web-1", "+", "create web-1 new"],
            id="its own without the labels",
        ),
        pytest.param((replica(None, 7),), ["adopt web-7", "+", "create web-0 new"], id="an orphan that is too many"),
        pytest.param((replica(None, 0, name="web-0"),), ["create web-0 new"], id="a name like a member's"),
        pytest.param((pod("web-00"),), ["create web-0 new"], id="a padded ordinal"),
        pytest.param((pod("web-4294967296"),), ["create web-0 new"], id="a number that is no ordinal"),
    ],
)
def test_adoption(pods: tuple[Pod, ...], want: list[str]) -> None:
    """Orphans are adopted where labels and name say that they belong, and let go where either no longer does."""
    assert told(plan(seen(web("new"), *pods))) == want


def test_a_set_that_is_being_deleted() -> None:
    """Nothing is done any more but what the garbage collector does."""
    assert told(plan(seen(web("new", deleting=True), *up(0), replica(None, 1)))) == []


def test_the_next_look() -> None:
    """Where pods are ready and not yet available, it looks again when the first of them is."""
    parent = web("new", minReadySeconds=60)
    made = plan(seen(parent, replica(SET, 0, ready=45), replica(SET, 1, ready=50)))
    assert made.requeue_after is not None
    assert made.requeue_after.total_seconds() == 10
    assert plan(seen(web("new"), *up(0, 1, 2))).requeue_after is None


def test_a_plan_depends_on_nothing_else() -> None:
    """The order in which things are observed changes nothing."""
    parent = web(claims=("data",), **PARALLEL)
    pods = (*up(0, 5), down(1, "old"), going(2))
    claims = tuple(claim(f"data-web-{n}") for n in (0, 1, 5))
    first = plan(seen(parent, *pods, claims=claims))
    second = plan(seen(parent, *reversed(pods), claims=claims[::-1], revisions=history(parent, "old", "new")[::-1]))
    assert told(first) == told(second)
