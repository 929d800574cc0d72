"""What a sync has brought about, in numbers, for the metrics that upstream has. Mirrors what syncJob records."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from operators.core import conditions, objects
from operators.core.job import failure_policy, spec
from operators.core.job.indexes import Indexes
from operators.core.job.observed import COMPLETE, FAILED, Observed, is_true
from operators.core.job.pods import is_strip
from operators.core.job.verdict import verdict
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Failure, Outcome


@dataclass(frozen=True, slots=True)
class Tally:
    """The numbers, and the labels that they are counted under. Results are "succeeded" and "failed"."""

    completion_mode: str
    action: str
    finished: tuple[str, str] | None
    """The result and the reason of a Job that has come to its end."""
    pods_finished: Mapping[str, int]
    indexes_finished: Mapping[str, int]
    backoff_limit: str
    """What limits failures: all of them together ("global"), or those "perIndex"."""
    handled: Mapping[str, int]
    """The failed pods that rules of the policy were about, by action."""
    created: Mapping[str, int]
    why_created: str


def tally(observed: Observed, outcome: Outcome, status: Obj | None) -> Tally | None:
    """Count, with the status that was written, if one was; None of a Job that there is nothing to do for."""
    job = observed.job
    if spec.is_managed_elsewhere(job) or observed.is_finished or not spec.is_known_mode(job):
        return None
    before, after = observed.status, observed.status if status is None else status
    failed = after.get("failed", 0) - before.get("failed", 0)
    succeeded = after.get("succeeded", 0) - before.get("succeeded", 0)
    if observed.is_indexed:
        succeeded = _more(observed, "completedIndexes", after)
    indexes = {"succeeded": succeeded, "failed": _more(observed, "failedIndexes", after)} if observed.is_indexed else {}
    return Tally(
        completion_mode="Indexed" if observed.is_indexed else "NonIndexed",
        action=_action(observed, outcome),
        finished=_finished(after),
        pods_finished=_some({"succeeded": succeeded, "failed": failed}),
        indexes_finished=_some(indexes),
        backoff_limit="global" if spec.backoff_limit_per_index(job) is None else "perIndex",
        handled=_handled(observed, outcome),
        created=_created(outcome),
        why_created=_why_created(observed),
    )


def _some(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Leave out what there is none of, or less than before: indexes may have been taken away."""
    return {name: count for name, count in counts.items() if count > 0}


def _more(observed: Observed, field: str, after: Obj) -> int:
    """Return how many more indexes a status names than it did. Reading them takes a while where there are many."""
    if after.get(field) == observed.status.get(field):
        return 0
    old = observed.recorded_indexes if field == "completedIndexes" else observed.recorded_failed_indexes
    return len(Indexes.parse(after.get(field) or "", observed.completions or 0)) - len(old)


def _action(observed: Observed, outcome: Outcome) -> str:
    """Return upstream's word for what a sync was busy with."""
    if objects.is_terminating(observed.job) or verdict(observed) is not None:
        return "reconciling"
    if spec.is_suspended(observed.job) or any(isinstance(step, Delete) for step, _ in outcome.results):
        return "pods_deleted"
    return "pods_created" if any(isinstance(step, Create) for step, _ in outcome.results) else "tracking"


def _finished(status: Obj) -> tuple[str, str] | None:
    for type_, result in ((COMPLETE, "succeeded"), (FAILED, "failed")):
        if is_true(status, type_):
            found = conditions.get(status["conditions"], type_) or {}
            return result, str(found.get("reason", ""))
    return None


def _handled(observed: Observed, outcome: Outcome) -> Mapping[str, int]:
    """Count the failed pods that were let go, by the action of the rule that they meet."""
    if not observed.job["spec"].get("podFailurePolicy"):
        return {}
    gone = {step.target.uid for step, result in outcome.results if is_strip(step) and not isinstance(result, Failure)}
    matches = (observed.match(pod, run) for pod, run in observed.tracked if pod.uid in gone and observed.is_failed(pod))
    return Counter(match.action for match in matches if match is not failure_policy.DEFAULT)


def _created(outcome: Outcome) -> Mapping[str, int]:
    made = (isinstance(result, Failure) for step, result in outcome.results if isinstance(step, Create))
    return Counter("failed" if is_failure else "succeeded" for is_failure in made)


def _why_created(observed: Observed) -> str:
    if observed.failed > 0 and spec.replaces_only_failed(observed.job):
        return "recreate_failed"
    return "recreate_terminating_or_failed" if observed.failed > 0 or observed.terminating else "new"
