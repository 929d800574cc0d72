"""PodProbe: probes of pods as a resource of its own. Mirrors pkg/kubelet/prober."""

from operators.core.probe.observed import Member, Observed
from operators.core.probe.plan import plan, release
from operators.core.probe.status import announce, report

__all__ = ["Member", "Observed", "announce", "plan", "release", "report"]
