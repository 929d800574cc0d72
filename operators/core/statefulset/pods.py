"""The writes on a StatefulSet's pods, each with the event that says so. Mirrors stateful_pod_control.go."""

from typing import Any

from operators.core import gang, objects
from operators.core.objects import PODS, Obj
from operators.core.plan import Create, Delete, Patch, Say, Target
from operators.core.pods import Pod
from operators.core.replicaset.plan import pod_of
from operators.core.statefulset import claims
from operators.core.statefulset.identity import REVISION_LABEL, has_identity, identity_labels, pod_name
from operators.core.statefulset.observed import replicas
from operators.core.statefulset.rollout import Rollout


def create(rollout: Rollout, ordinal: int) -> Create:
    """Return the write that makes the pod with an ordinal, from the revision that is due for it."""
    statefulset, name = rollout.statefulset, pod_name(rollout.statefulset, ordinal)
    body = pod_body(statefulset, ordinal, rollout.revision_for(ordinal), rollout)
    return Create(PODS, body, said(statefulset, "Create", name), failed(statefulset, "Create", name, "{error}"))


def pod_body(statefulset: Obj, ordinal: int, revision: str, rollout: Rollout) -> Obj:
    """Return a pod of a revision: what the template says, and who it is, where it is found and what it stores."""
    name = pod_name(statefulset, ordinal)
    body = pod_of(statefulset | {"spec": {"template": rollout.template(revision)}})
    spec: dict[str, Any] = {**body["spec"], "hostname": name}
    spec.pop("subdomain", None)
    if service := statefulset["spec"].get("serviceName"):
        spec["subdomain"] = service
    if storage := claims.volumes(statefulset, ordinal, spec.get("volumes") or ()):
        spec["volumes"] = storage
    labels = {**body["metadata"].get("labels", {}), **identity_labels(name, ordinal), REVISION_LABEL: revision}
    labels |= gang.labels(statefulset, replicas(statefulset))
    return body | {"metadata": {**body["metadata"], "name": name, "labels": labels}, "spec": spec}


def delete(statefulset: Obj, pod: Pod) -> Delete:
    """Return the write that deletes a pod."""
    return Delete(
        Target(PODS, pod.namespace, pod.name, pod.uid),
        said(statefulset, "Delete", pod.name),
        failed(statefulset, "Delete", pod.name, "{error}"),
    )


def repair(statefulset: Obj, ordinal: int, pod: Pod) -> Patch | None:
    """Return the write that gives a pod its labels and its volumes back, None where it has them.

    The apiserver changes no volumes of a pod that exists. Upstream asks for it nevertheless, and so do we: the refusal
    is the event that tells the user that the pod has to be deleted.
    """
    body: Obj = {}
    if not has_identity(pod):
        body["metadata"] = {"labels": identity_labels(pod.name, ordinal)}
    if not claims.has_storage(statefulset, ordinal, pod):
        body["spec"] = {"volumes": claims.volumes(statefulset, ordinal, pod.volumes)}
    if not body:
        return None
    target = Target(PODS, pod.namespace, pod.name, pod.uid)
    ok, error = said(statefulset, "Update", pod.name), failed(statefulset, "Update", pod.name, "{error}")
    return Patch(target, body, pod.resource_version, said=ok, failed=error)


def said(statefulset: Obj, verb: str, pod: str) -> Say:
    """Return the event that something was done to a pod."""
    return Say("Normal", f"Successful{verb}", f"{verb} Pod {pod} in StatefulSet {objects.name(statefulset)} successful")


def failed(statefulset: Obj, verb: str, pod: str, error: str) -> Say:
    """Return the event that it could not be done."""
    message = f"{verb} Pod {pod} in StatefulSet {objects.name(statefulset)} failed error: {error}"
    return Say("Warning", f"Failed{verb}", message)
