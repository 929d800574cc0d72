"""RollingUpdate, scaling and Recreate: which ReplicaSet gets which size."""

from typing import Any

import pytest

from operators.core.deployment import Observed, plan
from operators.core.deployment.replicasets import DESIRED, MAXIMUM
from operators.core.objects import Obj
from operators.core.plan import Create, Patch
from operators.core.pods import Pod
from tests.support.builders import NOW, deployment, member, pod

Sizes = dict[str, int]


def sizes(parent: Obj, *members: Obj, pods: dict[str, tuple[Pod, ...]] | None = None) -> Sizes:
    """Return the sizes that a plan asks for, by the ReplicaSet's name, "new" for one that it makes."""
    made: Sizes = {}
    for step in plan(Observed(parent, members, pods or {}, NOW)).steps:
        match step:
            case Create(body=body):
                made["new"] = body["spec"]["replicas"]
            case Patch(target=target, body=body) if "replicas" in body.get("spec", {}):
                made[target.name] = body["spec"]["replicas"]
            case _:
                pass
    return made


def rollout(parent: Obj, old: Any, new: Any) -> tuple[Obj, Obj]:
    """Return an old and a new ReplicaSet, each of (replicas, available)."""
    return (
        member(parent, "old", replicas=old[0], available=old[1], image="app:1", age=100),
        member(parent, "new", replicas=new[0], available=new[1], image="app:2", age=10, revision=2),
    )


@pytest.mark.parametrize(
    ("spec", "old", "new", "want"),
    [
        pytest.param({}, (10, 10), (0, 0), {"new": 3}, id="the surge first"),
        pytest.param({}, (10, 10), (3, 0), {"old": 8}, id="then as many as may be unavailable"),
        pytest.param({}, (8, 8), (3, 0), {"new": 5}, id="room from what went"),
        pytest.param({}, (8, 8), (5, 0), {}, id="nothing before new ones are available"),
        pytest.param({}, (8, 8), (5, 2), {"old": 6}, id="as many as became available"),
        pytest.param({}, (3, 3), (10, 10), {"old": 0}, id="the last ones"),
        pytest.param({"unavailable": 0, "surge": 1}, (10, 10), (0, 0), {"new": 1}, id="one by one up"),
        pytest.param({"unavailable": 0, "surge": 1}, (10, 10), (1, 0), {}, id="one by one waits"),
        pytest.param({"unavailable": 0, "surge": 1}, (10, 10), (1, 1), {"old": 9}, id="one by one down"),
        pytest.param({"unavailable": 1, "surge": 0}, (10, 10), (0, 0), {"old": 9}, id="without surge down first"),
        pytest.param(
            {"unavailable": 0, "surge": 0}, (10, 10), (0, 0), {"old": 9}, id="neither counts as one unavailable"
        ),
        pytest.param({}, (10, 4), (3, 0), {"old": 8}, id="unavailable old ones go first"),
        pytest.param({}, (10, 0), (3, 0), {"old": 8}, id="only as many as are spare though all are unavailable"),
        pytest.param({"unavailable": "100%"}, (10, 10), (3, 0), {"old": 0}, id="all may be unavailable"),
        pytest.param({"surge": "100%"}, (10, 10), (0, 0), {"new": 10}, id="all at once beside"),
        pytest.param({"replicas": 0}, (0, 0), (0, 0), {}, id="nothing asked for"),
        pytest.param({"replicas": 1}, (1, 1), (0, 0), {"new": 1}, id="one with defaults surges"),
        pytest.param({"replicas": 1}, (1, 1), (1, 0), {}, id="one with defaults waits"),
    ],
)
def test_a_step_of_a_rollout(spec: dict[str, Any], old: Any, new: Any, want: Sizes) -> None:
    """Each sync goes up or down as far as surge and unavailability allow, never both."""
    parent = deployment(**spec)
    assert sizes(parent, *rollout(parent, old, new)) == want


def test_unhealthy_replicas_of_the_oldest_go_first() -> None:
    """What is not available goes before what is, the oldest ReplicaSet's first."""
    parent = deployment()
    oldest = member(parent, "oldest", replicas=4, available=3, image="app:0", age=200)
    older = member(parent, "older", replicas=6, available=2, image="app:1", age=100)
    new = member(parent, "new", replicas=3, available=3, image="app:2", age=10)
    assert sizes(parent, older, new, oldest) == {"oldest": 3, "older": 2}


@pytest.mark.parametrize(
    ("members", "want"),
    [
        pytest.param([("old", 8, 10)], {}, id="the only old one"),
        pytest.param([("older", 4, 3), ("old", 4, 6)], {"older": 3}, id="what is not available goes all the same"),
    ],
)
def test_a_status_that_lags_behind_counts_for_nothing(members: list[tuple[str, int, int]], want: Sizes) -> None:
    """Available pods that a ReplicaSet is about to delete do not let others go."""
    parent = deployment()
    old = [
        member(parent, name, replicas=size, available=running, image=f"app:{name}", age=200 - at)
        for at, (name, size, running) in enumerate(members)
    ]
    new = member(parent, "new", replicas=5, available=5, image="app:2", age=10, revision=2)
    assert sizes(parent, *old, new) == want


