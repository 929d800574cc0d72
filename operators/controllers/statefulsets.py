"""StatefulSet: woken by its own changes, its pods', its revisions', and by claims that are gone or change owners."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from operators.controllers import state
from operators.core import objects, ready, statefulset
from operators.core.objects import PODS, Key, Obj, Resource, statefulsets
from operators.core.revisions import CONTROLLERREVISIONS
from operators.core.statefulset import CLAIMS, Observed
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import NAMESPACE, owned, owners


def statefulset_controller(group: str) -> Controller[Observed]:
    """Declare the controller of an API group's StatefulSets."""
    resource = statefulsets(group)
    return Controller(
        name="statefulset",
        resource=resource,
        watches=(
            Watch(PODS, owners(resource)),
            Watch(CLAIMS, partial(_claim_changed, resource)),
            Watch(CONTROLLERREVISIONS, owners(resource)),
        ),
        observe=_observe,
        plan=statefulset.plan,
        report=ready.reporting(group, statefulset.report, lambda seen: seen.statefulset),
        state=state.STATEFULSET,
        writes=(
            Writes(PODS, ("create", "patch", "delete")),
            Writes(CLAIMS, ("create", "patch", "delete")),  # only who may delete a claim may say with whom it goes
            Writes(PODS, ("update",), "finalizers"),  # a pod that owns its claims blocks its deletion for them
            Writes(CONTROLLERREVISIONS, ("create", "patch", "delete")),
        ),
    )


def _observe(informers: Informers, parent: Obj, now: datetime) -> Observed:
    pods = tuple(owned(informers[PODS], parent))
    namespace = objects.key(parent)[0]
    found = ((name, informers[CLAIMS].get((namespace, name))) for name in statefulset.claim_names(parent, pods))
    claims = {name: claim for name, claim in found if claim is not None}
    return Observed(parent, pods, tuple(owned(informers[CONTROLLERREVISIONS], parent)), claims, now)


def _claim_changed(resource: Resource, informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
    """Wake the StatefulSets that give claims such a name, where one is gone or has other owners.

    Upstream hears nothing of claims: it tries again and again to make a pod whose claim is still going.
    """
    if old is None or (new is not None and objects.owner_references(new) == objects.owner_references(old)):
        return
    namespace, name = objects.key(old)
    for parent in informers[resource].by(NAMESPACE, namespace):
        if statefulset.may_claim(parent, name):
            yield objects.key(parent)
