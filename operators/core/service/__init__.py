"""Service: keeps a core Service of its name, and shows what the apiserver allocated for it.

The core Service has no selector, so kube-controller-manager leaves its slices to operators.core.endpointslice. Read in
this order: observed.py, wanted.py (what the core Service is to say), plan.py, status.py.
"""

from operators.core.service.observed import SERVICES, Observed
from operators.core.service.plan import plan
from operators.core.service.status import report

__all__ = ("SERVICES", "Observed", "plan", "report")
