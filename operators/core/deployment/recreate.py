"""Recreate: no new pod before the last old one has ended. Mirrors pkg/controller/deployment/recreate.go."""

from operators.core import objects
from operators.core.deployment.observed import Observed, replicas
from operators.core.deployment.replicasets import Changes, Family, count
from operators.core.objects import Obj


def scale_down(family: Family, changes: Changes) -> bool:
    """Take every old ReplicaSet to zero, and say whether any was not there yet."""
    scaled = [changes.scale(rs, 0) for rs in family.active_old]
    return any(scaled)


def old_pods_run(observed: Observed, family: Family) -> bool:
    """Whether an old pod may still run: it has not failed or succeeded, be it terminating or not."""
    if any(count(rs, "replicas") for rs in family.old):
        return True
    return any(not pod.is_terminated for rs in family.old for pod in observed.pods.get(objects.uid(rs), ()))


def scale_up(deployment: Obj, new: Obj, changes: Changes) -> bool:
    """Take the new ReplicaSet to the size asked for, and say whether it was not there yet."""
    return changes.scale(new, replicas(deployment))
