"""What is done for a DaemonSet: on each node, in a rollout, about its revisions."""

from datetime import timedelta
from typing import Any

import pytest

from operators.core.daemonset import Observed, Retry, after, plan
from operators.core.daemonset.observed import SKIPS_NOT_READY
from operators.core.daemonset.plan import BURST
from operators.core.objects import Obj
from operators.core.pods import Pod
from tests.support.builders import NOW
from tests.support.daemons import daemon, daemonset, node, pinned_to, revision, seen, told

DS = daemonset()
A, B, C = node("a"), node("b"), node("c")
TAINTED = node("a", taints=("gpu:NoSchedule",))
HOSTILE = node("a", taints=("gpu:NoExecute",))
SURGING = daemonset(unavailable=0, surge=1)
SLOW = daemonset(minReadySeconds=60)


def _d(on: str, revision: str = "new", **rest: Any) -> Pod:
    return daemon(DS, on, revision, **rest)


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(DS, (B, A)), ["create on a", "create on b"], id="each node gets a pod"),
        pytest.param(seen(DS, (A,), _d("a")), [], id="all there"),
        pytest.param(seen(DS, (A,), _d("a", waits=True)), [], id="a pod that waits for its node counts"),
        pytest.param(seen(DS, (A,), _d("a", deleting=True)), [], id="one that is going is awaited"),
        pytest.param(
            seen(DS, (A,), _d("a", deleting=True, phase="Failed")), ["create on a"], id="one that has ended is not"
        ),
        pytest.param(seen(DS, (TAINTED,)), [], id="a taint keeps off"),
        pytest.param(seen(DS, (TAINTED,), _d("a")), [], id="and lets stay"),
        pytest.param(seen(DS, (HOSTILE,), _d("a")), ["delete new-a"], id="misscheduled pods are removed"),
        pytest.param(seen(DS, (HOSTILE,), _d("a", deleting=True)), [], id="once"),
        pytest.param(seen(DS, (), _d("gone")), [], id="of a node that is gone, others take the pods"),
        pytest.param(
            seen(DS, (), _d("gone", waits=True)), ["delete new-gone"], id="but not those that never got there"
        ),
        pytest.param(
            seen(DS, (A,), _d("a", age=9), _d("a", name="older", age=99)),
            ["delete new-a"],
            id="duplicates: oldest stays",
        ),
        pytest.param(
            seen(DS, (A,), _d("a", age=9), _d("a", name="older", age=99, waits=True)),
            ["delete older"],
            id="duplicates: one that is on the node stays",
        ),
        pytest.param(seen(DS, (A,), _d("a", phase="Failed", ready=None)), ["delete new-a"], id="failed"),
        pytest.param(seen(DS, (A,), _d("a", phase="Succeeded", ready=None)), ["delete new-a"], id="succeeded"),
        pytest.param(
            seen(DS, (A,), _d("a", phase="Failed", ready=None), retries={"a": Retry(timedelta(seconds=8), NOW)}),
            [],
            id="failed, in back-off",
        ),
        pytest.param(
            seen(DS, (HOSTILE, B), _d("a")), ["delete new-a", "create on b"], id="deleting comes before creating"
        ),
        pytest.param(
            seen(DS, (A, B), daemon(None, "a"), daemon(DS, "b", labels={"app": "x"})),
            ["release new-b", "adopt new-a", "create on b"],
            id="adopted and released",
        ),
        pytest.param(seen(daemonset(deleting=True), (A,)), [], id="nothing while it is being deleted"),
        pytest.param(seen(daemonset(selector={}), (A,)), [], id="nothing where it selects everything"),
        pytest.param(
            seen(daemonset(selector={"matchLabels": {}}), (A,)), [], id="nor where that is said in more words"
        ),
        pytest.param(
            seen(daemonset(pod_spec={"nodeSelector": {"x": "y"}}), (A, B)), [], id="a template that fits no node"
        ),
    ],
)
def test_each_node_gets_its_pod(observed: Observed, want: list[str]) -> None:
    """One pod on each node that is eligible, none elsewhere."""
    assert told(plan(observed)) == want


