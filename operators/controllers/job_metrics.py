"""What upstream's Job and TTL controllers count, under its names (job/metrics and ttlafterfinished/metrics there).

A pod is handled by a policy when its finalizer goes, and a failed creation is not counted among those that succeeded.
"""

from itertools import accumulate
from operator import mul

from prometheus_client import Counter, Histogram

from operators.core import job
from operators.core.job import Observed
from operators.core.pods import Pod
from operators.runtime.controller import Sync

_SYNC_SECONDS = tuple(accumulate([2.0] * 14, mul, initial=0.004))
_DELETION_SECONDS = tuple(accumulate([2.0] * 13, mul, initial=0.1))
_PREFIX = "job_controller"

_sync_duration = Histogram(
    f"{_PREFIX}_job_sync_duration_seconds",
    "The time it took to sync a job",
    ["completion_mode", "result", "action"],
    buckets=_SYNC_SECONDS,
)
_syncs = Counter(f"{_PREFIX}_job_syncs", "The number of job syncs", ["completion_mode", "result", "action"])
_finished = Counter(f"{_PREFIX}_jobs_finished", "The number of finished jobs", ["completion_mode", "result", "reason"])
_elsewhere = Counter(
    f"{_PREFIX}_jobs_by_external_controller", "The number of Jobs managed by another controller", ["controller_name"]
)
_pods_finished = Counter(
    f"{_PREFIX}_job_pods_finished", "The number of finished Pods that are fully tracked", ["completion_mode", "result"]
)
_failures_handled = Counter(
    f"{_PREFIX}_pod_failures_handled_by_failure_policy",
    "The number of failed Pods that a rule of a pod failure policy was about, by its action",
    ["action"],
)
_terminated = Counter(
    f"{_PREFIX}_terminated_pods_tracking_finalizer",
    "The terminated pods that have got (add) or lost (delete) the finalizer batch.kubernetes.io/job-tracking",
    ["event"],
)
_indexes_finished = Counter(
    f"{_PREFIX}_job_finished_indexes", "The number of finished indexes", ["status", "backoffLimit"]
)
_pods_created = Counter(
    f"{_PREFIX}_job_pods_creation", "The number of Pods created by the Job controller, by why", ["reason", "status"]
)
deletion_duration = Histogram(
    "ttl_after_finished_controller_job_deletion_duration_seconds",
    "The time it took to delete the job since it became eligible for deletion",
    buckets=_DELETION_SECONDS,
)


def ended(observed: Observed, sync: Sync) -> None:
    """Count what a sync has brought about."""
    seen = job.tally(observed, sync.outcome, sync.status)
    if seen is None:
        return
    mode, result = seen.completion_mode, "error" if sync.failed else "success"
    _sync_duration.labels(mode, result, seen.action).observe(sync.seconds)
    _syncs.labels(mode, result, seen.action).inc()
    if seen.finished is not None:
        _finished.labels(mode, *seen.finished).inc()
    for how, count in seen.pods_finished.items():
        _pods_finished.labels(mode, how).inc(count)
    for how, count in seen.indexes_finished.items():
        _indexes_finished.labels(how, seen.backoff_limit).inc(count)
    for action, count in seen.handled.items():
        _failures_handled.labels(action).inc(count)
    for how, count in seen.created.items():
        _pods_created.labels(seen.why_created, how).inc(count)


def pod_changed(old: Pod | None, new: Pod | None) -> None:
    """Count a pod that came to be, or ceased to be, one that has ended and has the finalizer."""
    before, after = _waits(old), _waits(new)
    if before != after:
        _terminated.labels("add" if after else "delete").inc()


def _waits(pod: Pod | None) -> bool:
    return pod is not None and pod.run is not None and pod.run.tracked and pod.phase in ("Succeeded", "Failed")


def managed_elsewhere(controller: str) -> None:
    """Count a Job that another controller looks after."""
    _elsewhere.labels(controller).inc()
