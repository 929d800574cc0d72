"""A workload's revisions, and the way back to one: `kubectl rollout history` and `undo`.

Mirrors k8s.io/kubectl pkg/polymorphichelpers/{history,rollback}.go and pkg/util/deployment.
"""

from collections.abc import Iterable, Sequence

from operators.core import objects
from operators.core.kubectl.kinds import Refused, group_kind, kind_of
from operators.core.objects import Obj
from operators.core.revisions import CONTROLLERREVISIONS, equal, template_of

REVISION = "deployment.kubernetes.io/revision"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HASH_LABEL = "pod-template-hash"

KEPT_ANNOTATIONS = frozenset(
    {
        LAST_APPLIED,
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that a rollback leaves as the Deployment has them; every other one comes from the old ReplicaSet."""

REVISIONED = {"Deployment": "replicasets", "StatefulSet": "controllerrevisions", "DaemonSet": "controllerrevisions"}
"""The kinds that have revisions, and as what they keep them: objects that they control."""


def check_history(obj: Obj) -> None:
    """Refuse an object that has no revisions to view."""
    _check(obj, f'no history viewer has been implemented for "{group_kind(obj)}"')


def check_rollback(obj: Obj) -> None:
    """Refuse an object that has no revisions to return to."""
    _check(obj, f'no rollbacker has been implemented for "{group_kind(obj)}"')


def revision_of(obj: Obj) -> int:
    """Return the revision that an object is or, by its annotation, has; 0 where there is none."""
    text = obj["revision"] if obj["kind"] == CONTROLLERREVISIONS.kind else objects.annotations(obj).get(REVISION, "0")
    try:
        return int(text)
    except ValueError:
        raise Refused(f'cannot get the revision of {obj["kind"].lower()} "{objects.name(obj)}": {text}') from None


def controlled_by(owner: Obj, candidates: Iterable[Obj]) -> list[Obj]:
    """Return those that `owner` controls, oldest first."""
    controlled = [
        obj for obj in candidates if (ref := objects.controller_of(obj)) is not None and ref.uid == objects.uid(owner)
    ]
    return sorted(controlled, key=lambda obj: (obj["metadata"]["creationTimestamp"], objects.name(obj)))


def revisions(kept: Iterable[Obj]) -> dict[int, Obj]:
    """Return ReplicaSets, or ControllerRevisions, by their number, lowest first; without a number one has none."""
    found: dict[int, Obj] = {}
    for obj in kept:
        try:
            found[revision_of(obj)] = obj
        except Refused:
            continue
    return dict(sorted(found.items()))


def rollback_target(obj: Obj, kept: Sequence[Obj], to_revision: int) -> Obj:
    """Return what has the template of `to_revision`, or for 0 that of the last but one revision."""
    by_revision = revisions(kept)
    if to_revision != 0:
        if to_revision not in by_revision:
            raise Refused(f"unable to find specified revision {to_revision} in history")
        return by_revision[to_revision]
    if len(by_revision) < 2:
        if obj["kind"] != "Deployment":
            raise Refused("no last revision to roll back to")
        raise Refused(f'no rollout history found for deployment "{objects.name(obj)}"')
    return by_revision[sorted(by_revision)[-2]]


def rollback_patch(obj: Obj, target: Obj) -> list[Obj] | None:
    """Return the JSON patch that makes `obj` run `target`'s template, or None where it does already."""
    if target["kind"] != CONTROLLERREVISIONS.kind:
        return _deployment_patch(obj, target)
    if equal(target, obj["spec"]["template"]):
        return None
    return [{"op": "replace", "path": "/spec/template", "value": template_of(target)}]


def _deployment_patch(deployment: Obj, replicaset: Obj) -> list[Obj] | None:
    if deployment["spec"].get("paused"):
        raise Refused(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        )
    template = _without_hash(replicaset["spec"]["template"])
    if template == _without_hash(deployment["spec"]["template"]):
        return None
    own, old = objects.annotations(deployment), objects.annotations(replicaset)
    annotations = {key: value for key, value in own.items() if key in KEPT_ANNOTATIONS}
    annotations |= {key: value for key, value in old.items() if key not in KEPT_ANNOTATIONS}
    return [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]


def _check(obj: Obj, refusal: str) -> None:
    kind = kind_of(obj)
    if kind is None or kind.kind not in REVISIONED:
        raise Refused(refusal)


def _without_hash(template: Obj) -> Obj:
    """Return a template less the hash label, and less what is empty: an absent map and an empty one mean the same."""
    meta = dict(template.get("metadata") or {})
    meta["labels"] = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {key: value for key, value in meta.items() if value}}