ON_ALL = tuple(_d(name, "old") for name in "abc")
SKIPPING = daemonset(annotations={SKIPS_NOT_READY: "true"})
DEAD_A = (node("a", ready=False), B, C)
LEFT = daemonset(unavailable=0, surge=1, pod_spec={"nodeSelector": {"x": "y"}})


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(DS, (A, B, C), *ON_ALL), ["delete old-a"], id="one at a time"),
        pytest.param(seen(daemonset(unavailable=2), (A, B, C), *ON_ALL), ["delete old-a", "delete old-b"], id="two"),
        pytest.param(
            seen(daemonset(unavailable="34%"), (A, B, C), *ON_ALL),
            ["delete old-a", "delete old-b"],
            id="34 % of 3 are 2",
        ),
        pytest.param(seen(DS, (A, B, C), _d("a", ready=None), *ON_ALL[1:]), [], id="a new pod is awaited"),
        pytest.param(seen(DS, (A, B, C), _d("a"), *ON_ALL[1:]), ["delete old-b"], id="then comes the next"),
        pytest.param(
            seen(SLOW, (A, B), daemon(SLOW, "a"), daemon(SLOW, "b", "old", ready=90)), [], id="minReadySeconds"
        ),
        pytest.param(
            seen(DS, (A, B, C), _d("a", ready=None), _d("b", "old", ready=None), ON_ALL[2]),
            ["delete old-b"],
            id="what is not available is lost anyway",
        ),
        pytest.param(seen(DS, (A, B, C), _d("a", deleting=True), *ON_ALL[1:]), [], id="one that is going counts"),
        pytest.param(
            seen(daemonset(updateStrategy={"type": "OnDelete"}), (A, B, C), *ON_ALL),
            [],
            id="OnDelete leaves it to others",
        ),
        pytest.param(
            seen(daemonset(updateStrategy={"type": "RollingUpdate"}), (A, B), *ON_ALL[:2]),
            ["delete old-a"],
            id="defaults",
        ),
        pytest.param(seen(DS, DEAD_A, _d("a", ready=None), *ON_ALL[1:]), [], id="a dead node eats the budget"),
        pytest.param(
            seen(SKIPPING, DEAD_A, _d("a", ready=None), *ON_ALL[1:]),
            ["delete old-b"],
            id="unless it is told to not count",
        ),
        pytest.param(
            seen(SKIPPING, DEAD_A, _d("a", "old", deleting=True), *ON_ALL[1:]),
            ["delete old-b"],
            id="nor does a pod that never goes from there",
        ),
        pytest.param(seen(SURGING, (A, B), *ON_ALL[:2]), ["create on a"], id="surge: a new one beside an old one"),
        pytest.param(seen(SURGING, (A, B), *ON_ALL[:2], _d("a", ready=None)), [], id="surge: it is awaited"),
        pytest.param(seen(SURGING, (A, B), *ON_ALL[:2], _d("a")), ["delete old-a"], id="surge: then the old one goes"),
        pytest.param(
            seen(SURGING, (A, B), _d("a", "old", ready=None), _d("a", ready=None), ON_ALL[1]),
            ["delete old-a"],
            id="surge: an old one that is not ready goes before",
        ),
        pytest.param(
            seen(SURGING, (A, B, C), ON_ALL[0], _d("a", ready=None), _d("b", "old", ready=None), ON_ALL[2]),
            ["create on b"],
            id="surge: beside one that is not available at once",
        ),
        pytest.param(
            seen(SURGING, (A,), _d("a", deleting=True)), ["create on a"], id="surge: one that is going is replaced"
        ),
        pytest.param(
            seen(SURGING, (A,), _d("a", age=9), _d("a", name="older", age=99)), ["delete new-a"], id="surge: duplicates"
        ),
        pytest.param(
            seen(SURGING, (TAINTED, B), ON_ALL[0], _d("b")), ["delete old-a"], id="surge: left behind, enough elsewhere"
        ),
        pytest.param(
            seen(SURGING, (TAINTED, B), ON_ALL[0], _d("b", ready=None)), [], id="surge: left behind, still needed"
        ),
        pytest.param(seen(SURGING, (), _d("gone", "old")), [], id="surge: a node that is gone stops nothing"),
    ],
)
def test_a_rollout(observed: Observed, want: list[str]) -> None:
    """Old pods give way within the bounds, and only once every node has what it should."""
    assert told(plan(observed)) == want


def _revisions(*made: tuple[str, int], owner: Obj = DS, **rest: Any) -> tuple[Obj, ...]:
    return tuple(revision(owner, name, number, **rest) for name, number in made)


LIMITED = daemonset(revisionHistoryLimit=1)


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(DS, (A,), revisions=()), ["record 1"], id="the first, before any pod"),
        pytest.param(seen(DS, (A,), revisions=_revisions(("old", 4))), ["record 5"], id="a new template"),
        pytest.param(
            seen(DS, (A,), _d("a"), revisions=_revisions(("new", 1), ("old", 2))),
            ["renumber new 3"],
            id="an old one back",
        ),
        pytest.param(
            seen(
                DS, (A, B), _d("a", "new1"), _d("b", "old"), revisions=_revisions(("new1", 1), ("new2", 2), ("old", 1))
            ),
            ["label new1-a new2", "forget new1"],
            id="two of one template become one, and their pods its",
        ),
        pytest.param(
            seen(DS, (A,), _d("a"), revisions=_revisions(("new", 1), labelled=False)), ["label new new"], id="no label"
        ),
        pytest.param(
            seen(LIMITED, (A,), _d("a"), revisions=_revisions(("r1", 1), ("r2", 2), ("r3", 3), ("new", 4))),
            ["forget r1", "forget r2"],
            id="history beyond its limit, oldest first",
        ),
        pytest.param(
            seen(LIMITED, (A,), _d("a", "r1", deleting=True), revisions=_revisions(("r1", 1), ("r2", 2), ("new", 4))),
            ["forget r2"],
            id="not what pods are of",
        ),
    ],
)
def test_revisions(observed: Observed, want: list[str]) -> None:
    """The template has one revision, with the highest number; old ones are kept up to the limit."""
    assert told(plan(observed)) == want


