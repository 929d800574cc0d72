"""What a DaemonSet's status says. Mirrors updateDaemonSetStatus in pkg/controller/daemon/daemon_controller.go."""

from operators.core import objects, revisions, selectors
from operators.core.daemonset.history import history
from operators.core.daemonset.members import Members, claim_pods
from operators.core.daemonset.observed import Observed
from operators.core.daemonset.plan import selects_all
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Create, Exists, Failure, Outcome, Patch, Step


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there says the same or is about to be overtaken.

    Counts are of what was observed, before this sync's writes; where those change pods, the next sync counts, which
    the pods wake as soon as they show. Of one that is being deleted nothing is said: its revisions may be gone.
    """
    daemonset = observed.daemonset
    before: Obj = daemonset.get("status") or {}
    if objects.is_terminating(daemonset) or selects_all(daemonset):
        return None
    for step, result in outcome.results:
        if isinstance(step, Create) and step.resource == revisions.CONTROLLERREVISIONS:
            return revisions.collided(observed.daemonset, result.obj) if isinstance(result, Exists) else None
        if isinstance(result, Failure) and _is_patch_of_owners(step):
            return None  # nobody knows yet what there is to count
    if outcome.has_moved or not history(observed).is_clear:
        return None
    new = _status(observed)
    return None if objects.without_zeros(new) == objects.without_zeros(before) else new


def _is_patch_of_owners(step: Step) -> bool:
    """Whether a step adopts or releases a pod or a revision."""
    return isinstance(step, Patch) and "ownerReferences" in step.body.get("metadata", {})


def _status(observed: Observed) -> Obj:
    """Return the whole status. Counts of zero are in it, so that printer columns of a custom resource show them."""
    daemonset = observed.daemonset
    before: Obj = daemonset.get("status") or {}
    members = Members.of(observed, claim_pods(observed).owned, history(observed).digest)
    wanted = [name for name, verdict in members.verdicts.items() if verdict.run]
    first = [members.pods[name][0] for name in wanted if name in members.pods]
    available = sum(members.is_available(pod) for pod in first)
    new: Obj = {
        "observedGeneration": objects.generation(daemonset),
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len(first),
        "numberMisscheduled": sum(name in members.pods and not v.run for name, v in members.verdicts.items()),
        "numberReady": sum(pod.ready for pod in first),
        "updatedNumberScheduled": sum(members.is_updated(pod) for pod in first),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
    if (collisions := before.get("collisionCount")) is not None:
        new["collisionCount"] = collisions
    if found := before.get("conditions"):
        new["conditions"] = found
    if daemonset["apiVersion"].startswith(KOPFWERK):
        new["selector"] = str(selectors.of(daemonset))
    return new
