"""DaemonSet: one pod on each node that its template fits. Mirrors pkg/controller/daemon."""

from operators.core.daemonset.backoff import Retry, after
from operators.core.daemonset.observed import Observed, skips_not_ready_nodes
from operators.core.daemonset.placement import Placement, Verdict
from operators.core.daemonset.plan import plan
from operators.core.daemonset.status import report

__all__ = [
    "Observed",
    "Placement",
    "Retry",
    "Verdict",
    "after",
    "plan",
    "report",
    "skips_not_ready_nodes",
]
