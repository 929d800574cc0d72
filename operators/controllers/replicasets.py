"""ReplicaSet: woken by its own changes and by its pods'."""

from datetime import datetime
from functools import partial

from operators.controllers import state
from operators.core import objects, ready, replicaset, selectors
from operators.core.objects import PODS, Obj, Resource, replicasets
from operators.core.plan import Plan
from operators.core.pods import Pod
from operators.core.replicaset import Observed
from operators.runtime import metrics
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informer, Informers
from operators.runtime.wake import NAMESPACE, OWNER, owned, owners


def replicaset_controller(group: str) -> Controller[Observed]:
    """Declare the controller of an API group's ReplicaSets."""
    resource = replicasets(group)
    return Controller(
        name="replicaset",
        resource=resource,
        watches=(Watch(PODS, owners(resource)),),
        observe=partial(_observe, resource),
        plan=replicaset.plan,
        report=ready.reporting(group, replicaset.report, lambda seen: seen.replicaset),
        state=state.REPLICASET,
        writes=(Writes(PODS, ("create", "patch", "delete")),),
        measure=_measure,
    )


def _observe(resource: Resource, informers: Informers, parent: Obj, now: datetime) -> Observed:
    pods = tuple(owned(informers[PODS], parent))
    active = sum(pod.is_active for pod in pods)
    related = _related(informers[resource], informers[PODS], parent) if active > replicaset.replicas(parent) else ()
    return Observed(parent, pods, related, now)


def _measure(observed: Observed, plan: Plan) -> None:
    for ratio in replicaset.age_ratios(observed, plan):
        metrics.age_ratio.observe(ratio)


def _related(replicasets: Informer[Obj], pods: Informer[Pod], parent: Obj) -> tuple[Pod, ...]:
    """Return the pods that the selectors of all ReplicaSets of the same controller take, each once."""
    controller = objects.controller_of(parent)
    if controller is None:
        return ()
    siblings = [selectors.of(sibling) for sibling in replicasets.by(OWNER, controller.uid)]
    candidates = pods.by(NAMESPACE, objects.key(parent)[0])
    return tuple(pod for pod in candidates if any(selector.matches(pod.labels) for selector in siblings))
