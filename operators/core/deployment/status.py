"""What a Deployment's status says. Mirrors calculateStatus in sync.go and syncRolloutStatus in progress.go."""

from collections.abc import Sequence
from datetime import datetime

from operators.core import conditions, objects, selectors
from operators.core.deployment.observed import Observed, max_unavailable, progress_deadline, replicas
from operators.core.deployment.plan import family, is_rolling_out, selects_all
from operators.core.deployment.progress import PROGRESSING, condition, paused_or_resumed, progressed
from operators.core.deployment.replicasets import Family, count, size
from operators.core.objects import KOPFWERK, Obj, without_zeros
from operators.core.plan import Create, Exists, Failure, Outcome
from operators.core.semantic import same_template

REPLICA_FAILURE = "ReplicaFailure"


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there is says the same or a failed write comes first."""
    new = _status(observed, outcome)
    if new is None or without_zeros(new) == without_zeros(observed.deployment.get("status") or {}):
        return None
    return new


def _status(observed: Observed, outcome: Outcome) -> Obj | None:
    deployment = observed.deployment
    before: Obj = deployment.get("status") or {}
    if selects_all(deployment):
        return before | {"observedGeneration": objects.generation(deployment)}
    found = paused_or_resumed(deployment, before.get("conditions") or (), observed.now)
    members = family(observed)
    for step, result in outcome.results:
        if isinstance(result, Exists):
            return _collided(deployment, before, result.obj)
        if isinstance(result, Failure):
            return _failed(observed, step, result, before, found)
        if isinstance(step, Create):
            members = Family.of(deployment, (*members.all, result))
            found = _announced(
                observed, found, "NewReplicaSetCreated", f'Created new replica set "{objects.name(result)}"'
            )
    if members.new is not None and conditions.get(found, PROGRESSING) is None:
        found = _announced(
            observed, found, "FoundNewReplicaSet", f'Found new replica set "{objects.name(members.new)}"'
        )
    new = _counts(deployment, members, before)
    found = _available(observed, new, found)
    if is_rolling_out(deployment, members):
        found = progressed(deployment, members.new, new, found, observed.now)
        found = _replica_failure(members, found, observed.now)
    return new | ({"conditions": found} if found else {})


def _announced(observed: Observed, found: Sequence[Obj], reason: str, message: str) -> list[Obj]:
    """Say that a rollout has a ReplicaSet, from which its deadline counts."""
    if progress_deadline(observed.deployment) is None:
        return list(found)
    return conditions.with_(found, condition(PROGRESSING, "True", reason, message, observed.now))


def _collided(deployment: Obj, before: Obj, holder: Obj) -> Obj | None:
    """Count a collision where the name of the new ReplicaSet is another's; ours, the cache has yet to show."""
    owner = objects.controller_of(holder)
    template = deployment["spec"]["template"]
    if (
        owner is not None
        and owner.uid == objects.uid(deployment)
        and same_template(holder["spec"]["template"], template)
    ):
        return None
    return before | {"collisionCount": before.get("collisionCount", 0) + 1}


def _failed(observed: Observed, step: object, failure: Failure, before: Obj, found: Sequence[Obj]) -> Obj | None:
    """Report that the new ReplicaSet could not be made; any other failure shows only in being tried again."""
    if (
        not isinstance(step, Create)
        or failure.is_namespace_terminating
        or progress_deadline(observed.deployment) is None
    ):
        return None
    message = f'Failed to create new replica set "{objects.name(step.body)}": {failure.message}'
    failed = condition(PROGRESSING, "False", "ReplicaSetCreateError", message, observed.now)
    return before | {"conditions": conditions.with_(found, failed)}


def _counts(deployment: Obj, members: Family, before: Obj) -> Obj:
    """Return the status without its conditions: sums over the ReplicaSets' own."""

    def total(name: str) -> int:
        return sum(count(rs, name) for rs in members.all)

    running = total("availableReplicas")
    new: Obj = {
        "observedGeneration": objects.generation(deployment),
        "replicas": total("replicas"),
        "updatedReplicas": count(members.new, "replicas") if members.new else 0,
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": running,
        "unavailableReplicas": max(0, sum(size(rs) for rs in members.all) - running),
    }
    if all("terminatingReplicas" in (rs.get("status") or {}) for rs in members.all if count(rs, "observedGeneration")):
        new["terminatingReplicas"] = total("terminatingReplicas")
    if "collisionCount" in before:
        new["collisionCount"] = before["collisionCount"]
    if deployment["apiVersion"].startswith(KOPFWERK):
        new["selector"] = str(selectors.of(deployment))
    return new


def _available(observed: Observed, status: Obj, found: Sequence[Obj]) -> list[Obj]:
    """Say whether as many pods are available as have to be."""
    deployment = observed.deployment
    if status["availableReplicas"] >= replicas(deployment) - max_unavailable(deployment):
        made = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        made = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return conditions.with_(found, condition("Available", *made, observed.now))


def _replica_failure(members: Family, found: Sequence[Obj], now: datetime) -> list[Obj]:
    """Pass on a ReplicaSet's failure to create or delete pods, the new one's first."""
    for rs in ((members.new,) if members.new else ()) + members.all:
        failure = conditions.get((rs.get("status") or {}).get("conditions") or (), REPLICA_FAILURE)
        if failure:
            since = failure.get("lastTransitionTime") or objects.format_time(now)
            return conditions.with_(found, failure | {"lastTransitionTime": since, "lastUpdateTime": since})
    return conditions.without(found, REPLICA_FAILURE)
