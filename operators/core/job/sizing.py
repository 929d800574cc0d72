"""How many pods a Job is to have, and which: those to delete, or else those to make.

Mirrors manageJob and activePodsForRemoval in pkg/controller/job/job_controller.go.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from operators.core import gang
from operators.core.job import backoff, pods, spec
from operators.core.job.observed import Observed, index_of
from operators.core.plan import Batch, Delete
from operators.core.pods import Pod

MOST = 500
"""The most pods that one sync makes or deletes (MaxPodCreateDeletePerSync)."""
_SOONEST = timedelta(seconds=1)
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


@dataclass(frozen=True, slots=True)
class Sizing:
    """What to write, and how long to wait before more pods may be made."""

    batches: tuple[Batch, ...] = ()
    wait: timedelta | None = None

    @property
    def deleted(self) -> frozenset[str]:
        """The UIDs of the pods that are deleted."""
        steps = (step for batch in self.batches for step in batch.steps)
        return frozenset(step.target.uid for step in steps if isinstance(step, Delete))


def size(observed: Observed) -> Sizing:
    """Decide for a Job that goes on. Deleting comes first: what is missing is made by the next sync."""
    active, wanted = observed.active, _wanted(observed)
    excess = max(0, len(active) - wanted)
    doomed = pods_to_delete(observed, excess)
    if spec.is_suspended(observed.job):
        return Sizing(_delete(doomed))
    if doomed:
        return Sizing(_delete(doomed[:MOST]))
    held = len(observed.terminating) if spec.replaces_only_failed(observed.job) else 0
    missing = wanted - len(active) - held
    told = gang.corrections(observed.job, _together(observed), active)
    made = _create(observed, min(missing, MOST)) if missing > 0 else Sizing()
    return replace(made, batches=(Batch(told), *made.batches)) if told else made


def _together(observed: Observed) -> int:
    """Return how many pods can still be expected to run side by side: no other is made for an index that has failed."""
    if observed.completions is None:
        return _wanted(observed)
    return min(_wanted(observed), observed.completions - observed.succeeded - len(observed.failed_indexes))


def _wanted(observed: Observed) -> int:
    """Return how many pods shall run. One success of a work queue is the sign to start no more."""
    if spec.is_suspended(observed.job):
        return 0
    most = spec.parallelism(observed.job)
    if observed.completions is None:
        return len(observed.active) if observed.succeeded > 0 else most
    return max(0, min(most, observed.completions - observed.succeeded))


def _delete(doomed: Sequence[Pod]) -> tuple[Batch, ...]:
    """Delete pods that are not to count: the finalizer goes first, unless the pod has changed meanwhile."""
    if not doomed:
        return ()
    strips = tuple(pods.strip(pod, as_seen=True) for pod in doomed if pod.run is not None and pod.run.tracked)
    deletes = Batch(tuple(pods.delete(pod) for pod in doomed))
    return (Batch(strips), deletes) if strips else (deletes,)


def _create(observed: Observed, count: int) -> Sizing:
    """Make pods, as far as the back-off lets."""
    together = _together(observed)
    base, maximum = spec.backoff(observed.job)
    if spec.backoff_limit_per_index(observed.job) is None:
        wait = observed.endings.wait(base, maximum, observed.now)
        if wait > timedelta():
            return Sizing(wait=max(wait, _SOONEST))
    if not observed.is_indexed:
        return Sizing((Batch(pods.create(observed, None, count, together), slow_start=True),))
    indexes = pending_indexes(observed, count)
    waits = {index: _wait(observed, index, base, maximum) for index in indexes}
    now = [index for index in indexes if waits[index] <= timedelta()]
    later = min((wait for wait in waits.values() if wait > timedelta()), default=None)
    batches = (Batch(pods.create(observed, now, len(now), together), slow_start=True),) if now else ()
    return Sizing(batches, max(later, _SOONEST) if later is not None else None)


def _wait(observed: Observed, index: int, base: timedelta, maximum: timedelta) -> timedelta:
    """Return how long an index with a limit of its own waits for its next pod."""
    last = observed.awaited.get(index)
    if last is None or last.run is None:
        return timedelta()
    failures = last.run.failures + last.run.ignored + 1
    return backoff.wait(failures, last.run.finished, base, maximum, observed.now)


def pending_indexes(observed: Observed, count: int) -> list[int]:
    """Return the lowest indexes that neither have ended nor have a pod."""
    taken: tuple[Pod, ...] = observed.active
    if spec.replaces_only_failed(observed.job):
        taken += observed.terminating
    known = observed.succeeded_indexes.merge(observed.failed_indexes)
    busy = known.with_(index for pod in taken if (index := index_of(pod)) is not None)
    return busy.first_missing(count, observed.completions or 0)


def pods_to_delete(observed: Observed, excess: int) -> list[Pod]:
    """Return active pods to delete: at least `excess`, and all that have an index twice, or none of the Job's."""
    doomed: list[Pod] = []
    left = list(observed.active)
    if observed.is_indexed:
        doomed, left = _by_index(left, observed.completions or 0)
    if excess > len(doomed):
        doomed += sorted(left, key=_urgency)[: excess - len(doomed)]
    return doomed


def _by_index(active: Sequence[Pod], completions: int) -> tuple[list[Pod], list[Pod]]:
    """Return the pods that have no place, and for each index the one that keeps it."""
    doomed: list[Pod] = []
    places: defaultdict[int, list[Pod]] = defaultdict(list)
    for pod in active:
        index = index_of(pod)
        if index is None or index >= completions:
            doomed.append(pod)
        else:
            places[index].append(pod)
    left: list[Pod] = []
    for rivals in places.values():
        *others, last = sorted(rivals, key=_urgency)
        doomed += others
        left.append(last)
    return doomed, left


def _urgency(pod: Pod) -> tuple[object, ...]:
    """Order by how little is lost (controller.ActivePods): the less far a pod has come, the sooner it goes."""
    ready_since = -pod.ready_since.timestamp() if pod.ready and pod.ready_since else float("-inf")
    restarts = (-pod.restarts, -pod.sidecar_restarts)
    phase = _PHASES.get(pod.phase, 0)
    return bool(pod.node), phase, pod.ready, ready_since, *restarts, -pod.created.timestamp(), pod.name
