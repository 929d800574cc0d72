"""Which writes are asked about, what is asked, and what the answers mean."""

import copy
from typing import Any

import pytest

from operators.core.admission import updates
from operators.core.admission.review import Review
from operators.core.admission.verdict import Answer, refusal
from operators.core.gates import ANNOTATION
from operators.core.objects import Obj

OWN = "system:serviceaccount:kopfwerk-system:kopfwerk"


def deployment(**spec: Any) -> Obj:
    """Return a Deployment with the given fields of the spec."""
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web"}},
        "spec": {"template": {"spec": {"containers": []}}, **spec},
    }


def replicaset_of(owner_api_version: str) -> Obj:
    """Return a ReplicaSet that a Deployment of the given group controls."""
    owner = {"apiVersion": owner_api_version, "kind": "Deployment", "name": "web", "uid": "u1", "controller": True}
    return deployment() | {
        "kind": "ReplicaSet",
        "metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [owner]},
    }


def labelled(obj: Obj) -> Obj:
    """Return the object with another label."""
    changed = copy.deepcopy(obj)
    changed["metadata"]["labels"] = {"app": "other"}
    return changed


@pytest.mark.parametrize(
    ("review", "want"),
    [
        pytest.param(Review("CREATE", deployment()), False, id="create"),
        pytest.param(Review("UPDATE", deployment(replicas=2), deployment(replicas=1)), False, id="new spec"),
        pytest.param(Review("UPDATE", labelled(deployment()), deployment()), True, id="new label"),
        pytest.param(Review("DELETE", deployment(), deployment()), True, id="delete"),
        pytest.param(Review("UPDATE", deployment(replicas=2), deployment(), "status"), True, id="status"),
        pytest.param(Review("UPDATE", deployment(replicas=2), deployment(), "scale"), True, id="scale"),
        pytest.param(Review("CREATE", deployment() | {"kind": "PodProbe"}), True, id="kind without a twin"),
        pytest.param(Review("CREATE", replicaset_of("kopfwerk.dev/v1"), user=OWN), True, id="child by the operator"),
        pytest.param(Review("CREATE", replicaset_of("kopfwerk.dev/v1"), user="eve"), False, id="child by a user"),
        pytest.param(Review("CREATE", replicaset_of("apps/v1"), user=OWN), False, id="child of a built-in kind"),
        pytest.param(Review("CREATE", deployment(), user=OWN), False, id="the operator's user, no child"),
    ],
)
def test_exempt(review: Review, want: bool) -> None:  # noqa: FBT001
    """Deletions, subresources, metadata and the operator's own children are not asked about."""
    assert review.is_exempt(OWN) is want


def test_nobody_is_the_operator_while_its_name_is_unknown() -> None:
    """An empty user name never matches."""
    assert not Review("CREATE", replicaset_of("kopfwerk.dev/v1")).is_exempt("")


def test_twin() -> None:
    """The twin has the name, the annotations and the spec, and nothing that others act upon."""
    obj = deployment(replicas=3)
    obj["metadata"] |= {"annotations": {"a": "b"}, "finalizers": ["x/y"], "resourceVersion": "7"}
    obj["status"] = {"replicas": 3}
    assert Review("CREATE", obj).twin == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"a": "b"}},
        "spec": obj["spec"],
    }


def gated(names: str, **spec: Any) -> Obj:
    """Return a Deployment whose pods are to be gated by PodProbes."""
    obj = deployment(**spec)
    return obj | {"metadata": obj["metadata"] | {"annotations": {ANNOTATION: names}}}


@pytest.mark.parametrize(
    ("old", "new", "want_asked", "want_kept"),
    [
        pytest.param(deployment(), gated("web"), True, False, id="a gate is added"),
        pytest.param(gated("web"), gated("web, db"), True, False, id="another"),
        pytest.param(gated("web"), gated(" web ,web"), False, True, id="the same, said in another way"),
        pytest.param(gated("web"), deployment(), True, False, id="it is taken away"),
    ],
)
def test_gates_are_part_of_the_template(old: Obj, new: Obj, want_asked: bool, want_kept: bool) -> None:  # noqa: FBT001
    """They make pods other ones: so they are asked about, and their errors count."""
    review = Review("UPDATE", new, old)
    assert review.is_exempt(OWN) is not want_asked
    assert review.is_template_unchanged is want_kept