def test_a_pod_of_a_daemonset() -> None:
    """It has the template's labels, its revision's, the owner, the tolerations, and one node."""
    native = daemonset(group="apps", annotations={"deprecated.daemonset.template.generation": "7"})
    (step,) = plan(seen(native, (A,))).steps
    body = step.body  # type: ignore[union-attr]
    assert body["metadata"]["labels"] == {
        "app": "web",
        "controller-revision-hash": "new",
        "pod-template-generation": "7",
    }
    assert body["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"
    assert len(body["spec"]["tolerations"]) == 6
    assert pinned_to(body) == "a"


@pytest.mark.parametrize(
    ("group", "want"),
    [
        pytest.param("apps", [], id="of the built-in kind it means that the pod is new"),
        pytest.param("kopfwerk.dev", ["delete p"], id="of ours it means nothing"),
    ],
)
def test_the_number_of_the_template(group: str, want: list[str]) -> None:
    """Pods from before there were revisions are known by the template's number, which only built-in kinds keep."""
    owner = daemonset(group=group, annotations={"deprecated.daemonset.template.generation": "7"})
    old = daemon(owner, "a", name="p", labels={"app": "web", "pod-template-generation": "7"})
    assert told(plan(seen(owner, (A,), old))) == want


def test_a_sync_creates_no_more_than_a_burst() -> None:
    """Many nodes that join at once are served in rounds, each with slow start."""
    made = plan(seen(DS, tuple(node(f"n{i:03}") for i in range(300))))
    (batch,) = made.batches
    assert (len(batch.steps), batch.slow_start) == (BURST, True)


def test_failed_pods_wait_longer_each_time() -> None:
    """A second, two, four, up to a quarter of an hour; after half an hour of quiet it begins anew."""
    retry, delays = None, []
    for _ in range(12):
        retry = after(retry, NOW)
        delays.append(int(retry.delay.total_seconds()))
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert after(retry, NOW + timedelta(minutes=31)).delay == timedelta(seconds=1)


def test_a_failed_pod_is_told_of_and_remembered() -> None:
    """The event names pod and node; of two on one node, one goes."""
    failed = (_d("a", name="p", phase="Failed", ready=None), _d("a", name="q", phase="Failed", ready=None))
    observed = seen(DS, (A,), *failed)
    made = plan(observed)
    assert told(made) == ["delete p"]
    assert [(e.type, e.reason, e.message) for e in made.events] == [
        ("Warning", "FailedDaemonPod", "Found failed daemon pod ns/p on node a, will try to kill it")
    ]
    assert made.remember == {"a"}


FAILED: dict[str, Any] = {"phase": "Failed", "ready": None}
WAITING = {"a": Retry(timedelta(seconds=8), NOW)}


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(DS, (HOSTILE,), _d("a", **FAILED)), ["delete new-a"], id="it does not belong there"),
        pytest.param(
            seen(DS, (A,), _d("a", "old", **FAILED), retries=WAITING), ["delete old-a"], id="a rollout replaces it"
        ),
    ],
)
def test_only_failing_lengthens_the_back_off(observed: Observed, want: list[str]) -> None:
    """A failed pod that goes for another reason than having failed does not make the next one wait longer."""
    made = plan(observed)
    assert (told(made), made.remember) == (want, frozenset())


def test_a_failed_pod_beyond_the_burst_waits_like_the_others() -> None:
    """What one sync cannot delete any more is told of and remembered with the rest, as upstream does."""
    on = tuple(node(f"n{i:03}") for i in range(BURST + 1))
    made = plan(seen(DS, on, *(_d(f"n{i:03}", **FAILED) for i in range(BURST + 1))))
    assert (len(told(made)), len(made.remember), len(made.events)) == (BURST, BURST + 1, BURST + 1)


def test_a_back_off_is_looked_at_when_it_ends() -> None:
    """The plan says when."""
    retries = {"a": Retry(timedelta(seconds=8), NOW - timedelta(seconds=3))}
    made = plan(seen(DS, (A,), _d("a", phase="Failed", ready=None), retries=retries))
    assert (told(made), made.requeue_after) == ([], timedelta(seconds=5))


def test_a_pod_that_becomes_available_is_looked_at_then() -> None:
    """A pod that has to be ready for 60 and is for 30: in 30 seconds."""
    assert plan(seen(SLOW, (A,), daemon(SLOW, "a"))).requeue_after == timedelta(seconds=30)
