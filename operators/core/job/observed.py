"""What a Job's rules look at, and what follows from it at first glance."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from operators.core import conditions, objects, ownership
from operators.core.job import failure_policy, spec
from operators.core.job.backoff import Endings
from operators.core.job.failure_policy import Match
from operators.core.job.indexes import Indexes
from operators.core.objects import Obj
from operators.core.ownership import Claim
from operators.core.pods import Pod
from operators.core.runs import Run

COMPLETE, FAILED = "Complete", "Failed"
SUCCESS_CRITERIA_MET, FAILURE_TARGET, SUSPENDED = "SuccessCriteriaMet", "FailureTarget", "Suspended"


@dataclass(frozen=True, eq=False)
class Observed:
    """One Job and its pods: those that it controls, by UID, and orphans it may adopt.

    endings are what is remembered of its pods that have ended, those in `pods` included.
    """

    job: Obj
    pods: tuple[Pod, ...]
    now: datetime
    endings: Endings = field(default_factory=Endings)

    @cached_property
    def status(self) -> Obj:
        """The status as it is."""
        return self.job.get("status") or {}

    @cached_property
    def is_finished(self) -> bool:
        """Whether it has come to its end, after which it only lets go of pods."""
        return is_true(self.status, COMPLETE) or is_true(self.status, FAILED)

    @cached_property
    def is_decided(self) -> bool:
        """Whether the status says how it ends, though not yet that it has."""
        return is_true(self.status, SUCCESS_CRITERIA_MET) or is_true(self.status, FAILURE_TARGET)

    @cached_property
    def claim(self) -> Claim[Pod]:
        """The pods that are or become this Job's, and those that it lets go."""
        return ownership.claim(self.job, spec.selector(self.job), self.pods)

    @cached_property
    def owned(self) -> tuple[Pod, ...]:
        """Its pods, in the order of their indexes."""
        return tuple(sorted(self.claim.owned, key=lambda pod: (-1 if (i := index_of(pod)) is None else i, pod.name)))

    @cached_property
    def active(self) -> tuple[Pod, ...]:
        """Its pods that run or are about to."""
        return tuple(pod for pod in self.owned if pod.is_active)

    @cached_property
    def terminating(self) -> tuple[Pod, ...]:
        """Its pods that are being deleted and have not ended."""
        return tuple(pod for pod in self.owned if pod.is_terminating)

    @cached_property
    def tracked(self) -> tuple[tuple[Pod, Run], ...]:
        """Its pods that have the finalizer: those that may not have been counted yet."""
        return tuple((pod, pod.run) for pod in self.owned if pod.run is not None and pod.run.tracked)

    @cached_property
    def uncounted_succeeded(self) -> frozenset[str]:
        """The pods that have succeeded, by UID, that the status names and does not count yet."""
        return frozenset(_uncounted(self.status).get("succeeded") or ())

    @cached_property
    def uncounted_failed(self) -> frozenset[str]:
        """The pods that have failed, likewise."""
        return frozenset(_uncounted(self.status).get("failed") or ())

    @cached_property
    def completions(self) -> int | None:
        """How many pods have to succeed."""
        return spec.completions(self.job)

    @cached_property
    def is_indexed(self) -> bool:
        """Whether each completion is one of an index."""
        return spec.is_indexed(self.job)

    @cached_property
    def _only_failed(self) -> bool:
        return spec.replaces_only_failed(self.job)

    @cached_property
    def _policy(self) -> Obj | None:
        policy: Obj | None = self.job["spec"].get("podFailurePolicy")
        return policy

    def is_valid(self, run: Run) -> bool:
        """Whether a pod can count at all: of an Indexed Job, it has to have one of its indexes."""
        return not self.is_indexed or (run.index is not None and run.index < (self.completions or 0))

    def is_failed(self, pod: Pod) -> bool:
        """Whether a pod counts as failed: one that is being deleted does at once, unless only failed ones do."""
        if pod.phase == "Failed":
            return True
        return not self._only_failed and pod.terminating and pod.phase != "Succeeded"

    def match(self, pod: Pod, run: Run) -> Match:
        """Return what the Job's policy says of a failed pod."""
        return failure_policy.match(self._policy, pod, run) if self._policy else failure_policy.DEFAULT

    @cached_property
    def recorded_indexes(self) -> Indexes:
        """The indexes that the status says have succeeded."""
        return Indexes.parse(self.status.get("completedIndexes") or "", self.completions or 0)

    @cached_property
    def succeeded_indexes(self) -> Indexes:
        """The indexes that have succeeded."""
        new = (run.index for pod, run in self.tracked if pod.phase == "Succeeded" and self.is_valid(run))
        return self.recorded_indexes.with_(index for index in new if index is not None)

    @cached_property
    def recorded_failed_indexes(self) -> Indexes:
        """The indexes that the status says have failed."""
        return Indexes.parse(self.status.get("failedIndexes") or "", self.completions or 0)

    @cached_property
    def failed_indexes(self) -> Indexes:
        """The indexes that have failed for good, of a Job that has a limit for each.

        Once it is decided how the Job ends there are no more of them: what is deleted then is not its index's fault.
        """
        limit = spec.backoff_limit_per_index(self.job)
        if limit is None or not self.is_indexed:
            return Indexes()
        if self.is_decided:
            return self.recorded_failed_indexes
        new = [
            run.index
            for pod, run in self.tracked
            if run.index is not None and self.is_valid(run) and self._fails_index(pod, run, limit)
        ]
        return self.recorded_failed_indexes.with_(new)

    def _fails_index(self, pod: Pod, run: Run, limit: int) -> bool:
        if not self.is_failed(pod):
            return False
        match = self.match(pod, run)
        return match.action == failure_policy.FAIL_INDEX or (match.counts and run.failures >= limit)

    @cached_property
    def succeeded(self) -> int:
        """How many pods have succeeded, or indexes of an Indexed Job."""
        if self.is_indexed:
            return len(self.succeeded_indexes)
        known = self.uncounted_succeeded
        new = sum(pod.phase == "Succeeded" and pod.uid not in known for pod, _ in self.tracked)
        return int(self.status.get("succeeded", 0)) + new + len(known)

    @cached_property
    def failed(self) -> int:
        """How many pods have failed, those that are ignored left out."""
        known = self.uncounted_failed
        new = sum(
            self.is_failed(pod) and pod.uid not in known and self.is_valid(run) and self.match(pod, run).counts
            for pod, run in self.tracked
        )
        return int(self.status.get("failed", 0)) + new + len(known)

    @cached_property
    def start(self) -> datetime | None:
        """When it was started, or is now; None where it is suspended and has not been."""
        started = self.status.get("startTime")
        if started:
            return objects.parse_time(started)
        return None if spec.is_suspended(self.job) else self.now

    @cached_property
    def until_deadline(self) -> timedelta | None:
        """How long it may go on, None where there is no deadline or the time does not run."""
        deadline = spec.active_deadline(self.job)
        if deadline is None or self.start is None or spec.is_suspended(self.job):
            return None
        return self.start + deadline - self.now

    @cached_property
    def awaited(self) -> dict[int, Pod]:
        """The failed pods, by index, that stay until there is another, which takes on their count of failures.

        Only with a limit for each index: the count is nowhere but in the pods' annotations.
        """
        if spec.backoff_limit_per_index(self.job) is None or not self.is_indexed:
            return {}
        running = {index_of(pod) for pod in self.active}
        last: dict[int, tuple[int, datetime, Pod]] = {}
        for pod, run in self.tracked:
            index = run.index
            if index is None or not self.is_valid(run) or not self.is_failed(pod) or index in running:
                continue
            if index in self.succeeded_indexes or index in self.failed_indexes:
                continue
            candidate = run.failures + run.ignored, run.finished, pod
            if index not in last or _replaces(candidate, last[index]):
                last[index] = candidate
        return {index: pod for index, (_, _, pod) in last.items()}


def _replaces(new: tuple[int, datetime, Pod], old: tuple[int, datetime, Pod]) -> bool:
    return old[0] <= new[0] and new[1] >= old[1]


def _uncounted(status: Obj) -> Obj:
    return status.get("uncountedTerminatedPods") or {}


def is_true(status: Obj, type_: str) -> bool:
    """Whether a status has a condition, and it is True."""
    found = conditions.get(status.get("conditions") or (), type_)
    return found is not None and found["status"] == "True"


def index_of(pod: Pod) -> int | None:
    """Return a pod's completion index."""
    return pod.run.index if pod.run is not None else None
