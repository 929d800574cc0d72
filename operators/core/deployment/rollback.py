"""Rolling back by the annotation of old API versions, which still works.

Mirrors pkg/controller/deployment/rollback.go.
"""

from operators.core import objects
from operators.core.deployment.replicasets import NOT_COPIED, ROLLBACK_TO, Family, revision
from operators.core.merge import merge_patch
from operators.core.objects import Obj, deployments
from operators.core.plan import Patch, Say, Target
from operators.core.semantic import HASH_LABEL, same_template

_NOT_FOUND = "DeploymentRollbackRevisionNotFound"


def rollback_to(deployment: Obj) -> int | None:
    """Return the revision asked for, 0 for the last one, None where none is."""
    try:
        return int(objects.annotations(deployment)[ROLLBACK_TO])
    except (KeyError, ValueError):
        return None


def rollback(deployment: Obj, family: Family, to: int) -> Patch:
    """Return the write that takes the template and annotations of a revision, and the request off the Deployment."""
    wanted = to or _last(family)
    if not wanted:
        return _patch(deployment, {}, Say("Warning", _NOT_FOUND, "Unable to find last revision."))
    found = next((rs for rs in family.all if revision(rs) == wanted), None)
    if found is None:
        return _patch(deployment, {}, Say("Warning", _NOT_FOUND, "Unable to find the revision to rollback to."))
    name, template = objects.name(deployment), deployment["spec"]["template"]
    if same_template(template, found["spec"]["template"]):
        message = f'The rollback revision contains the same template as current deployment "{name}"'
        return _patch(deployment, {}, Say("Warning", "DeploymentRollbackTemplateUnchanged", message))
    said = Say("Normal", "DeploymentRollback", f'Rolled back deployment "{name}" to revision {wanted}')
    spec = {"template": merge_patch(template, _template(found))}
    return _patch(deployment, {"spec": spec}, said, _annotations(deployment, found))


def _last(family: Family) -> int:
    """Return the revision before the latest, 0 where there is none."""
    revisions = sorted((revision(rs) or 0 for rs in family.all), reverse=True)
    return revisions[1] if len(revisions) > 1 else 0


def _template(replicaset: Obj) -> Obj:
    """Return a ReplicaSet's template as its Deployment has it, without the hash label."""
    template: Obj = replicaset["spec"]["template"]
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != HASH_LABEL}
    return template | {"metadata": meta | {"labels": labels}}


def _annotations(deployment: Obj, replicaset: Obj) -> Obj:
    """Return the change of annotations: what the ReplicaSet has replaces what the Deployment has, bookkeeping apart."""
    mine = {k: v for k, v in objects.annotations(deployment).items() if k not in NOT_COPIED}
    its = {k: v for k, v in objects.annotations(replicaset).items() if k not in NOT_COPIED}
    return merge_patch(mine, its)


def _patch(deployment: Obj, body: Obj, said: Say, annotations: Obj | None = None) -> Patch:
    target = Target.of(deployments(deployment["apiVersion"].partition("/")[0]), deployment)
    meta = {"annotations": {**(annotations or {}), ROLLBACK_TO: None}}
    return Patch(target, body | {"metadata": meta}, deployment["metadata"]["resourceVersion"], said=said)