def test_twin_with_gates() -> None:
    """The twin is gated as the pods will be; the object is not changed."""
    obj = gated("web")
    twin = Review("CREATE", obj).twin
    assert twin["spec"]["template"]["spec"]["readinessGates"] == [{"conditionType": "probe.kopfwerk.dev/web"}]
    assert obj["spec"] == deployment()["spec"]


def test_twin_of_a_generated_name() -> None:
    """Without a name there is the prefix to make one from."""
    obj = deployment()
    obj["metadata"] = {"generateName": "web-", "namespace": "shop"}
    assert Review("CREATE", obj).twin["metadata"] == {"generateName": "web-", "namespace": "shop"}


QUARTER = {"maxSurge": "25%", "maxUnavailable": "25%"}


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        pytest.param(
            {"type": "RollingUpdate", "rollingUpdate": QUARTER},
            {"type": "Recreate", "rollingUpdate": QUARTER},
            {"type": "Recreate"},
            id="left behind",
        ),
        pytest.param(
            {"type": "RollingUpdate", "rollingUpdate": QUARTER},
            {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
            {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
            id="given anew",
        ),
        pytest.param(
            None,
            {"type": "Recreate", "rollingUpdate": QUARTER},
            {"type": "Recreate", "rollingUpdate": QUARTER},
            id="on create",
        ),
        pytest.param(
            {"type": "Recreate"},
            {"type": "RollingUpdate", "rollingUpdate": QUARTER},
            {"type": "RollingUpdate", "rollingUpdate": QUARTER},
            id="rolling",
        ),
    ],
)
def test_strategy_of_the_twin(old: Obj | None, new: Obj, want: Obj) -> None:
    """A rollingUpdate that a change to Recreate left behind is not asked about."""
    before = deployment(strategy=old) if old else None
    review = Review("UPDATE" if before else "CREATE", deployment(strategy=new), before)
    assert review.twin["spec"]["strategy"] == want
    assert review.obj["spec"]["strategy"] == new


INVALID = 'Deployment.apps "web" is invalid: '
NOT_FOUND = 'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "x"'
POLICY = "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no"
UNREADABLE = 'Deployment in version "v1" cannot be handled as a Deployment: quantities must match'


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(
            Answer(422, INVALID + NOT_FOUND), 'Deployment.kopfwerk.dev "web" is invalid: ' + NOT_FOUND, id="invalid"
        ),
        pytest.param(Answer(400, UNREADABLE), UNREADABLE, id="unreadable"),
        pytest.param(Answer(409, 'deployments.apps "web" already exists'), None, id="exists"),
        pytest.param(Answer(403, 'deployments.apps "web" is forbidden: exceeded quota'), None, id="quota"),
        pytest.param(Answer(422, POLICY), None, id="policy"),
        pytest.param(Answer(400, 'admission webhook "x" denied the request: no'), None, id="webhook of others"),
        pytest.param(Answer(422, f'admission webhook "x" denied: {INVALID}no'), None, id="webhook that quotes"),
        pytest.param(Answer(400, 'admission webhook "x" does not support dry run'), None, id="no dry run"),
        pytest.param(Answer(404, 'namespaces "shop" not found'), None, id="not found"),
        pytest.param(Answer(429, "too many requests"), None, id="busy"),
        pytest.param(Answer(500, "etcdserver: request timed out"), None, id="apiserver's own trouble"),
        pytest.param(Answer(0, "no answer"), None, id="no answer"),
    ],
)
def test_refusal(answer: Answer, want: str | None) -> None:
    """Only what is said about the object itself refuses it."""
    assert refusal(Review("CREATE", deployment()), answer) == want


DEADLINE = "spec.progressDeadlineSeconds: Invalid value: 1: must be greater than minReadySeconds"


def _cause(text: str) -> Obj:
    field, _, message = text.partition(": ")
    return {"field": field, "message": message}


