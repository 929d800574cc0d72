"""Claims: made before their pod, found again by name, and owned as the retention policy says."""

from typing import Any

import pytest

from operators.core import objects
from operators.core.objects import Obj
from operators.core.plan import Create, Say
from operators.core.pods import Pod
from operators.core.statefulset import claim_names, plan
from tests.support.builders import claim, owner_reference, statefulset
from tests.support.sets import replica, seen, told, web

SET = statefulset()
KEEP, DELETE = "Retain", "Delete"


def policy(deleted: str, scaled: str) -> Obj:
    """Return the field of a spec that says what becomes of claims."""
    return {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": scaled}}


def stored(ordinal: int, **rest: Any) -> Pod:
    """Return a pod that uses its claim."""
    return replica(SET, ordinal, volumes={"data": f"data-web-{ordinal}"}, **rest)


def of_set(uid: str = "uid-web", *, controller: bool = True) -> Obj:
    """Return the reference by which the StatefulSet, or one that had its name, owns a claim."""
    return owner_reference(SET) | {"uid": uid, "controller": controller}


def of_pod(ordinal: int, uid: str = "") -> Obj:
    """Return the reference by which a pod, or one that had its name, owns a claim."""
    name = f"web-{ordinal}"
    return owner_reference({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "uid": uid or f"uid-{name}"}})


OTHER = owner_reference({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "uid": "uid-other"}})


@pytest.mark.parametrize(
    ("parent", "pods", "claims", "want"),
    [
        pytest.param(
            web("new", claims=("data", "log")),
            (),
            (),
            ["claim data-web-0", "claim log-web-0", "+", "create web-0 new"],
            id="before the pod",
        ),
        pytest.param(
            web("new", claims=("data", "log")),
            (),
            (claim("log-web-0"),),
            ["claim data-web-0", "+", "create web-0 new"],
            id="only those that are missing",
        ),
        pytest.param(web("new", claims=("data",)), (), (claim("data-web-0"),), ["create web-0 new"], id="found again"),
        pytest.param(
            web("new", claims=("data",)), (), (claim("data-web-0", deleting=True),), [], id="not over one that goes"
        ),
        pytest.param(
            web("new", claims=("data",)),
            (stored(0, phase="Pending"),),
            (),
            ["claim data-web-0"],
            id="for a pending pod",
        ),
        pytest.param(
            web("new", claims=("data",), replicas=1), (stored(0),), (), [], id="not for one that runs without"
        ),
        pytest.param(
            web("new", claims=("data",), podManagementPolicy="Parallel"),
            (),
            (claim("data-web-1"),),
            [
                "create web-1 new",
                "+",
                "claim data-web-0",
                "claim data-web-2",
                "+",
                "create web-0 new",
                "create web-2 new",
            ],
            id="side by side, what can be made at once first",
        ),
        pytest.param(
            web("new", claims=("data",), podManagementPolicy="Parallel", replicas=2),
            (stored(0, phase="Pending"),),
            (claim("data-web-1", deleting=True),),
            ["claim data-web-0"],
            id="side by side, a pending pod's",
        ),
    ],
)
def test_making(parent: Obj, pods: tuple[Pod, ...], claims: tuple[Obj, ...], want: list[str]) -> None:
    """A pod is made once all of its claims are there, and gets those back that it lost before it ran."""
    assert told(plan(seen(parent, *pods, claims=claims))) == want


def test_a_claim() -> None:
    """It is the template under the pod's name, with the selector's labels, and says in events whose it is."""
    parent = web("new", claims=("data",))
    step = next(step for step in plan(seen(parent)).steps if isinstance(step, Create))
    template = parent["spec"]["volumeClaimTemplates"][0]
    assert step.body == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-web-0", "namespace": "ns", "labels": {"tier": "data", "app": "web"}},
        "spec": template["spec"],
    }
    assert step.said == Say(
        "Normal", "SuccessfulCreate", "Create Claim data-web-0 Pod web-0 in StatefulSet web success"
    )
    assert step.failed == Say(
        "Warning", "FailedCreate", "Create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: {error}"
    )


LOST = "Pod web-0 in StatefulSet web failed error: failed to create PVC data-web-0: {error}"


