"""What a Deployment writes beside sizes: ReplicaSets, revisions, annotations, rollbacks, history."""

from typing import Any

import pytest

from operators.core.deployment import Observed, plan
from operators.core.deployment.replicasets import DESIRED, HISTORY, MAXIMUM, REVISION, ROLLBACK_TO
from operators.core.objects import Obj, deployments, replicasets
from operators.core.plan import Create, Delete, Patch, Plan, Say
from operators.core.semantic import HASH_LABEL
from tests.support.builders import NOW, deployment, member, owner_reference, replicaset


def planned(parent: Obj, *members: Obj) -> Plan:
    """Return the plan for a Deployment and ReplicaSets."""
    return plan(Observed(parent, members, {}, NOW))


def patches(made: Plan, name: str) -> list[Patch]:
    """Return the patches of one object."""
    return [step for step in made.steps if isinstance(step, Patch) and step.target.name == name]


def annotations(made: Plan, name: str) -> dict[str, Any]:
    """Return the annotations that one object is given."""
    (patch,) = patches(made, name)
    found: dict[str, Any] = patch.body["metadata"]["annotations"]
    return found


@pytest.mark.parametrize("group", ["kopfwerk.dev", "apps"])
def test_the_new_replicaset(group: str) -> None:
    """It has the template with the hash in labels and selector, an owner, annotations, and the same API group."""
    parent = deployment(replicas=2, group=group, annotations={"team": "a", ROLLBACK_TO: "x"}, minReadySeconds=5)
    (step,) = planned(parent).steps
    assert isinstance(step, Create)
    assert step.resource == replicasets(group)
    body = step.body
    digest = body["metadata"]["labels"][HASH_LABEL]
    assert body["apiVersion"] == f"{group}/v1"
    assert body["metadata"]["name"] == f"web-{digest}"
    assert body["metadata"]["ownerReferences"] == [owner_reference(parent)]
    assert body["metadata"]["annotations"] == {"team": "a", REVISION: "1", DESIRED: "2", MAXIMUM: "3"}
    assert body["spec"]["selector"] == {"matchLabels": {"app": "web", HASH_LABEL: digest}}
    assert body["spec"]["template"]["metadata"]["labels"] == {"app": "web", HASH_LABEL: digest}
    assert body["spec"]["template"]["spec"] == parent["spec"]["template"]["spec"]
    assert body["spec"]["minReadySeconds"] == 5
    assert step.said == Say("Normal", "ScalingReplicaSet", f"Scaled up replica set web-{digest} from 0 to 2")


def test_a_collision_changes_the_name() -> None:
    """A collision that was counted gives the next try another hash."""
    names = {
        next(
            step.body["metadata"]["name"]
            for step in planned(deployment(status=status)).steps
            if isinstance(step, Create)
        )
        for status in ({}, {"collisionCount": 1}, {"collisionCount": 2})
    }
    assert len(names) == 3


def test_a_long_name_is_cut_to_fit() -> None:
    """Name and hash together are at most 253 characters."""
    (step,) = planned(deployment("d" * 253)).steps
    assert isinstance(step, Create)
    assert len(step.body["metadata"]["name"]) == 253


@pytest.mark.parametrize(
    ("group", "want_subresource"),
    [pytest.param("kopfwerk.dev", "", id="custom"), pytest.param("apps", "status", id="built-in")],
)
def test_the_deployment_takes_the_revision_of_its_new_replicaset(group: str, want_subresource: str) -> None:
    """The annotation is written to the Deployment once the ReplicaSet is there."""
    parent = deployment(replicas=3, group=group)
    made = planned(parent, member(parent, "new", replicas=3, image="app:2", revision=4))
    (patch,) = patches(made, "web")
    assert patch.target.resource == deployments(group)
    assert patch.body == {"metadata": {"annotations": {REVISION: "4"}}}
    assert patch.subresource == want_subresource


