"""A StatefulSet's pods as they are written: who they are, what they store, and what is said of them."""

import pytest

from operators.core import objects
from operators.core.objects import PODS, Obj
from operators.core.plan import Create, Patch, Say
from operators.core.pods import Pod
from operators.core.statefulset import plan
from operators.core.statefulset.identity import POD_INDEX_LABEL, POD_NAME_LABEL, REVISION_LABEL
from tests.support.builders import claim, controllerrevision, statefulset
from tests.support.sets import replica, rolling, seen, web

SET = statefulset()


def created(parent: Obj, *claims: Obj) -> Create:
    """Return the creation of the first pod, of a revision `new` that holds the template."""
    known = (controllerrevision("new", parent["spec"]["template"], owner=parent),)
    steps = plan(seen(parent, claims=claims, revisions=known)).steps
    return next(step for step in steps if isinstance(step, Create) and step.resource == PODS)


@pytest.mark.parametrize("group", ["kopfwerk.dev", "apps"])
def test_a_pod(group: str) -> None:
    """It is the revision's template with name, labels, hostname, subdomain and owner."""
    parent = web("new", group=group)
    step = created(parent)
    assert step.body == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-0",
            "generateName": "web-",
            "namespace": "ns",
            "labels": {"app": "web", POD_NAME_LABEL: "web-0", POD_INDEX_LABEL: "0", REVISION_LABEL: "new"},
            "ownerReferences": [objects.controller_reference(parent)],
        },
        "spec": {"containers": [{"name": "app", "image": "app:2"}], "hostname": "web-0", "subdomain": "svc"},
    }
    assert step.said == Say("Normal", "SuccessfulCreate", "Create Pod web-0 in StatefulSet web successful")
    assert step.failed == Say("Warning", "FailedCreate", "Create Pod web-0 in StatefulSet web failed error: {error}")


def test_what_the_template_says_of_identity_does_not_count() -> None:
    """Hostname and subdomain are the set's business; without a service there is no subdomain."""
    parent = web("new", serviceName="")
    parent["spec"]["template"]["spec"] |= {"hostname": "h", "subdomain": "s"}
    body = created(parent).body
    assert body["spec"]["hostname"] == "web-0"
    assert "subdomain" not in body["spec"]


def test_a_claim_takes_the_place_of_a_volume() -> None:
    """Volumes are the claims, then the template's but for those of a claim's name."""
    parent = web("new", claims=("data",))
    parent["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    assert created(parent, claim("data-web-0")).body["spec"]["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}},
        {"name": "tmp", "emptyDir": {}},
    ]


def test_a_revision_keeps_what_it_was() -> None:
    """Below the partition a pod is made from the current revision's template, not from the present one."""
    parent = web("old", updateStrategy=rolling(partition=1))
    step = next(iter(plan(seen(parent)).steps))
    assert isinstance(step, Create)
    assert step.body["spec"]["containers"][0]["image"] == "app:1"


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(replica(SET, 0, volumes={"data": "data-web-0"}), None, id="as it should be"),
        pytest.param(
            replica(SET, 0, labels={"app": "web"}, volumes={"data": "data-web-0"}),
            {"metadata": {"labels": {POD_NAME_LABEL: "web-0", POD_INDEX_LABEL: "0"}}},
            id="without its labels",
        ),
        pytest.param(
            replica(SET, 0, volumes={"data": "other", "tmp": "t"}),
            {
                "spec": {
                    "volumes": [
                        {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}},
                        {"name": "tmp", "persistentVolumeClaim": {"claimName": "t"}},
                    ]
                }
            },
            id="with another claim",
        ),
    ],
)
def test_repair(pod: Pod, want: Obj | None) -> None:
    """A pod that does not say who it is, or stores elsewhere, is written to; what the apiserver says of it is told."""
    parent = web("new", claims=("data",), replicas=1)
    patches = [step for step in plan(seen(parent, pod, claims=(claim("data-web-0"),))).steps if isinstance(step, Patch)]
    assert [patch.body for patch in patches] == ([want] if want else [])
    for patch in patches:
        assert patch.said == Say("Normal", "SuccessfulUpdate", "Update Pod web-0 in StatefulSet web successful")
        assert patch.failed == Say(
            "Warning", "FailedUpdate", "Update Pod web-0 in StatefulSet web failed error: {error}"
        )