@pytest.mark.parametrize(
    ("pods", "want"),
    [
        pytest.param((), Say("Warning", "FailedCreate", f"Create {LOST}"), id="the pod is not made"),
        pytest.param(
            (replica(SET, 0, volumes={}),), Say("Warning", "FailedUpdate", f"Update {LOST}"), id="it is not repaired"
        ),
        pytest.param((stored(0, phase="Pending", ready=None),), None, id="it is there, and waits"),
    ],
)
@pytest.mark.parametrize("management", ["OrderedReady", "Parallel"])
def test_a_refused_claim_is_said_of_its_pod_too(pods: tuple[Pod, ...], want: Say | None, management: str) -> None:
    """A second event says what comes to nothing with the claim."""
    parent = web("new", claims=("data",), replicas=1, podManagementPolicy=management)
    step = next(step for step in plan(seen(parent, *pods)).steps if isinstance(step, Create))
    assert step.hence == want


def test_a_claim_that_goes_is_said() -> None:
    """While a claim of that name is being deleted an event says why there is no pod."""
    parent = web("new", claims=("data",))
    assert plan(seen(parent, claims=(claim("data-web-0", deleting=True),))).events == (
        Say(
            "Warning",
            "FailedCreate",
            "Create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted",
        ),
    )


@pytest.mark.parametrize(
    ("deleted", "scaled", "replicas", "owners", "want"),
    [
        pytest.param(KEEP, KEEP, 1, (), [], id="kept: nobody"),
        pytest.param(KEEP, KEEP, 1, (of_set(),), ["own data-web-0"], id="kept: not the set any more"),
        pytest.param(KEEP, KEEP, 1, (of_pod(0), OTHER), ["own data-web-0 other"], id="kept: others stay"),
        pytest.param(DELETE, KEEP, 1, (), ["own data-web-0 web"], id="deleted: the set"),
        pytest.param(DELETE, KEEP, 1, (of_set(),), [], id="deleted: the set already"),
        pytest.param(DELETE, KEEP, 0, (of_set(),), ["delete web-0"], id="deleted: the set even of a pod too many"),
        pytest.param(DELETE, KEEP, 1, (of_pod(0),), ["own data-web-0 web"], id="deleted: the set, not the pod"),
        pytest.param(KEEP, DELETE, 1, (), [], id="scaled: nobody"),
        pytest.param(KEEP, DELETE, 1, (of_pod(0),), ["own data-web-0"], id="scaled: back among the replicas"),
        pytest.param(
            KEEP, DELETE, 0, (), ["own data-web-0 web-0", "+", "delete web-0"], id="scaled: the pod that is too many"
        ),
        pytest.param(KEEP, DELETE, 0, (of_pod(0),), ["delete web-0"], id="scaled: the pod already"),
        pytest.param(DELETE, DELETE, 1, (), ["own data-web-0 web"], id="both: the set"),
        pytest.param(
            DELETE, DELETE, 0, (of_set(),), ["own data-web-0 web-0", "+", "delete web-0"], id="both: then the pod"
        ),
        pytest.param(
            DELETE, KEEP, 1, (of_set(controller=False),), ["own data-web-0 web"], id="one that does not control"
        ),
        pytest.param(DELETE, KEEP, 1, (OTHER,), [], id="another controller is left alone"),
        pytest.param(DELETE, KEEP, 1, (OTHER, of_set()), ["own data-web-0 other"], id="and not shared with"),
        pytest.param(DELETE, KEEP, 1, (of_set("uid-earlier"),), [], id="an earlier set's is left alone"),
        pytest.param(DELETE, DELETE, 0, (of_pod(0, "uid-earlier"),), ["delete web-0"], id="an earlier pod's too"),
    ],
)
def test_retention(deleted: str, scaled: str, replicas: int, owners: tuple[Obj, ...], want: list[str]) -> None:
    """The policy is kept by references, for the garbage collector to act on."""
    parent = web("new", claims=("data",), replicas=replicas, **policy(deleted, scaled))
    made = plan(seen(parent, stored(0), claims=(claim("data-web-0", owners=owners),)))
    assert told(made) == want


