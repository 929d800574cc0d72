"""What a StatefulSet reports, and which revisions it makes, reuses and forgets."""

from typing import Any

import pytest

from operators.core import objects
from operators.core.objects import Obj
from operators.core.plan import Create, Exists, Failure, Outcome
from operators.core.pods import Pod
from operators.core.revisions import patch_bytes, revision_hash
from operators.core.statefulset import Observed, plan, report
from tests.support.builders import controllerrevision, statefulset, template
from tests.support.sets import done, history, replica, rolling, seen, told, web

SET = statefulset()
NOTHING = Outcome()
COUNTS = ("replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas")
REFUSED = Failure(403, "Forbidden", "no")


def reported(observed: Observed, outcome: Outcome = NOTHING) -> Obj:
    """Return the status that is written."""
    status = report(observed, outcome)
    assert status is not None
    return status


@pytest.mark.parametrize(
    ("parent", "pods", "want"),
    [
        pytest.param(web(), (), (0, 0, 0, 0, 0), id="no pods"),
        pytest.param(
            web(),
            (replica(SET, 0, "old"), replica(SET, 1, "new", ready=None)),
            (2, 1, 1, 1, 1),
            id="one of each revision",
        ),
        pytest.param(web(), (replica(SET, 0, "old", deleting=True),), (1, 1, 1, 0, 0), id="one that goes"),
        pytest.param(web(), (replica(SET, 0, "new", phase="Failed"),), (1, 0, 0, 0, 1), id="one that failed"),
        pytest.param(web(), (replica(SET, 9, "new"),), (1, 1, 1, 0, 1), id="one that is too many"),
        pytest.param(
            web(minReadySeconds=60),
            (replica(SET, 0, ready=59), replica(SET, 1, ready=60)),
            (2, 2, 1, 0, 2),
            id="available",
        ),
        pytest.param(web(), (replica(None, 0, "old"),), (1, 1, 1, 1, 0), id="one that is adopted"),
        pytest.param(web(), (replica(SET, 0, "old", name="other"),), (0, 0, 0, 0, 0), id="one that is let go"),
    ],
)
def test_counts(parent: Obj, pods: tuple[Pod, ...], want: tuple[int, ...]) -> None:
    """Each count is of the pods that there are; none of a revision counts that is being deleted."""
    status = reported(seen(parent, *pods))
    assert tuple(status[count] for count in COUNTS) == want


@pytest.mark.parametrize(
    ("pods", "want"),
    [
        pytest.param([replica(SET, n) for n in range(3)], ("new", 3), id="all are new and ready"),
        pytest.param([replica(SET, n) for n in range(2)], ("old", 0), id="one is missing"),
        pytest.param(
            [*(replica(SET, n) for n in range(2)), replica(SET, 2, ready=None)], ("old", 0), id="one is not ready"
        ),
        pytest.param([replica(SET, n) for n in range(4)], ("old", 0), id="one is too many"),
        pytest.param([replica(SET, 0, "old"), *(replica(SET, n) for n in (1, 2))], ("old", 1), id="one is old"),
    ],
)
def test_a_rollout_ends(pods: list[Pod], want: tuple[str, int]) -> None:
    """Once all pods are of the update revision and ready it becomes the current one."""
    status = reported(seen(web(), *pods))
    assert (status["currentRevision"], status["currentReplicas"]) == want
    assert status["updateRevision"] == "new"


def test_the_rest() -> None:
    """Generation, collision count and conditions are in it; the selector in that of a custom resource alone."""
    condition = {"type": "Mine", "status": "True"}
    parent = web(status={"collisionCount": 2, "conditions": [condition]})
    status = reported(seen(parent))
    assert (status["observedGeneration"], status["collisionCount"], status["conditions"]) == (1, 2, [condition])
    assert status["selector"] == "app=web"
    assert "selector" not in reported(seen(web(group="apps")))
    assert reported(seen(web()))["collisionCount"] == 0


def test_nothing_new_is_not_written() -> None:
    """Where the status says so already, as a built-in kind's does without zeros, nothing is written."""
    pods = [replica(SET, n) for n in range(3)]
    status = reported(seen(web(), *pods))
    assert report(seen(web() | {"status": status}, *pods), NOTHING) is None
    bare = {name: value for name, value in status.items() if value != 0}
    assert report(seen(web() | {"status": bare}, *pods), NOTHING) is None


@pytest.mark.parametrize(
    ("parent", "pods", "failing", "want"),
    [
        pytest.param(web(), [], {}, False, id="a pod was made: the next sync reports"),
        pytest.param(web(), [], {"create": REFUSED}, True, id="a pod could not be made"),
        pytest.param(web(), [], {"create": Exists({})}, True, id="somebody has the pod's name"),
        pytest.param(web(), [replica(None, 0)], {"patch": REFUSED}, False, id="adoption failed"),
        pytest.param(
            web(claims=("data",)), [replica(SET, 0)], {"patch": REFUSED, "create": {}}, True, id="a repair failed"
        ),
        pytest.param(web(), [replica(SET, n, "old") for n in range(3)], {}, False, id="a pod was replaced"),
        pytest.param(
            web(updateStrategy={"type": "RollingUpdate"}),
            [replica(SET, n, "old") for n in range(3)],
            {},
            True,
            id="a pod was replaced where the count of current ones matters",
        ),
    ],
)
def test_when_it_is_written(parent: Obj, pods: list[Pod], failing: dict[str, Any], want: bool) -> None:  # noqa: FBT001
    """What is over in a moment is not written, but a failure never hides what is."""
    observed = seen(parent, *pods)
    assert (report(observed, done(plan(observed), **failing)) is not None) is want


