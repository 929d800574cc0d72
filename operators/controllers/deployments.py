"""Deployment: woken by its own changes, its ReplicaSets', and the going of their pods, which Recreate waits for."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from operators.controllers import state
from operators.core import deployment, objects, ready
from operators.core.deployment import Observed
from operators.core.objects import KOPFWERK, PODS, Key, Obj, Resource, deployments, replicasets
from operators.core.pods import Pod
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import OWNER, owned, owners


def deployment_controller(group: str) -> Controller[Observed]:
    """Declare the controller of an API group's Deployments."""
    parent, child = deployments(group), replicasets(group)
    return Controller(
        name="deployment",
        resource=parent,
        watches=(Watch(child, owners(parent)), Watch(PODS, partial(_pod_gone, child, parent))),
        observe=partial(_observe, child),
        plan=deployment.plan,
        report=ready.reporting(group, deployment.report, lambda seen: seen.deployment),
        state=state.DEPLOYMENT,
        writes=(
            Writes(child, ("create", "patch", "delete")),
            Writes(parent, ("patch",)),  # a rollback, and of a custom resource its revision
            *((Writes(parent, ("patch",), "status"),) if group != KOPFWERK else ()),  # of a built-in one its revision
        ),
    )


def _observe(child: Resource, informers: Informers, parent: Obj, now: datetime) -> Observed:
    children = tuple(owned(informers[child], parent))
    pods = {objects.uid(rs): tuple(informers[PODS].by(OWNER, objects.uid(rs))) for rs in children}
    return Observed(parent, children, pods, now)


def _pod_gone(
    child: Resource, parent: Resource, informers: Informers, old: Pod | None, new: Pod | None
) -> Iterator[Key]:
    """Wake the Deployment whose ReplicaSet controlled a pod that is gone or has ended, where it is a Recreate one."""
    if old is None or old.owner is None or (new is not None and not new.is_terminated):
        return
    replicaset = informers[child].get((old.namespace, old.owner.name))
    if replicaset is None or objects.uid(replicaset) != old.owner.uid:
        return
    owner = objects.controller_of(replicaset)
    if owner is None:
        return
    key = (old.namespace, owner.name)
    found = informers[parent].get(key)
    if found is not None and found["spec"].get("strategy", {}).get("type") == "Recreate":
        yield key
