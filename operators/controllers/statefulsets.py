"""StatefulSet: woken by its own changes, its pods', and the going of claims, for which pods may have to wait."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from operators.core import objects, statefulset
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
            Watch(CLAIMS, partial(_claim_gone, resource)),
            Watch(CONTROLLERREVISIONS, _never),
        ),
        observe=_observe,
        plan=statefulset.plan,
        report=statefulset.report,
        writes=(
            Writes(PODS, ("create", "patch", "delete")),
            Writes(CLAIMS, ("create", "patch")),
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


def _claim_gone(resource: Resource, informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
    """Wake the StatefulSets that have a claim of the name of one that is gone. Upstream tries again and again."""
    if old is None or new is not None:
        return
    namespace, name = objects.key(old)
    for parent in informers[resource].by(NAMESPACE, namespace):
        if statefulset.may_claim(parent, name):
            yield objects.key(parent)


def _never(informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:  # noqa: ARG001
    """Wake nothing: revisions are the controller's own, and are only looked up."""
    return iter(())