def test_going_back_makes_the_old_replicaset_the_latest() -> None:
    """A ReplicaSet that is new again gets the next revision and remembers its earlier one."""
    parent = deployment(replicas=3, annotations={REVISION: "2"})
    again = member(parent, "again", replicas=0, image="app:2", revision=1, age=100)
    other = member(parent, "other", replicas=3, image="app:1", revision=2, age=50)
    made = annotations(planned(parent, again, other), "again")
    assert made[REVISION] == "3"
    assert made[HISTORY] == "1"
    later = member(parent, "again", replicas=0, image="app:2", revision=4, age=100, annotations={HISTORY: "1,2"})
    newer = member(parent, "other", replicas=3, image="app:1", revision=5, age=50)
    assert annotations(planned(parent, later, newer), "again")[HISTORY] == "1,2,4"


def test_a_history_that_grows_too_long_forgets_the_oldest() -> None:
    """The annotation keeps to 2,000 characters."""
    parent = deployment(replicas=3)
    earlier = ",".join(str(number) for number in range(1000, 1400))
    again = member(parent, "again", replicas=0, image="app:2", revision=1400, age=100, annotations={HISTORY: earlier})
    other = member(parent, "other", replicas=3, image="app:1", revision=1401, age=50)
    history = annotations(planned(parent, again, other), "again")[HISTORY]
    assert len(history) <= 2000
    assert history.startswith("1001,")
    assert history.endswith(",1399,1400")


def test_annotations_and_min_ready_seconds_follow_the_deployment() -> None:
    """The new ReplicaSet gets what the Deployment has, but for what is the Deployment's own business."""
    parent = deployment(
        replicas=3,
        annotations={"team": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}", REVISION: "1"},
        minReadySeconds=7,
    )
    (patch,) = patches(planned(parent, member(parent, "new", replicas=3, image="app:2")), "new")
    assert patch.body == {"metadata": {"annotations": {"team": "b"}}, "spec": {"minReadySeconds": 7}}
    assert patch.resource_version == "1"


def test_what_is_done_needs_no_write() -> None:
    """A Deployment that is complete plans nothing."""
    parent = deployment(replicas=3, annotations={REVISION: "1"})
    new = member(parent, "new", replicas=3, image="app:2", sized_for=(3, 4))
    assert list(planned(parent, new).steps) == []


def test_orphans_that_match_are_adopted_and_others_let_go() -> None:
    """An orphan that the selector takes is adopted after a live look, a child whose labels left is released."""
    parent = deployment(replicas=0)
    orphan = replicaset("orphan", replicas=0)
    leaver = member(parent, "leaver", replicas=0, labels={"app": "other"})
    stranger = replicaset("stranger", labels={"app": "other"})
    foreign = replicaset("foreign", owner=deployment("else"))
    release, adopt, *_ = planned(parent, orphan, leaver, stranger, foreign).batches
    assert [step.target.name for step in release.steps if isinstance(step, Patch)] == ["leaver"]
    assert [step.target.name for step in adopt.steps if isinstance(step, Patch)] == ["orphan"]
    assert adopt.live_owner
    (patch,) = adopt.steps
    assert isinstance(patch, Patch)
    assert patch.body == {"metadata": {"ownerReferences": [owner_reference(parent)]}}


def test_a_deployment_that_goes_touches_nothing() -> None:
    """What is being deleted neither scales nor makes nor adopts."""
    parent = deployment(deleting=True)
    made = planned(parent, member(parent, "old", replicas=3, image="app:1"), replicaset("orphan"))
    assert list(made.steps) == []


def test_an_empty_selector_is_only_warned_about() -> None:
    """Upstream's event, and nothing else."""
    made = planned(deployment(selector={}))
    assert [say.reason for say in made.events] == ["SelectingAll"]
    assert made.batches == ()


COMPLETE = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "observedGeneration": 1}


