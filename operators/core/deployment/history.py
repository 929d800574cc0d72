"""Which old ReplicaSets are deleted once a rollout is complete.

Mirrors cleanupDeployment in pkg/controller/deployment/sync.go.
"""

from operators.core import objects
from operators.core.deployment.observed import history_limit
from operators.core.deployment.replicasets import Family, by_revision, count, resource_of, size
from operators.core.objects import Obj
from operators.core.plan import Delete, Target


def clean_up(deployment: Obj, family: Family) -> tuple[Delete, ...]:
    """Return the deletions of the oldest revisions beyond revisionHistoryLimit; what still has pods is kept."""
    limit = history_limit(deployment)
    if limit is None:
        return ()
    alive = sorted((rs for rs in family.old if not objects.is_terminating(rs)), key=by_revision)
    surplus = alive[: max(0, len(alive) - limit)]
    return tuple(Delete(Target.of(resource_of(deployment), rs)) for rs in surplus if _is_empty(rs))


def _is_empty(replicaset: Obj) -> bool:
    """Whether it has no pods, is asked for none, and says so of its latest change."""
    settled = objects.generation(replicaset) <= count(replicaset, "observedGeneration")
    return settled and size(replicaset) == 0 and count(replicaset, "replicas") == 0
