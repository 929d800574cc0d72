"""What to do for a Deployment: its next step, whichever of pausing, rolling back, scaling and rolling out is due.

Mirrors syncDeployment in pkg/controller/deployment/deployment_controller.go. Each sync takes one step; what it wrote
has to be seen before the next is decided. A Deployment wakes when it or one of its ReplicaSets changes, and, if it
recreates, when a pod of a ReplicaSet ends or is gone.
"""

from operators.core import gates, objects, ownership, selectors
from operators.core.deployment import recreate, rolling
from operators.core.deployment.history import clean_up
from operators.core.deployment.observed import Observed, is_paused, is_recreate, replicas
from operators.core.deployment.progress import is_complete, next_check
from operators.core.deployment.replicasets import (
    REVISION,
    Changes,
    Family,
    create,
    new_annotations,
    resource_of,
)
from operators.core.deployment.rollback import rollback, rollback_to
from operators.core.deployment.scaling import is_scaling, scale
from operators.core.objects import KOPFWERK, Obj, deployments
from operators.core.plan import Batch, Patch, Plan, Say, Step, Target

_SELECTS_ALL = Say(
    "Warning", "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required."
)


def plan(observed: Observed) -> Plan:
    """Decide what to write."""
    deployment = observed.deployment
    if selects_all(deployment):
        return Plan(events=(_SELECTS_ALL,))
    claim = ownership.claim(deployment, selectors.of(deployment), observed.replicasets)
    batches = tuple(ownership.batches(claim, resource_of(deployment), deployment))
    if objects.is_terminating(deployment):
        return Plan(batches)
    steps = _steps(observed, Family.of(deployment, claim.owned))
    if steps:
        batches = (*batches, Batch(steps))
    return Plan(batches, requeue_after=next_check(deployment, observed.now))


def family(observed: Observed) -> Family:
    """Return the ReplicaSets that are, or with the plan become, the Deployment's."""
    deployment = observed.deployment
    claim = ownership.claim(deployment, selectors.of(deployment), observed.replicasets)
    return Family.of(deployment, claim.owned)


def selects_all(deployment: Obj) -> bool:
    """Whether the selector is empty, which is never meant."""
    return selectors.of(deployment).is_empty


def is_rolling_out(deployment: Obj, members: Family) -> bool:
    """Whether the rollout is what this sync is about, rather than a pause, a rollback or a change of scale."""
    if objects.is_terminating(deployment) or is_paused(deployment):
        return False
    return rollback_to(deployment) is None and not is_scaling(deployment, members)


def _steps(observed: Observed, members: Family) -> tuple[Step, ...]:
    deployment = observed.deployment
    changes = Changes(deployment)
    _keep_up(deployment, members, changes)
    more: tuple[Step, ...] = ()
    if is_paused(deployment):
        scale(deployment, members, changes)
        if rollback_to(deployment) is None:
            more = clean_up(deployment, members)
    elif (revision := rollback_to(deployment)) is not None:
        more = (rollback(deployment, members, revision),) if members.new else (_create(deployment, members),)
    elif is_scaling(deployment, members):
        scale(deployment, members, changes)
    elif is_recreate(deployment):
        more = _recreate(observed, members, changes)
    else:
        more = _roll(deployment, members, changes)
    return (*changes.patches(), *_number(deployment, members), *more)


def _keep_up(deployment: Obj, members: Family, changes: Changes) -> None:
    """Let the new ReplicaSet follow the Deployment's annotations and minReadySeconds.

    An annotation that is taken away stays with the ReplicaSet, as upstream; but not one that makes pods other ones.
    """
    if members.new is None:
        return
    current = objects.annotations(members.new)
    change = changes.of(members.new)
    change.annotations |= new_annotations(deployment, current, members.next_revision)
    if gates.ANNOTATION in current and not gates.asked(deployment):
        change.annotations[gates.ANNOTATION] = None
    seconds = deployment["spec"].get("minReadySeconds", 0)
    if members.new["spec"].get("minReadySeconds", 0) != seconds:
        change.min_ready_seconds = seconds


def _number(deployment: Obj, members: Family) -> tuple[Patch, ...]:
    """Give the Deployment the revision of its new ReplicaSet.

    Upstream writes it with the status: then it does not count as a new generation, as a built-in Deployment's
    annotations otherwise do. Custom resources take no annotations from a status write, and count the spec alone.
    """
    if members.new is None:
        return ()
    current = objects.annotations(members.new)
    number = new_annotations(deployment, current, members.next_revision).get(REVISION, current.get(REVISION))
    if number is None or objects.annotations(deployment).get(REVISION) == number:
        return ()
    group = resource_of(deployment).group
    subresource = "" if group == KOPFWERK else "status"
    target = Target.of(deployments(group), deployment)
    return (Patch(target, {"metadata": {"annotations": {REVISION: number}}}, subresource=subresource),)


def _create(deployment: Obj, members: Family) -> Step:
    """Make the new ReplicaSet, as large as it may be at once."""
    wanted = replicas(deployment) if is_recreate(deployment) else rolling.new_size(deployment, members)
    return create(deployment, members.next_revision, wanted)


def _roll(deployment: Obj, members: Family, changes: Changes) -> tuple[Step, ...]:
    if members.new is None:
        return (_create(deployment, members),)
    if rolling.roll(deployment, members, members.new, changes):
        return ()
    return _clean_up_when_complete(deployment, members)


def _recreate(observed: Observed, members: Family, changes: Changes) -> tuple[Step, ...]:
    deployment = observed.deployment
    if recreate.scale_down(members, changes) or recreate.old_pods_run(observed, members):
        return ()
    if members.new is None:
        return (_create(deployment, members),)
    recreate.scale_up(deployment, members.new, changes)
    return _clean_up_when_complete(deployment, members)


def _clean_up_when_complete(deployment: Obj, members: Family) -> tuple[Step, ...]:
    if is_complete(deployment, deployment.get("status") or {}):
        return clean_up(deployment, members)
    return ()
