"""EndpointSlice: which addresses a Service stands for, in slices of at most a hundred.

Mirrors k8s.io/endpointslice and pkg/controller/endpointslice. Read in this order: observed.py, endpoints.py (how a pod
becomes an endpoint), packing.py (which slice it goes into), hints.py and topology.py (who should use which), plan.py.
"""

from operators.core.endpointslice.figures import Changes, Figures, changes, figures
from operators.core.endpointslice.observed import (
    ENDPOINTSLICES,
    MANAGERS,
    Observed,
    is_of,
    is_topology_aware,
    service_of,
)
from operators.core.endpointslice.plan import plan
from operators.core.endpointslice.topology import ratios
from operators.core.endpointslice.trigger import Triggers, trigger

__all__ = (
    "ENDPOINTSLICES",
    "MANAGERS",
    "Changes",
    "Figures",
    "Observed",
    "Triggers",
    "changes",
    "figures",
    "is_of",
    "is_topology_aware",
    "plan",
    "ratios",
    "service_of",
    "trigger",
)
