"""What to do for a Job: take on pods, let go of those that are counted, then make or delete pods.

Mirrors syncJob in pkg/controller/job/job_controller.go.
"""

from collections.abc import Iterator

from operators.core import objects, ownership
from operators.core.job import pods, spec
from operators.core.job.observed import Observed
from operators.core.job.sizing import size
from operators.core.job.tracking import MOST, settled
from operators.core.job.verdict import verdict
from operators.core.objects import KOPFWERK, PODS
from operators.core.plan import Batch, Plan, Say
from operators.core.pods import Pod

_UNKNOWN_MODE = Say("Warning", "UnknownCompletionMode", "Skipped Job sync because completion mode is unknown")


def plan(observed: Observed) -> Plan:
    """Decide what to write. A Job that has ended only lets go of its pods."""
    job = observed.job
    if spec.is_managed_elsewhere(job):
        return Plan()
    if observed.is_finished:
        return Plan(_let_go(observed))
    if not spec.is_known_mode(job):
        return Plan(events=(_UNKNOWN_MODE,))
    claims = ownership.batches(observed.claim, PODS, job)
    batches = [pods.with_finalizers(batch, observed.pods) for batch in claims]
    present = verdict(observed)
    if strips := tuple(pods.strip(pod) for pod in settled(observed, present)):
        batches.append(Batch(strips))
    if present is not None:
        if observed.active:
            batches.append(Batch(tuple(pods.delete(pod) for pod in observed.active)))
        return Plan(tuple(batches))
    if objects.is_terminating(job):
        return Plan(tuple(batches))
    sizing = size(observed)
    if bare := tuple(pods.regain(pod) for pod in _bare(observed, sizing.deleted)):
        batches.append(Batch(bare))
    waits = [wait for wait in (sizing.wait, observed.until_deadline) if wait is not None]
    return Plan((*batches, *sizing.batches), requeue_after=min(waits, default=None))


def _bare(observed: Observed, deleted: frozenset[str]) -> Iterator[Pod]:
    """Yield the pods that go on without the finalizer: nobody would count them.

    kube-controller-manager takes it off a pod without a controller, perhaps when a Job of ours has just adopted it.
    The pods of built-in Jobs it knows: from those only a user can have taken it, and there it stays off.
    """
    if not observed.job["apiVersion"].startswith(KOPFWERK):
        return
    adopted = {pod.uid for pod in observed.claim.adopt}
    for pod in observed.active:
        if pod.run is not None and not pod.run.tracked and pod.uid not in adopted | deleted:
            yield pod


def _let_go(observed: Observed) -> tuple[Batch, ...]:
    """Take the finalizer off whatever still has it: normally nothing has, once a Job has ended."""
    uid = objects.uid(observed.job)
    held = [pod for pod in observed.pods if pod.owner is not None and pod.owner.uid == uid]
    strips = tuple(pods.strip(pod) for pod in held if pod.run is not None and pod.run.tracked)[:MOST]
    return (Batch(strips),) if strips else ()
