"""What a Job's status says, and what is told once it says so.

Mirrors the end of syncJob and enactJobFinished.
"""

from collections.abc import Iterator
from datetime import datetime

from operators.core import conditions, objects
from operators.core.job import spec
from operators.core.job.observed import COMPLETE, FAILED, SUSPENDED, Observed, is_true
from operators.core.job.pods import is_strip
from operators.core.job.tracking import count
from operators.core.job.verdict import COMPLETED, Verdict, is_complete, verdict
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Create, Delete, Failure, Outcome, Patch, Say

_STATES = (COMPLETE, FAILED, SUSPENDED, "FailureTarget", "SuccessCriteriaMet")
_ZEROS = ("active", "succeeded", "failed", "completedIndexes")


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there says the same."""
    job = observed.job
    if spec.is_managed_elsewhere(job) or observed.is_finished or not spec.is_known_mode(job):
        return None
    if any(isinstance(step, Patch) and not is_strip(step) for step, _ in outcome.failures):
        return None  # where a claim failed, nobody knows yet what there is to count
    new = _status(observed, outcome)
    return None if _plain(new) == _plain(observed.status) else new


def _plain(status: Obj) -> Obj:
    """Return a status as built-in kinds keep it, which leave out what is empty."""
    return {name: value for name, value in status.items() if value or name not in _ZEROS}


def _status(observed: Observed, outcome: Outcome) -> Obj:
    """Return the whole status, with what came of the writes: created pods are active, deleted ones terminating."""
    deleted = _done(outcome, Delete)
    ended = [pod for pod in observed.active if pod.uid in deleted]
    created = sum(isinstance(step, Create) and _is_done(result) for step, result in outcome.results)
    active = len(observed.active) - len(ended) + created
    present = _present(observed, active)
    counts = count(observed, _done(outcome, Patch), present)
    new: Obj = {
        "active": active,
        "ready": sum(pod.ready for pod in observed.active) - sum(pod.ready for pod in ended),
        "terminating": len(observed.terminating) + len(ended),
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "uncountedTerminatedPods": counts.uncounted,
        **_indexes(observed),
    }
    goes_on = present is None and verdict(observed) is None and not objects.is_terminating(observed.job)
    new |= _times_and_conditions(observed, goes_on=goes_on)
    if present is not None:
        found = new.get("conditions", [])
        if not present.recorded:
            new["conditions"] = _with(found, present.interim, present, observed.now)
        elif not counts.left and not new["terminating"]:
            new["conditions"] = _with(found, present.final, present, observed.now)
            if present.success:
                new["completionTime"] = objects.format_time(observed.now)
    if observed.job["apiVersion"].startswith(KOPFWERK):
        new |= _columns(observed, new)
    return new


def _done(outcome: Outcome, kind: type[Delete | Patch]) -> frozenset[str]:
    """Return the UIDs of the pods that were deleted, or that lost their finalizer."""
    done = (step for step, result in outcome.results if isinstance(step, kind) and not isinstance(result, Failure))
    return frozenset(step.target.uid for step in done if isinstance(step, Delete) or is_strip(step))


def _is_done(result: object) -> bool:
    """Whether a pod was made, or none can be in a namespace on its way out, which upstream takes for the same."""
    return not isinstance(result, Failure) or result.is_namespace_terminating


def _present(observed: Observed, active: int) -> Verdict | None:
    """Return the verdict that holds: it does only once no pod is left that runs."""
    found = verdict(observed)
    if found is not None:
        return found if active == 0 else None
    return COMPLETED if is_complete(observed, active) else None


def _indexes(observed: Observed) -> Obj:
    """Return the ranges of indexes, of an Indexed Job."""
    if not observed.is_indexed:
        return {}
    new: Obj = {"completedIndexes": str(observed.succeeded_indexes)} if observed.succeeded_indexes else {}
    if spec.backoff_limit_per_index(observed.job) is not None:
        new["failedIndexes"] = str(observed.failed_indexes)
    return new


def _times_and_conditions(observed: Observed, *, goes_on: bool) -> Obj:
    """Return startTime and conditions, where the Job goes on with whether it is suspended.

    A Job that is suspended loses its startTime, and one that is resumed starts anew: its deadline counts from there.
    """
    start, found = observed.start, list(observed.status.get("conditions") or ())
    current = conditions.get(found, SUSPENDED)
    if goes_on and spec.is_suspended(observed.job) and not is_true(observed.status, SUSPENDED):
        start = None
        found = _put(found, conditions.new(SUSPENDED, "True", "JobSuspended", "Job suspended", observed.now))
    elif goes_on and not spec.is_suspended(observed.job) and current is not None and current["status"] != "False":
        start = observed.now
        found = _put(found, conditions.new(SUSPENDED, "False", "JobResumed", "Job resumed", observed.now))
    new: Obj = {"startTime": objects.format_time(start)} if start is not None else {}
    return new | ({"conditions": found} if found else {})


def _with(found: list[Obj], type_: str, why: Verdict, now: datetime) -> list[Obj]:
    return _put(found, conditions.new(type_, "True", why.reason, why.message, now))


def _put(found: list[Obj], condition: Obj) -> list[Obj]:
    """Return the conditions with this one, in the place of the one of its type where there is one."""
    new = condition | {"lastProbeTime": condition["lastTransitionTime"]}
    if conditions.get(found, condition["type"]) is None:
        return [*found, new]
    return [new if old["type"] == condition["type"] else old for old in found]


def _columns(observed: Observed, status: Obj) -> Obj:
    """Return the two columns of `kubectl get jobs` that upstream's apiserver computes, and a custom resource cannot."""
    wanted = observed.completions
    parallelism = spec.parallelism(observed.job)
    of = "1" if parallelism <= 1 else f"1 of {parallelism}"
    state = next((type_ for type_ in _STATES if is_true(status, type_)), "Running")
    return {"state": state, "progress": f"{status['succeeded']}/{of if wanted is None else wanted}"}


def announce(observed: Observed, status: Obj) -> Iterator[Say]:
    """Yield the events to record once a status is written: what it says that the one before did not."""
    for type_, reason, message in ((SUSPENDED, "Suspended", "Job suspended"), (COMPLETE, "Completed", "Job completed")):
        if not is_true(observed.status, type_) and is_true(status, type_):
            wanted = observed.completions
            if type_ == COMPLETE and wanted is not None and status["succeeded"] > wanted:
                many = "Too many succeeded pods running after completion count reached"
                yield Say("Warning", "TooManySucceededPods", many)
            yield Say("Normal", reason, message)
    if is_true(observed.status, SUSPENDED) and not is_true(status, SUSPENDED):
        yield Say("Normal", "Resumed", "Job resumed")
    if not is_true(observed.status, FAILED) and is_true(status, FAILED):
        found = conditions.get(status["conditions"], FAILED) or {}
        yield Say("Warning", found["reason"], found["message"])
