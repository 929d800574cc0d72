"""What a StatefulSet's status says. Mirrors computeReplicaStatus and completeUpdate."""

from collections.abc import Iterable

from operators.core import objects, revisions, selectors
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Create, Delete, Exists, Failure, Outcome, Patch, Step
from operators.core.pods import Pod
from operators.core.statefulset.claims import CLAIMS
from operators.core.statefulset.identity import member_of, revision_of
from operators.core.statefulset.members import Health, claim_pods, is_running_and_ready
from operators.core.statefulset.observed import Observed, ordinals, replicas, rolling_update
from operators.core.statefulset.rollout import rollout


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there says the same or is about to be overtaken.

    Counts are of what was observed, before this sync's writes. Upstream writes them even so; here the next sync does,
    which the created or deleted pods wake as soon as they show, so that no write says what is over. Only where the
    revision of the next pod depends on the count of current ones is that written at once, less the pods replaced.
    """
    before: Obj = observed.statefulset.get("status") or {}
    for step, result in outcome.results:
        if isinstance(step, Create) and step.resource == revisions.CONTROLLERREVISIONS:
            if isinstance(result, Failure):
                return None
            if isinstance(result, Exists):
                return revisions.collided(observed.statefulset, result.obj)
        if isinstance(result, Failure) and _is_claiming(step):
            return None  # nobody knows yet what there is to count
    replaced = _replaced(observed, outcome)
    if not replaced and outcome.has_moved:
        return None
    new = _status(observed, replaced)
    return None if objects.without_zeros(new) == objects.without_zeros(before) else new


def _is_claiming(step: Step) -> bool:
    """Whether a step adopts or releases a pod or a revision."""
    return (
        isinstance(step, Patch)
        and step.target.resource != CLAIMS
        and "ownerReferences" in step.body.get("metadata", {})
    )


def _replaced(observed: Observed, outcome: Outcome) -> frozenset[str]:
    """Return the UIDs of the pods that are replaced, where it matters: see Rollout.revision_for."""
    statefulset = observed.statefulset
    if rolling_update(statefulset) is not None:
        return frozenset()
    wanted = ordinals(statefulset)
    candidates = {
        pod.uid for pod in observed.pods if not pod.is_terminated and member_of(statefulset, pod.name) in wanted
    }
    done = (step for step, result in outcome.results if not isinstance(result, Failure))
    return frozenset(candidates & {step.target.uid for step in done if isinstance(step, Delete)})


def _status(observed: Observed, replaced: frozenset[str]) -> Obj:
    """Return the whole status. Counts of zero are in it, so that printer columns of a custom resource show them."""
    statefulset, present = observed.statefulset, rollout(observed)
    before: Obj = statefulset.get("status") or {}
    owned = claim_pods(observed).owned
    health = Health.of(observed)
    ready = [pod for pod in owned if is_running_and_ready(pod)]
    new: Obj = {
        "observedGeneration": objects.generation(statefulset),
        "replicas": sum(bool(pod.phase) for pod in owned),
        "readyReplicas": len(ready),
        "availableReplicas": sum(health.is_available(pod) for pod in ready),
        "currentReplicas": _of_revision(owned, present.current, without=replaced),
        "updatedReplicas": _of_revision(owned, present.update),
        "currentRevision": present.current,
        "updateRevision": present.update,
        "collisionCount": before.get("collisionCount", 0),
    }
    wanted = replicas(statefulset)
    if new["updatedReplicas"] == new["readyReplicas"] == new["replicas"] == wanted:
        new["currentReplicas"] = new["updatedReplicas"]
        new["currentRevision"] = present.update
    if found := before.get("conditions"):
        new["conditions"] = found
    if statefulset["apiVersion"].startswith(KOPFWERK):
        new["selector"] = str(selectors.of(statefulset))
    return new


def _of_revision(owned: Iterable[Pod], revision: str, without: frozenset[str] = frozenset()) -> int:
    """Return how many pods of a revision there are that nobody deletes."""
    return sum(
        bool(pod.phase) and not pod.terminating and revision_of(pod) == revision and pod.uid not in without
        for pod in owned
    )
