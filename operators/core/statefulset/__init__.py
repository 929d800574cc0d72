"""StatefulSet: pods with a name, a place in an order and claims of their own. Mirrors pkg/controller/statefulset."""

from operators.core.statefulset.claims import CLAIMS, claim_names, may_claim
from operators.core.statefulset.observed import Observed
from operators.core.statefulset.plan import plan
from operators.core.statefulset.status import report

__all__ = ["CLAIMS", "Observed", "claim_names", "may_claim", "plan", "report"]
