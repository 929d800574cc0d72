"""Deployment: roll a template out over ReplicaSets. Mirrors pkg/controller/deployment."""

from operators.core.deployment.observed import Observed
from operators.core.deployment.plan import plan
from operators.core.deployment.status import report

__all__ = ["Observed", "plan", "report"]
