"""Whether a workload is rolled out, as the two conditions by which generic tools judge custom resources.

`Ready` is True once the latest spec is observed and rolled out, by the rule of `kubectl rollout status`, and of a Job
once it has begun; `Stalled` is there while that is not going to be, and once a Job has failed. kstatus
(sigs.k8s.io/cli-utils) reads them, and with it Helm and Flux; so does `kubectl wait --for=condition=Ready`. Built-in
kinds do not have them: those tools know them by heart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from operators.core import conditions, objects
from operators.core.kubectl.kinds import Refused
from operators.core.kubectl.status import VIEWERS, Progress
from operators.core.objects import KOPFWERK, Obj
from operators.core.plan import Outcome

READY: Final = "Ready"
STALLED: Final = "Stalled"


class Seen(Protocol):
    """What is observed of any kind."""

    @property
    def now(self) -> datetime:
        """When it was observed."""
        ...


S = TypeVar("S", bound=Seen)
Report = Callable[[S, Outcome], Obj | None]


def reporting(group: str, report: Report[S], parent: Callable[[S], Obj]) -> Report[S]:
    """Return a report that adds the two conditions to another's, or that other one where the kinds are built in.

    They follow from the rest of the status, so they ask for no write of their own, but where they are not there yet.
    """
    if group != KOPFWERK:
        return report

    def with_conditions(observed: S, outcome: Outcome) -> Obj | None:
        obj = parent(observed)
        before: Obj = obj.get("status") or {}
        new = report(observed, outcome)
        if new is None and (not _is_observed(obj) or _is_judged(before)):
            return None
        status = before if new is None else new
        found = judged(obj | {"status": status}, observed.now)
        status = status | {"conditions": found}
        return None if status == before else status

    return with_conditions


def judged(obj: Obj, now: datetime) -> list[Obj]:
    """Return the conditions of an object with Ready and, where it is so, Stalled among them."""
    found: list[Obj] = (obj.get("status") or {}).get("conditions") or []
    words = _JOB if obj["kind"] == "Job" else _ROLLOUT
    try:
        progress = _progress(obj)
    except Refused as error:
        found = _put(found, conditions.new(STALLED, "True", words.stalled, str(error), now))
        return _put(found, conditions.new(READY, "False", words.stalled, str(error), now))
    state = ("True", words.done) if progress.done else ("False", words.under_way)
    return _put(conditions.without(found, STALLED), conditions.new(READY, *state, progress.message, now))


@dataclass(frozen=True, slots=True)
class _Reasons:
    done: str
    under_way: str
    stalled: str


_ROLLOUT: Final = _Reasons("RolledOut", "RollingOut", "ProgressDeadlineExceeded")
_JOB: Final = _Reasons("JobStarted", "JobNotStarted", "JobFailed")


def _progress(obj: Obj) -> Progress:
    """Judge by the kind's rule. Where nothing rolls out by itself, what counts is that all there has to be is up."""
    if obj["kind"] == "Job":
        return _job_progress(obj)
    strategy = obj["spec"].get("updateStrategy") or {}
    viewer = VIEWERS.get(obj["kind"])
    if viewer is not None and strategy.get("type") != "OnDelete":
        return viewer(obj, 0)
    status = obj.get("status") or {}
    if not _is_observed(obj):
        return Progress("Waiting for the spec to be observed...")
    wanted = status.get("desiredNumberScheduled", obj["spec"].get("replicas", 1))
    total = status.get("currentNumberScheduled", status.get("replicas", 0))
    available = status.get("numberAvailable", status.get("availableReplicas", 0))
    if total != wanted:
        return Progress(f"Waiting for {wanted} replicas: there are {total}...")
    return Progress(f"{available} of {wanted} replicas are available", done=available >= wanted)


def _job_progress(obj: Obj) -> Progress:
    """Judge as kstatus judges built-in Jobs: it is enough that it has begun, until it has failed."""
    status = obj.get("status") or {}
    true = {one["type"]: one for one in status.get("conditions") or () if one["status"] == "True"}
    if "Failed" in true:
        raise Refused(f"Job failed: {true['Failed'].get('message', '')}")
    if "Complete" in true:
        return Progress("Job completed", done=True)
    return Progress("Job started", done=True) if status.get("startTime") else Progress("Job not started")


def _put(found: list[Obj], condition: Obj) -> list[Obj]:
    """Put a condition in its place: its last transition is that of its status, and its message always the latest."""
    current = conditions.get(found, condition["type"])
    if current is None:
        return [*found, condition]
    if current["status"] == condition["status"] and current.get("lastTransitionTime"):
        condition = condition | {"lastTransitionTime": current["lastTransitionTime"]}
    return [condition if one is current else one for one in found]


def _is_observed(obj: Obj) -> bool:
    return bool((obj.get("status") or {}).get("observedGeneration", 0) >= objects.generation(obj))


def _is_judged(status: Obj) -> bool:
    """Whether it was us who said: what an object has that nobody has looked at yet is the schema's default."""
    condition = conditions.get(status.get("conditions") or (), READY)
    return condition is not None and condition["status"] != "Unknown"
