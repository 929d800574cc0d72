"""What to do for a ReplicaSet: adopt and release, then create what is missing or delete what is too much.

Mirrors syncReplicaSet and manageReplicas in pkg/controller/replicaset/replica_set.go.
"""

from datetime import timedelta

from operators.core import objects, ownership, selectors
from operators.core.gates import gated
from operators.core.objects import PODS, Obj
from operators.core.ownership import Claim
from operators.core.plan import Batch, Create, Delete, Plan, Say, Target
from operators.core.pods import Pod
from operators.core.replicaset.observed import Observed
from operators.core.replicaset.ranking import pods_to_delete

BURST = 500
"""The most pods that one sync creates or deletes (BurstReplicas)."""
_LONGEST_NAME = 253

_CREATED = Say("Normal", "SuccessfulCreate", "Created pod: {name}")
_NOT_CREATED = Say("Warning", "FailedCreate", "Error creating: {error}")
_DELETED = Say("Normal", "SuccessfulDelete", "Deleted pod: {name}")
_NOT_DELETED = Say("Warning", "FailedDelete", "Error deleting: {error}")


def plan(observed: Observed) -> Plan:
    """Decide what to write. One that is being deleted creates and deletes no pod: the garbage collector does."""
    claim = claim_pods(observed)
    batches = list(ownership.batches(claim, PODS, observed.replicaset))
    if not objects.is_terminating(observed.replicaset):
        batches += _manage(observed, claim.owned)
    return Plan(tuple(batches), requeue_after=_next_availability(observed, claim.owned))


def claim_pods(observed: Observed) -> Claim[Pod]:
    """Return the active pods that are or become this ReplicaSet's, and those that it lets go."""
    active = [pod for pod in observed.pods if pod.is_active]
    return ownership.claim(observed.replicaset, selectors.of(observed.replicaset), active)


def replicas(replicaset: Obj) -> int:
    """Return the number of pods asked for."""
    return int(replicaset["spec"].get("replicas", 1))


def _manage(observed: Observed, owned: tuple[Pod, ...]) -> tuple[Batch, ...]:
    """Create or delete the difference."""
    difference = replicas(observed.replicaset) - len(owned)
    if difference > 0:
        create = Create(PODS, pod_of(observed.replicaset), _CREATED, _NOT_CREATED)
        return (Batch((create,) * min(difference, BURST), slow_start=True),)
    if difference < 0:
        doomed = pods_to_delete(owned, observed.related, min(-difference, BURST), observed.now)
        return (Batch(tuple(_delete(pod) for pod in doomed)),)
    return ()


def _delete(pod: Pod) -> Delete:
    return Delete(Target(PODS, pod.namespace, pod.name, pod.uid), _DELETED, _NOT_DELETED)


def pod_of(parent: Obj) -> Obj:
    """Return the pod that a parent's template describes (controller.GetPodFromTemplate), gated as the parent asks."""
    template = parent["spec"]["template"]
    meta = template.get("metadata") or {}
    kept = {part: meta[part] for part in ("labels", "annotations", "finalizers") if meta.get(part)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **kept,
            "generateName": f"{objects.name(parent)}-"[:_LONGEST_NAME],
            "namespace": objects.key(parent)[0],
            "ownerReferences": [objects.controller_reference(parent)],
        },
        "spec": gated(parent, template["spec"]),
    }


def _next_availability(observed: Observed, owned: tuple[Pod, ...]) -> timedelta | None:
    """Return when the next ready pod will have been ready for minReadySeconds."""
    minimum = observed.replicaset["spec"].get("minReadySeconds", 0)
    if not minimum:
        return None
    waits = (pod.available_in(minimum, observed.now) for pod in owned)
    return min((wait for wait in waits if wait), default=None)