def test_replaced_pods_do_not_count_as_current() -> None:
    """Where no parameters of a rolling update are given the next pod's revision depends on the count, at once."""
    observed = seen(web(updateStrategy={"type": "RollingUpdate"}), *(replica(SET, n, "old") for n in range(3)))
    assert reported(observed, done(plan(observed)))["currentReplicas"] == 2


def name_of(parent: Obj) -> str:
    """Return the name of the revision of a StatefulSet's template."""
    count = parent["status"].get("collisionCount", 0)
    return f"web-{revision_hash(patch_bytes(parent['spec']['template']), count)}"


def test_the_first_revision() -> None:
    """A new template is first recorded, then reported, and only then are pods made of it."""
    parent = statefulset()
    observed = seen(parent, revisions=())
    made = plan(observed)
    assert told(made) == ["revision 1"]
    status = reported(observed, done(made))
    assert status["currentRevision"] == status["updateRevision"] == name_of(parent)


def test_a_new_template_keeps_the_current_revision() -> None:
    """While a template is rolled out the current revision is the one before it."""
    observed = seen(web("old", image="app:3"), revisions=history(SET, "old", "new"))
    made = plan(observed)
    assert told(made) == ["revision 3"]
    status = reported(observed, done(made))
    assert (status["currentRevision"], status["updateRevision"]) == ("old", name_of(observed.statefulset))


def test_going_back() -> None:
    """A template that was there before gets its revision back, renumbered, in the same sync."""
    observed = seen(web("new", image="app:1"), *(replica(SET, n, "new") for n in range(3)))
    assert told(plan(observed)) == ["renumber old 3", "+", "delete web-2"]
    assert reported(observed)["updateRevision"] == "old"


@pytest.mark.parametrize(
    ("holder", "want"),
    [
        pytest.param(controllerrevision("x", template("app:2"), owner=SET), None, id="its own, not seen yet"),
        pytest.param(controllerrevision("x", template("app:9"), owner=SET), 3, id="its own of another template"),
        pytest.param(controllerrevision("x", template("app:2")), 3, id="nobody's"),
        pytest.param(controllerrevision("x", template("app:2"), owner=statefulset("other")), 3, id="somebody else's"),
    ],
)
def test_a_collision(holder: Obj, want: int | None) -> None:
    """Where the revision's name is taken by another the collision is counted, which makes for another name."""
    parent = statefulset(status={"collisionCount": 2, "replicas": 1})
    observed = seen(parent, revisions=())
    status = report(observed, done(plan(observed), create=Exists(holder)))
    assert status == (None if want is None else {"collisionCount": want, "replicas": 1})
    assert len({name_of(statefulset(status={"collisionCount": n})) for n in range(3)}) == 3


def test_a_revision_that_cannot_be_made() -> None:
    """Nothing is reported about a revision that there is not."""
    observed = seen(statefulset(), revisions=())
    assert report(observed, done(plan(observed), create=REFUSED)) is None


@pytest.mark.parametrize(
    ("limit", "pods", "want"),
    [
        pytest.param(2, [], [], id="as many as the limit"),
        pytest.param(1, [], ["forget a"], id="the oldest goes"),
        pytest.param(0, [], ["forget a", "forget b"], id="all but those in use"),
        pytest.param(0, [replica(SET, 0, "a")], ["forget b"], id="a pod uses one"),
        pytest.param(-1, [], [], id="a negative limit keeps all"),
    ],
)
def test_history_limit(limit: int, pods: list[Pod], want: list[str]) -> None:
    """Beyond the limit go the oldest revisions that neither the status nor a pod names."""
    parent = web("old", revisionHistoryLimit=limit, updateStrategy=rolling(partition=9), replicas=len(pods))
    names = {"a": "app:8", "b": "app:9", "old": "app:1", "new": "app:2"}
    known = tuple(
        controllerrevision(name, template(image), number=number, owner=parent)
        for number, (name, image) in enumerate(names.items(), 1)
    )
    assert [word for word in told(plan(seen(parent, *pods, revisions=known))) if word.startswith("forget")] == want


def test_orphaned_revisions() -> None:
    """Revisions that nobody owns are adopted where their labels match; others are not even looked at."""
    parent = web("new", replicas=0)
    orphan = controllerrevision("new", template("app:2"))
    stray = controllerrevision("stray", template("app:7"), labels={"app": "other"}, number=9)
    observed = seen(parent, revisions=(orphan, stray))
    assert told(plan(observed)) == ["adopt new"]
    assert plan(observed).batches[0].live_owner
    assert reported(observed)["updateRevision"] == "new"


def test_a_default_rolls_nothing() -> None:
    """A default that appears in the template, as after an upgrade of the custom resource, is no new revision."""
    parent = web("new")
    parent["spec"]["template"] = {
        **template("app:2"),
        "spec": {**template("app:2")["spec"], "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst"},
    }
    observed = seen(parent, *(replica(SET, n) for n in range(3)))
    assert told(plan(observed)) == []
    assert reported(observed)["updateRevision"] == "new"


def test_the_name_of_a_revision() -> None:
    """It is the set's name and the hash, which is a label too."""
    (step,) = plan(seen(statefulset(), revisions=())).steps
    assert isinstance(step, Create)
    assert objects.name(step.body) == name_of(statefulset())
    assert objects.name(step.body) == f"web-{step.body['metadata']['labels']['controller.kubernetes.io/hash']}"