class TestHistory:
    """Old ReplicaSets beyond revisionHistoryLimit go once the rollout is complete."""

    def deleted(self, olds: list[dict[str, Any]], *, limit: int | None = 1, **spec: Any) -> list[str]:
        """Return the names of the ReplicaSets that go."""
        status = spec.pop("status", COMPLETE)
        parent = deployment(replicas=3, status=status, annotations={REVISION: "9"}, revisionHistoryLimit=limit, **spec)
        members = [
            member(
                parent, f"old-{number}", revision=number, image=f"app:{number}x", **{"replicas": 0, "age": 100} | old
            )
            for number, old in enumerate(olds, 1)
        ]
        new = member(parent, "new", replicas=3, image="app:2", revision=9, sized_for=(3, 4))
        steps = planned(parent, new, *reversed(members)).steps
        return [step.target.name for step in steps if isinstance(step, Delete)]

    def test_the_lowest_revisions_go(self) -> None:
        """Those that are kept are the latest."""
        assert self.deleted([{}, {}, {}]) == ["old-1", "old-2"]

    @pytest.mark.parametrize(
        ("old", "want"),
        [
            pytest.param({"status": {"replicas": 1}}, [], id="it still has a pod"),
            pytest.param({"status": {"observedGeneration": 0}}, [], id="its controller has not seen its latest change"),
            pytest.param({"deleting": True}, [], id="it goes already and does not count"),
            pytest.param({}, ["old-1"], id="empty"),
        ],
    )
    def test_only_what_is_empty_goes(self, old: dict[str, Any], want: list[str]) -> None:
        """A ReplicaSet with pods, or of which that is not known, is kept beyond the limit."""
        assert self.deleted([old, {}]) == want

    @pytest.mark.parametrize(
        "limit", [pytest.param(None, id="no limit"), pytest.param(2**31 - 1, id="the old way to say no limit")]
    )
    def test_no_limit_keeps_all(self, limit: int | None) -> None:
        """Nothing is deleted without a limit."""
        assert self.deleted([{}, {}, {}], limit=limit) == []

    def test_an_incomplete_rollout_keeps_all(self) -> None:
        """What might be gone back to is kept until the rollout is over."""
        assert self.deleted([{}, {}, {}], status=COMPLETE | {"availableReplicas": 2}) == []

    def test_a_paused_deployment_cleans_up(self) -> None:
        """Pausing does not stop the clean-up, complete or not."""
        assert self.deleted([{}, {}], paused=True, status={}) == ["old-1"]


class TestRollback:
    """The annotation of old API versions asks for a rollback."""

    def rolled_back(self, to: str, *, image: str = "app:3") -> Patch:
        """Return the write to the Deployment."""
        parent = deployment(image=image, annotations={ROLLBACK_TO: to, "team": "new", REVISION: "3"})
        parent["spec"]["template"]["metadata"]["annotations"] = {"added": "later"}
        one = member(parent, "one", replicas=0, image="app:1", revision=1, annotations={"team": "old"}, age=300)
        two = member(parent, "two", replicas=0, image="app:2", revision=2, age=200)
        new = member(parent, "new", replicas=10, revision=3, age=100, template=parent["spec"]["template"])
        (patch,) = (
            p
            for p in patches(planned(parent, one, two, new), "web")
            if ROLLBACK_TO in p.body["metadata"]["annotations"]
        )
        return patch

    def test_to_a_revision(self) -> None:
        """The template comes back whole, what was added goes, annotations are the revision's, the request is gone."""
        patch = self.rolled_back("1")
        template = patch.body["spec"]["template"]
        assert template["spec"]["containers"] == [{"name": "app", "image": "app:1"}]
        assert template["metadata"] == {"annotations": None}
        assert patch.body["metadata"]["annotations"] == {"team": "old", ROLLBACK_TO: None}
        assert patch.said == Say("Normal", "DeploymentRollback", 'Rolled back deployment "web" to revision 1')

    def test_to_the_last_one(self) -> None:
        """0 means the revision before the latest."""
        patch = self.rolled_back("0")
        assert patch.body["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2"

    @pytest.mark.parametrize(
        ("to", "want"),
        [
            pytest.param("7", "DeploymentRollbackRevisionNotFound", id="no such revision"),
            pytest.param("3", "DeploymentRollbackTemplateUnchanged", id="the one that is there"),
        ],
    )
    def test_where_there_is_nothing_to_do(self, to: str, want: str) -> None:
        """The request goes, with a warning, and the template stays."""
        patch = self.rolled_back(to)
        assert "spec" not in patch.body
        assert patch.said is not None
        assert (patch.said.type, patch.said.reason) == ("Warning", want)
