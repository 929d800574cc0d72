"""Revisions, and what a rollback patches."""

from collections.abc import Mapping

import pytest

from operators.core.kubectl import history
from operators.core.kubectl.kinds import Refused
from operators.core.objects import Obj

REVISION = history.REVISION


def template(image: str, **labels: str) -> Obj:
    """Build a pod template with one container."""
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": {"containers": [{"name": "c", "image": image}]}}


def deployment(image: str, *, paused: bool = False, annotations: Mapping[str, str] | None = None) -> Obj:
    """Build a Deployment that runs `image`."""
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "uid": "d", "annotations": dict(annotations or {})},
        "spec": {"paused": paused, "template": template(image)},
    }


def replicaset(name: str, revision: str, image: str = "old", owner: str = "d", **annotations: str) -> Obj:
    """Build a ReplicaSet of a revision; the digit in its name tells its age."""
    reference = {"apiVersion": "kopfwerk.dev/v1", "kind": "Deployment", "name": "web", "uid": owner, "controller": True}
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "creationTimestamp": f"2026-01-0{name[-1]}T00:00:00Z",
            "annotations": {REVISION: revision, **annotations},
            "ownerReferences": [reference],
        },
        "spec": {"template": template(image, **{"pod-template-hash": name})},
    }


def test_controlled_by_owner_alone() -> None:
    """ReplicaSets that somebody else controls are not part of the history, and the oldest comes first."""
    found = [replicaset("b2", "2"), replicaset("c3", "3", owner="other"), replicaset("a1", "1")]
    assert [one["metadata"]["name"] for one in history.controlled_by(deployment("x"), found)] == ["a1", "b2"]


def test_revisions_sorted_as_numbers() -> None:
    """Revision 10 comes after 9, and one that is no number is left out."""
    found = [replicaset("a1", "10"), replicaset("b2", "9"), replicaset("c3", "x")]
    assert list(history.revisions(found)) == [9, 10]


@pytest.mark.parametrize(
    ("to_revision", "want"),
    [
        pytest.param(0, "b2", id="the last but one where none is named"),
        pytest.param(1, "a1", id="the one that is named"),
        pytest.param(3, "c3", id="the current one too"),
    ],
)
def test_rollback_target(to_revision: int, want: str) -> None:
    """The ReplicaSet to return to is found by its revision."""
    found = [replicaset("c3", "3"), replicaset("a1", "1"), replicaset("b2", "2")]
    assert history.rollback_target(deployment("x"), found, to_revision)["metadata"]["name"] == want


@pytest.mark.parametrize(
    ("found", "to_revision", "want"),
    [
        pytest.param([], 0, 'no rollout history found for deployment "web"', id="no history"),
        pytest.param([replicaset("a1", "1")], 0, 'no rollout history found for deployment "web"', id="one revision"),
        pytest.param([replicaset("a1", "1")], 2, "unable to find specified revision 2 in history", id="unknown"),
        pytest.param([replicaset("a1", "1")], -1, "unable to find specified revision -1 in history", id="negative"),
    ],
)
def test_rollback_target_missing(found: list[Obj], to_revision: int, want: str) -> None:
    """A revision that is not there is refused."""
    with pytest.raises(Refused, match="^" + want + "$"):
        history.rollback_target(deployment("x"), found, to_revision)


def test_rollback_patch() -> None:
    """Template and annotations come from the old ReplicaSet, but for the hash label and the annotations kept."""
    before = deployment("new", annotations={REVISION: "3", history.LAST_APPLIED: "{}", "note": "new"})
    target = replicaset("a1", "1", **{"kubernetes.io/change-cause": "first", history.LAST_APPLIED: "old"})
    want = [
        {"op": "replace", "path": "/spec/template", "value": template("old")},
        {
            "op": "add",
            "path": "/metadata/annotations",
            "value": {REVISION: "3", history.LAST_APPLIED: "{}", "kubernetes.io/change-cause": "first"},
        },
    ]
    assert history.rollback_patch(before, target) == want


def test_rollback_to_the_same_template_is_nothing() -> None:
    """Where the template is the same but for the hash, there is nothing to patch."""
    assert history.rollback_patch(deployment("old"), replicaset("a1", "1")) is None


def test_rollback_of_paused_refused() -> None:
    """A paused Deployment is not rolled back."""
    with pytest.raises(Refused, match="you cannot rollback a paused deployment"):
        history.rollback_patch(deployment("new", paused=True), replicaset("a1", "1"))


def test_kind_without_revisions_refused() -> None:
    """A ReplicaSet has no revisions."""
    with pytest.raises(Refused, match=r'no history viewer has been implemented for "ReplicaSet\.kopfwerk\.dev"'):
        history.check_history(replicaset("a1", "1"))
    with pytest.raises(Refused, match=r'no rollbacker has been implemented for "ReplicaSet\.kopfwerk\.dev"'):
        history.check_rollback(replicaset("a1", "1"))
