"""Pods that no Job will count any more: their finalizer would keep them for ever.

Mirrors syncOrphanPod in pkg/controller/job/job_controller.go.
"""

from collections.abc import Iterable

from operators.core import objects
from operators.core.job.pods import strip
from operators.core.job.tracking import MOST
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Batch, Plan
from operators.core.pods import Pod


def is_stray(pod: Pod, group: str, job: Obj | None) -> bool:
    """Whether a pod waits in vain for a Job of an API group; `job` is the one of the name that its owner has.

    Pods without any controller are strays of the built-in Jobs alone: whoever controls those, here or upstream, looks
    after them.
    """
    if pod.run is None or not pod.run.tracked:
        return False
    if pod.owner is None:
        return group != KOPFWERK
    if pod.owner.kind != "Job" or pod.owner.group != group:
        return False
    return job is None or objects.uid(job) != pod.owner.uid


def release(strays: Iterable[Pod]) -> Plan:
    """Return the plan that takes the finalizer off strays, each only as it was seen: it may be adopted yet."""
    strips = tuple(strip(pod, as_seen=True) for pod in sorted(strays, key=lambda pod: pod.name)[:MOST])
    return Plan((Batch(strips),)) if strips else Plan()
