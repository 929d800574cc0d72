"""What a ReplicaSet's status says. Mirrors calculateStatus in pkg/controller/replicaset/replica_set_utils.go."""

from operators.core import conditions, objects, selectors
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Create, Delete, Outcome, Patch
from operators.core.replicaset.observed import Observed
from operators.core.replicaset.plan import claim_pods, replicas

REPLICA_FAILURE = "ReplicaFailure"


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there says the same or is about to be overtaken.

    Counts are of what was observed, before this sync's writes, as upstream's. Upstream writes them even so; here the
    next sync does, which the created or deleted pods wake as soon as they show, so that no write says what is over.
    """
    if outcome.has_moved or any(isinstance(step, Patch) for step, _ in outcome.failures):
        return None  # where a claim failed, nobody knows yet what there is to count
    replicaset = observed.replicaset
    new = status(observed, outcome)
    return None if objects.without_zeros(new) == objects.without_zeros(replicaset.get("status") or {}) else new


def status(observed: Observed, outcome: Outcome) -> Obj:
    """Return the whole status. Counts of zero are in it, so that printer columns of a custom resource show them."""
    replicaset, now = observed.replicaset, observed.now
    owned = claim_pods(observed).owned
    selector = selectors.of(replicaset)
    template_labels = (replicaset["spec"]["template"].get("metadata") or {}).get("labels") or {}
    minimum = replicaset["spec"].get("minReadySeconds", 0)
    ready = [pod for pod in owned if pod.ready]
    uid = objects.uid(replicaset)
    counts = {
        "fullyLabeledReplicas": sum(template_labels.items() <= pod.labels.items() for pod in owned),
        "readyReplicas": len(ready),
        "availableReplicas": sum(pod.is_available(minimum, now) for pod in ready) if minimum else len(ready),
        "observedGeneration": objects.generation(replicaset),
    }
    new: Obj = {
        "replicas": len(owned),
        **counts,
        "terminatingReplicas": sum(
            pod.is_terminating and pod.owner is not None and pod.owner.uid == uid and selector.matches(pod.labels)
            for pod in observed.pods
        ),
    }
    if found := _conditions(observed, outcome, len(owned)):
        new["conditions"] = found
    if replicaset["apiVersion"].startswith(KOPFWERK):
        new["selector"] = str(selector)
    return new


def _conditions(observed: Observed, outcome: Outcome, owned: int) -> list[Obj]:
    """Return the conditions: ReplicaFailure is there while creating or deleting pods fails, and only then."""
    found = (observed.replicaset.get("status") or {}).get("conditions") or []
    failures = [failure for step, failure in outcome.failures if isinstance(step, Create | Delete)]
    if not failures:
        return conditions.without(found, REPLICA_FAILURE)
    if conditions.get(found, REPLICA_FAILURE):
        return list(found)
    reason = "FailedCreate" if owned < replicas(observed.replicaset) else "FailedDelete"
    failed = conditions.new(REPLICA_FAILURE, "True", reason, failures[0].message, observed.now)
    return conditions.with_(found, failed)
