"""ReplicaSet: keep so many pods of a template. Mirrors pkg/controller/replicaset."""

from operators.core.replicaset.ages import age_ratios
from operators.core.replicaset.observed import Observed
from operators.core.replicaset.plan import plan, replicas
from operators.core.replicaset.status import report

__all__ = ["Observed", "age_ratios", "plan", "replicas", "report"]