def test_references() -> None:
    """They are those of a controller, and block its deletion in the foreground."""
    own = {"data-web-0": claim("data-web-0")}
    parent = web("new", claims=("data",), replicas=1, **policy(DELETE, DELETE))
    created = next(iter(plan(seen(parent)).steps))
    assert isinstance(created, Create)
    assert created.body["metadata"]["ownerReferences"] == [objects.controller_reference(parent)]
    scaled = web("new", claims=("data",), replicas=0, **policy(KEEP, DELETE))
    patch = next(iter(plan(seen(scaled, stored(0), claims=tuple(own.values()))).steps))
    assert not isinstance(patch, Create)
    assert getattr(patch, "body", {})["metadata"]["ownerReferences"] == [of_pod(0)]
    assert getattr(patch, "resource_version", "") == "1"


@pytest.mark.parametrize(
    ("owners", "scaled", "want"),
    [
        pytest.param((of_pod(0, "uid-earlier"),), DELETE, [], id="an earlier pod's: wait"),
        pytest.param((of_pod(0, "uid-earlier"),), KEEP, ["create web-0 new"], id="where claims are kept it is used"),
        pytest.param((of_set("uid-earlier"),), DELETE, ["create web-0 new"], id="an earlier set's: no reason to wait"),
        pytest.param((of_pod(1, "uid-earlier"),), DELETE, ["create web-0 new"], id="of another name"),
    ],
)
def test_stale_claims(owners: tuple[Obj, ...], scaled: str, want: list[str]) -> None:
    """A claim that goes with the pod that had the name before is waited for."""
    parent = web("new", claims=("data",), **policy(KEEP, scaled))
    assert told(plan(seen(parent, claims=(claim("data-web-0", owners=owners),)))) == want


def test_a_conflict_is_said() -> None:
    """A claim which somebody else controls is said to be outside of the policy."""
    parent = web("new", claims=("data",), replicas=1, **policy(DELETE, KEEP))
    made = plan(seen(parent, stored(0), claims=(claim("data-web-0", owners=(OTHER, of_set())),)))
    assert [say.reason for say in made.events] == ["ConflictingController"]


@pytest.mark.parametrize("management", ["OrderedReady", "Parallel"])
def test_a_conflict_is_said_while_the_pod_waits(management: str) -> None:
    """Also where there is nothing to write: the policy goes on meaning nothing for the claim."""
    parent = web("new", claims=("data",), replicas=1, podManagementPolicy=management, **policy(DELETE, KEEP))
    made = plan(seen(parent, stored(0, phase="Pending", ready=None), claims=(claim("data-web-0", owners=(OTHER,)),)))
    assert (told(made), [say.reason for say in made.events]) == ([], ["ConflictingController"])


def test_claims_of_pods_that_are_too_many_are_written_at_once() -> None:
    """One batch gives all of them their pods as owners, before any of these goes."""
    parent = web("new", claims=("data",), replicas=0, podManagementPolicy="Parallel", **policy(KEEP, DELETE))
    claims = tuple(claim(f"data-web-{ordinal}") for ordinal in range(2))
    made = plan(seen(parent, stored(0), stored(1), claims=claims))
    assert told(made) == ["own data-web-1 web-1", "own data-web-0 web-0", "+", "delete web-1", "delete web-0"]


def test_an_update_is_said_once() -> None:
    """Where a pod's claims change owners one event says that the pod was updated."""
    parent = web("new", claims=("data", "log"), replicas=1, **policy(DELETE, KEEP))
    used = replica(SET, 0, volumes={"data": "data-web-0", "log": "log-web-0"})
    made = plan(seen(parent, used, claims=(claim("data-web-0"), claim("log-web-0"))))
    said = [say.message for step in made.steps if (say := step.said)]
    assert said == ["Update Pod web-0 in StatefulSet web successful"]


def test_names() -> None:
    """The claims that are looked at are those of the pods that there shall be and of those that there are."""
    parent = web("new", claims=("data", "log"), replicas=2)
    assert list(claim_names(parent, [replica(SET, 0), replica(SET, 4), replica(SET, 1, name="other")])) == [
        f"{name}-web-{ordinal}" for ordinal in (0, 1, 4) for name in ("data", "log")
    ]
    assert list(claim_names(web("new"), [replica(SET, 0)])) == []
