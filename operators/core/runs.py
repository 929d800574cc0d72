"""How a pod's run for a Job went: what the rules of Jobs ask of a pod and nobody else does.

Mirrors getFinishedTime in pkg/controller/job/backoff_utils.go and getCompletionIndex in indexed_job_utils.go.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from operators.core import objects
from operators.core.objects import Obj

FINALIZER = "batch.kubernetes.io/job-tracking"
"""Keeps a pod from vanishing before its Job has counted it."""
INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Run:
    """The facts. index is the completion index, None where the pod has none that can be read.

    failures and ignored are how often pods of the index had failed before this one. exits are the containers that ended
    with another code than 0, the init containers last; conditions are pairs of type and status.
    """

    finalizers: tuple[str, ...]
    index: int | None
    failures: int
    ignored: int
    exits: tuple[tuple[str, int], ...]
    conditions: tuple[tuple[str, str], ...]
    restarts: int
    finished: datetime
    """When it ended, as far as can be told; of no meaning while it runs."""

    @property
    def tracked(self) -> bool:
        """Whether it has the finalizer."""
        return FINALIZER in self.finalizers


def parse(obj: Obj) -> Run:
    """Read a pod from the apiserver's JSON."""
    status = obj.get("status") or {}
    annotations = objects.annotations(obj)
    containers, init = status.get("containerStatuses") or (), status.get("initContainerStatuses") or ()
    index = _number(annotations.get(INDEX))
    return Run(
        finalizers=tuple(obj["metadata"].get("finalizers") or ()),
        index=index if index is not None and index >= 0 else None,
        failures=_count(annotations.get(INDEX_FAILURES)),
        ignored=_count(annotations.get(INDEX_IGNORED)),
        exits=tuple(_exits((*containers, *init))),
        conditions=tuple((c["type"], c["status"]) for c in status.get("conditions") or ()),
        restarts=sum(container.get("restartCount", 0) for container in (*containers, *init)),
        finished=_finished(obj),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _count(text: str | None) -> int:
    """Read a count of failures, 0 where there is none that makes sense."""
    number = _number(text)
    return number if number is not None and 0 <= number <= _LARGEST else 0


def _exits(statuses: Iterable[Obj]) -> Iterator[tuple[str, int]]:
    for status in statuses:
        ended = (status.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode", 0) != 0:
            yield status["name"], ended["exitCode"]


def _finished(obj: Obj) -> datetime:
    """Return when the last container ended, else when the pod ceased to be ready, was deleted, or was created."""
    meta, status = obj["metadata"], obj.get("status") or {}
    if ended := _last_end(obj):
        return ended
    for condition in status.get("conditions") or ():
        since = condition.get("lastTransitionTime")
        if condition["type"] == "Ready" and condition["status"] == "False" and since:
            return objects.parse_time(since)
    if deletion := meta.get("deletionTimestamp"):
        return objects.parse_time(deletion) - timedelta(seconds=meta.get("deletionGracePeriodSeconds") or 0)
    return objects.parse_time(meta["creationTimestamp"])


def _last_end(obj: Obj) -> datetime | None:
    """Return when the last container ended, sidecars included; None while there is one that has not."""
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    init = [s for s in status.get("initContainerStatuses") or () if s["name"] in sidecars]
    ends = [_end(container) for container in (*(status.get("containerStatuses") or ()), *init)]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _end(container: Obj) -> datetime | None:
    at = ((container.get("state") or {}).get("terminated") or {}).get("finishedAt")
    return objects.parse_time(at) if at else None
