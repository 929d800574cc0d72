"""Counting each pod once: its end is written into the status first, and only then may the pod go.

Mirrors trackJobStatusAndRemoveFinalizers. A finalizer keeps every pod. The UID of a pod that has ended is written into
`uncountedTerminatedPods` (the index of one that succeeded, into `completedIndexes`); once the status says so, the
finalizer is taken off; once it is off, the UID becomes part of the count. Whatever dies in between, what is to be done
next can be read from the status and the pods. Upstream does all that in one go; here writing the status ends one sync,
and its arrival in the cache begins the next, which takes the same writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from operators.core import objects
from operators.core.job.observed import Observed
from operators.core.job.verdict import Verdict
from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.runs import Run

MOST = 500
"""The most UIDs in a status, and the most finalizers taken off in a sync (MaxUncountedPods)."""


def settled(observed: Observed, present: Verdict | None) -> list[Pod]:
    """Return the pods whose finalizer may go: what is to be known of their end is in the status."""
    if present is not None and not present.recorded:
        return []  # the pods are what the verdict rests on
    ready = (pod for pod, run in observed.tracked if _has_ended(observed, pod, run, present))
    known = (pod for pod in ready if pod.run is not None and _is_recorded(observed, pod, pod.run, present))
    return [pod for pod, _ in zip(known, range(MOST), strict=False)]


def _has_ended(observed: Observed, pod: Pod, run: Run, present: Verdict | None) -> bool:
    """Whether nothing more is waited for before a pod is counted."""
    if present is not None or objects.is_terminating(observed.job) or pod.phase == "Succeeded":
        return True
    if not observed.is_failed(pod):
        return False
    awaited = observed.awaited.get(run.index) if run.index is not None else None
    return awaited is None or awaited.uid != pod.uid


def _is_recorded(observed: Observed, pod: Pod, run: Run, present: Verdict | None) -> bool:
    if pod.uid in observed.uncounted_failed:
        return _is_failure_recorded(observed, run)
    if pod.phase == "Succeeded":
        if observed.is_indexed:
            return not observed.is_valid(run) or run.index in observed.recorded_indexes
        return pod.uid in observed.uncounted_succeeded
    return not _is_to_be_counted(observed, pod, run, present) and _is_failure_recorded(observed, run)


def _is_failure_recorded(observed: Observed, run: Run) -> bool:
    return run.index not in observed.failed_indexes or run.index in observed.recorded_failed_indexes


def _is_to_be_counted(observed: Observed, pod: Pod, run: Run, present: Verdict | None) -> bool:
    """Whether a pod that has not succeeded counts as failed.

    All that are left do where the Job has failed. Where it has succeeded, those that it deleted do not,
    whichever way they end after that.
    """
    if present is None or (present.success and not present.recorded):
        is_lost = observed.is_failed(pod)
    else:
        is_lost = not present.success or (pod.phase == "Failed" and not pod.terminating)
    return is_lost and observed.is_valid(run) and observed.match(pod, run).counts


@dataclass(frozen=True, slots=True)
class Counts:
    """The part of a status that counts pods. left: whether there are pods whose end is not in the count yet."""

    succeeded: int
    failed: int
    uncounted: Obj
    left: bool


def count(observed: Observed, stripped: frozenset[str], present: Verdict | None) -> Counts:
    """Return the counts once the finalizers of `stripped` are off: what they were named for, they count as."""
    held = {pod.uid for pod, _ in observed.tracked} - stripped
    before = observed.status.get("uncountedTerminatedPods") or {}
    succeeded, done = _split(before.get("succeeded") or (), held)
    failed, lost = _split(before.get("failed") or (), held)
    for uid, is_success in _newly_ended(observed, held, present):
        if len(succeeded) + len(failed) >= MOST:
            break
        (succeeded if is_success else failed).append(uid)
    uncounted = {name: uids for name, uids in (("succeeded", succeeded), ("failed", failed)) if uids}
    return Counts(
        len(observed.succeeded_indexes) if observed.is_indexed else int(observed.status.get("succeeded", 0)) + done,
        int(observed.status.get("failed", 0)) + lost,
        uncounted,
        bool(held or uncounted),
    )


def _split(uids: list[str] | tuple[()], held: set[str]) -> tuple[list[str], int]:
    """Return the UIDs of the pods that still have the finalizer, and how many have not."""
    kept = [uid for uid in uids if uid in held]
    return kept, len(uids) - len(kept)


def _newly_ended(observed: Observed, held: set[str], present: Verdict | None) -> Iterator[tuple[str, bool]]:
    """Yield the UIDs to write into the status, each with whether the pod succeeded."""
    known = observed.uncounted_succeeded | observed.uncounted_failed
    for pod, run in observed.tracked:
        if pod.uid not in held or pod.uid in known or not _has_ended(observed, pod, run, present):
            continue
        if pod.phase == "Succeeded":
            if not observed.is_indexed:
                yield pod.uid, True
        elif _is_to_be_counted(observed, pod, run, present):
            yield pod.uid, False
