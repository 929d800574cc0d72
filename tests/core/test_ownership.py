"""Which children a parent keeps, adopts and lets go, and the writes for it."""

import pytest

from operators.core import ownership, selectors
from operators.core.objects import PODS, Obj, Owner, replicasets
from operators.core.ownership import Claim
from operators.core.plan import Patch
from operators.core.pods import Pod
from tests.support.builders import deployment, owner_reference, pod, replicaset

PARENT = replicaset("parent")
OTHER = replicaset("other")
STRAY = {"app": "stray"}
FOREIGN = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "uid-n"}


def claim(child: Pod, parent: Obj = PARENT) -> Claim[Pod]:
    """Return what a parent makes of one pod."""
    return ownership.claim(parent, selectors.of(parent), (child,))


@pytest.mark.parametrize(
    ("child", "want"),
    [
        pytest.param(pod(owner=PARENT), "keeps", id="its own"),
        pytest.param(pod(owner=PARENT, deleting=True), "keeps", id="its own on its way out"),
        pytest.param(pod(owner=PARENT, labels=STRAY), "releases", id="its own that left the selector"),
        pytest.param(pod(), "adopts", id="an orphan"),
        pytest.param(pod(deleting=True), "leaves", id="an orphan on its way out"),
        pytest.param(pod(labels=STRAY), "leaves", id="an orphan of others"),
        pytest.param(pod(owner=OTHER), "leaves", id="another's"),
        pytest.param(pod(owner=OTHER, labels=STRAY), "leaves", id="another's that left the selector"),
    ],
)
def test_claiming(child: Pod, want: str) -> None:
    """Only orphans are adopted, only own children released, and another's never touched."""
    got = claim(child)
    kept = (child,) if want in ("keeps", "adopts") else ()
    assert got == Claim(kept, (child,) if want == "adopts" else (), (child,) if want == "releases" else ())


@pytest.mark.parametrize(
    ("child", "want_owned"),
    [
        pytest.param(pod(owner=PARENT), True, id="keeps its own"),
        pytest.param(pod(), False, id="adopts nothing"),
        pytest.param(pod(owner=PARENT, labels=STRAY), False, id="releases nothing"),
    ],
)
def test_a_parent_that_is_being_deleted(child: Pod, want_owned: bool) -> None:  # noqa: FBT001
    """It changes nobody's ownership any more."""
    got = claim(child, replicaset("parent", deleting=True))
    want: Claim[Pod] = Claim((child,) if want_owned else (), (), ())
    assert got == want


def test_a_parent_of_the_same_name_is_another() -> None:
    """It is the UID that says whose a child is."""
    namesake = replicaset("parent")
    namesake["metadata"]["uid"] = "uid-earlier"
    assert not claim(pod(owner=namesake)).owned


def patches(parent: Obj, *children: Obj) -> list[tuple[Patch, bool]]:
    """Return the writes, each with whether the parent is looked up first."""
    made = ownership.claim(parent, selectors.of(parent), children)
    resource = replicasets("kopfwerk.dev")
    return [
        (step, batch.live_owner)
        for batch in ownership.batches(made, resource, parent)
        for step in batch.steps
        if isinstance(step, Patch)
    ]


def test_adopting() -> None:
    """The reference is added to those that are there, of this version of this very object, while the parent lives."""
    parent = deployment()
    child = replicaset("child")
    child["metadata"]["ownerReferences"] = [FOREIGN]
    ((patch, live),) = patches(parent, child)
    assert live
    assert patch.body == {"metadata": {"ownerReferences": [FOREIGN, owner_reference(parent)]}}
    assert (patch.target.name, patch.target.uid, patch.resource_version) == ("child", "uid-child", "1")
    assert not patch.ignore


def test_adopting_one_that_named_the_parent_already() -> None:
    """A plain reference becomes the controlling one: an object may not name one owner twice."""
    parent = deployment()
    child = replicaset("child")
    child["metadata"]["ownerReferences"] = [owner_reference(parent) | {"controller": False}]
    ((patch, _),) = patches(parent, child)
    assert patch.body["metadata"]["ownerReferences"] == [owner_reference(parent)]


@pytest.mark.parametrize(
    ("others", "want"),
    [
        pytest.param([], None, id="the only owner"),
        pytest.param([FOREIGN], [FOREIGN], id="one of two"),
    ],
)
def test_releasing(others: list[Obj], want: list[Obj] | None) -> None:
    """Only the parent's own reference goes; a child that is gone or another by now needs no releasing."""
    parent = deployment()
    child = replicaset("child", labels=STRAY)
    child["metadata"]["ownerReferences"] = [owner_reference(parent), *others]
    ((patch, live),) = patches(parent, child)
    assert not live
    assert patch.body == {"metadata": {"ownerReferences": want}}
    assert patch.ignore == {404, 422}


def test_releasing_goes_before_adopting() -> None:
    """Letting go has to wait for nobody."""
    parent = deployment()
    stray = replicaset("stray", owner=parent, labels=STRAY)
    assert [patch.target.name for patch, _ in patches(parent, replicaset("orphan"), stray)] == ["stray", "orphan"]


def test_pods_and_objects_are_claimed_alike() -> None:
    """A pod's reference is written as an object's is."""
    child = pod("child")
    (batch,) = ownership.batches(claim(child), PODS, PARENT)
    (step,) = batch.steps
    assert isinstance(step, Patch)
    assert step.target.resource == PODS
    assert step.body == {"metadata": {"ownerReferences": [owner_reference(PARENT)]}}
    assert pod(owner=PARENT).owner == Owner("kopfwerk.dev/v1", "ReplicaSet", "parent", "uid-parent")
