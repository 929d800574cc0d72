"""How old the pods that scaling down takes are, beside the youngest: a measure of the order in which pods go.

Mirrors reportSortingDeletionAgeRatioMetric in pkg/controller/replicaset/replica_set.go, but for its dropping fractions.
"""

from operators.core.objects import PODS
from operators.core.plan import Delete, Plan
from operators.core.replicaset.observed import Observed


def age_ratios(observed: Observed, plan: Plan) -> list[float]:
    """Return the age of each ready pod to be deleted over that of the youngest ready pod; nothing where all pods go.

    With pods of 10, 40 and 80 s, of which that of 40 s is deleted: 4.
    """
    doomed = {step.target.uid for step in plan.steps if isinstance(step, Delete) and step.target.resource == PODS}
    if not doomed:
        return []
    active = [pod for pod in observed.pods if pod.is_active]
    ages = {pod.uid: (observed.now - pod.created).total_seconds() for pod in active if pod.ready}
    youngest = min(ages.values(), default=0.0)
    if len(doomed) >= len(active) or youngest <= 0:
        return []
    return [age / youngest for uid, age in ages.items() if uid in doomed]