def test_the_new_replicaset_is_made_as_large_as_it_may_be() -> None:
    """Without old pods all are there at once; beside old ones only the surge."""
    parent = deployment()
    assert sizes(parent) == {"new": 10}
    assert sizes(parent, member(parent, "old", replicas=10, image="app:1")) == {"new": 3}


def test_the_oldest_of_equals_is_the_new_one() -> None:
    """Of two ReplicaSets with the template the older is kept, however often it is asked."""
    parent = deployment()
    first = member(parent, "first", replicas=10, age=50, image="app:2")
    second = member(parent, "second", replicas=3, age=10, image="app:2")
    assert sizes(parent, second, first) == sizes(parent, first, second) == {"second": 0}


@pytest.mark.parametrize(
    ("replicas", "old", "new", "want"),
    [
        pytest.param(20, 8, 5, {"old": 15, "new": 10}, id="doubled"),
        pytest.param(5, 8, 5, {"old": 4, "new": 3}, id="halved"),
        pytest.param(0, 8, 5, {"old": 0, "new": 0}, id="to nothing"),
        pytest.param(11, 8, 5, {"old": 9, "new": 5}, id="one more goes to the largest"),
    ],
)
def test_scaling_in_the_middle_of_a_rollout_is_proportional(replicas: int, old: int, new: int, want: Sizes) -> None:
    """The difference is spread by size, measured by the most replicas that there might have been before."""
    parent = deployment(replicas=replicas)
    members = (
        member(parent, "old", replicas=old, image="app:1", age=100, sized_for=(10, 13)),
        member(parent, "new", replicas=new, available=0, image="app:2", age=10, sized_for=(10, 13), revision=2),
    )
    got = sizes(parent, *members)
    assert got == {name: size for name, size in want.items() if size != {"old": old, "new": new}[name]}


def test_scaling_renews_the_annotations_of_every_active_replicaset() -> None:
    """What a later scaling is measured by is renewed even where the size stays."""
    parent = deployment(replicas=10)
    only = member(parent, "new", replicas=10, image="app:2", sized_for=(9, 12), revision=2)
    old = member(parent, "old", replicas=3, image="app:1", sized_for=(9, 12), age=100)
    steps = plan(Observed(parent, (only, old), {}, NOW)).steps
    annotations = {step.target.name: step.body["metadata"]["annotations"] for step in steps if isinstance(step, Patch)}
    assert annotations["new"] == annotations["old"] == {DESIRED: "10", MAXIMUM: "13"}


@pytest.mark.parametrize(
    ("members", "want"),
    [
        pytest.param([("new", 3)], {"new": 10}, id="the only active one"),
        pytest.param([("old", 3), ("new", 0)], {"old": 10}, id="the old one while the new has none"),
        pytest.param([("old", 0), ("new", 0)], {"new": 10}, id="the new one where none is active"),
        pytest.param([("old", 0)], {"old": 10}, id="the latest where there is no new one"),
    ],
)
def test_a_paused_deployment_scales_what_it_has(members: list[tuple[str, int]], want: Sizes) -> None:
    """Pausing stops the rollout, not the scaling."""
    parent = deployment(paused=True)
    made = [
        member(parent, n, replicas=r, image="app:2" if n == "new" else "app:1", sized_for=(3, 4)) for n, r in members
    ]
    assert sizes(parent, *made) == want


def test_a_paused_deployment_makes_no_replicaset() -> None:
    """A template that changes while it is paused waits."""
    parent = deployment(paused=True)
    assert sizes(parent, member(parent, "old", replicas=10, image="app:1")) == {}


class TestRecreate:
    """No new pod before the last old one has ended."""

    parent = deployment(recreate=True, replicas=3)

    def test_the_old_goes_first(self) -> None:
        """Old ReplicaSets go to zero before a new one is made."""
        assert sizes(self.parent, member(self.parent, "old", replicas=3, image="app:1")) == {"old": 0}

    def test_replicas_that_the_status_still_shows_are_waited_for(self) -> None:
        """Scaled to zero is not yet gone."""
        old = member(self.parent, "old", replicas=0, image="app:1", status={"replicas": 1})
        assert sizes(self.parent, old) == {}

    @pytest.mark.parametrize(
        ("waiting", "want"),
        [
            pytest.param({"deleting": True}, {}, id="a terminating pod is waited for"),
            pytest.param({"phase": "Unknown"}, {}, id="an unknown pod is waited for"),
            pytest.param({"phase": "Failed"}, {"new": 3}, id="a failed pod is not"),
            pytest.param({"phase": "Succeeded", "deleting": True}, {"new": 3}, id="a succeeded pod is not"),
        ],
    )
    def test_old_pods(self, waiting: dict[str, Any], want: Sizes) -> None:
        """Whatever may still run holds up the new ReplicaSet, whoever counts it."""
        old = member(self.parent, "old", replicas=0, image="app:1")
        assert sizes(self.parent, old, pods={"uid-old": (pod(owner=old, **waiting),)}) == want

    def test_the_new_one_is_scaled_in_one_step(self) -> None:
        """There is no surge and no unavailability to keep to."""
        new = member(self.parent, "new", replicas=0, image="app:2")
        assert sizes(self.parent, new) == {"new": 3}