@pytest.mark.parametrize(
    ("texts", "want"),
    [
        pytest.param([NOT_FOUND], None, id="template alone"),
        pytest.param([NOT_FOUND, DEADLINE], DEADLINE, id="template and spec"),
        pytest.param([DEADLINE, DEADLINE], f"[{DEADLINE}, {DEADLINE}]", id="spec alone"),
        pytest.param(["spec.templates: Invalid value: 1"], "spec.templates: Invalid value: 1", id="similar name"),
    ],
)
def test_refusal_while_the_template_stays(texts: list[str], want: str | None) -> None:
    """The errors of a template that is there already do not count."""
    answer = Answer(422, INVALID + "…", [_cause(text) for text in texts])
    review = Review("UPDATE", deployment(replicas=2), deployment(replicas=1))
    assert refusal(review, answer) == (want and 'Deployment.kopfwerk.dev "web" is invalid: ' + want)


def test_refusal_of_a_new_template() -> None:
    """A template that changes is looked at like a new one."""
    review = Review("UPDATE", deployment(template={"spec": {"containers": [{}]}}), deployment())
    answer = Answer(422, INVALID + NOT_FOUND, [_cause(NOT_FOUND)])
    assert refusal(review, answer) == 'Deployment.kopfwerk.dev "web" is invalid: ' + NOT_FOUND


def suspended(pod: Obj, **metadata: Any) -> Obj:
    """Return a suspended Job whose pods are so."""
    containers = [{"name": "app", "image": "app:1"}]
    spec = {"suspend": True, "template": {"metadata": metadata, "spec": {"containers": containers, **pod}}}
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Job",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


def container(image: str = "app:1", **more: Any) -> Obj:
    """Return a pod's only container."""
    return {"containers": [{"name": "app", "image": image, **more}]}


TO_NODES = {"nodeAffinity": {"required": "x"}}
TO_PODS = {"podAffinity": {"required": "y"}}


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        pytest.param({}, {"nodeSelector": {"a": "b"}}, False, id="nodeSelector"),
        pytest.param({"tolerations": [{"key": "a"}]}, {}, False, id="tolerations"),
        pytest.param({"schedulingGates": [{"name": "a"}]}, {}, False, id="schedulingGates"),
        pytest.param({}, {"affinity": TO_NODES}, False, id="affinity to nodes"),
        pytest.param({"affinity": TO_NODES}, {}, False, id="no affinity any more"),
        pytest.param({"affinity": TO_NODES | TO_PODS}, {"affinity": TO_PODS}, False, id="affinity to pods stays"),
        pytest.param({}, {"affinity": TO_PODS}, True, id="affinity to pods"),
        pytest.param({"affinity": TO_PODS}, {}, True, id="no affinity to pods any more"),
        pytest.param({}, container(resources={"limits": {"cpu": "1"}}), False, id="resources"),
        pytest.param(
            {"initContainers": [{"name": "i"}]},
            {"initContainers": [{"name": "i", "resources": {}}]},
            False,
            id="resources of an init container",
        ),
        pytest.param({}, container("app:2"), True, id="image"),
        pytest.param({}, container(env=[]), True, id="variables"),
        pytest.param({}, {"containers": []}, True, id="no container"),
        pytest.param({}, {"hostNetwork": True}, True, id="hostNetwork"),
    ],
)
def test_what_may_change_of_a_suspended_job(before: Obj, after: Obj, want: bool) -> None:  # noqa: FBT001
    """Where its pods go and what they need, and nothing else of them."""
    message = updates.refusal(Review("UPDATE", suspended(after), suspended(before)))
    refused = 'Job.kopfwerk.dev "web" is invalid: spec.template.spec: Invalid value: field is immutable'
    assert message == (refused if want else None)


def test_labels_of_a_suspended_job_may_change() -> None:
    """And annotations: no pod has them yet."""
    changed = suspended({}, labels={"a": "b"}, annotations={"c": "d"})
    assert updates.refusal(Review("UPDATE", changed, suspended({}))) is None


def test_only_the_updates_of_jobs_are_looked_at() -> None:
    """A Deployment's template is there to be changed, and a Job that is created has none before."""
    assert updates.refusal(Review("UPDATE", deployment(template={}), deployment())) is None
    assert updates.refusal(Review("CREATE", suspended({}))) is None
