"""CronJob: woken by its own changes, by its Jobs', and when a run is due."""

from datetime import datetime
from itertools import accumulate
from operator import mul

from prometheus_client import Histogram

from operators.controllers import state
from operators.controllers.zones import time_zone
from operators.core import cronjob, objects
from operators.core.cronjob import Observed
from operators.core.objects import Obj, Resource, cronjobs, jobs
from operators.core.plan import Create
from operators.runtime.controller import Controller, Sync, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import OWNER, controlling

_SPARE = 1000
_creation_skew = Histogram(
    "cronjob_controller_job_creation_skew_duration_seconds",
    "Time between when a run of a CronJob is to start, and when its Job is created",
    buckets=tuple(accumulate([2.0] * 9, mul, initial=1.0)),
)


def cronjob_controller(group: str) -> Controller[Observed]:
    """Declare the controller of an API group's CronJobs."""
    parent, child = cronjobs(group), jobs(group)
    return Controller(
        name="cronjob",
        resource=parent,
        watches=(Watch(child, controlling(parent)),),
        observe=_Memory(parent, child).observe,
        plan=cronjob.plan,
        report=cronjob.report,
        announce=cronjob.announce,
        ended=_ended,
        state=state.CRONJOB,
        writes=(Writes(child, ("create", "delete")),),
    )


class _Memory:
    """Looks at a CronJob, and remembers since when its schedule is what it is: nothing in the object says so.

    What is remembered ends with the process: after that a run of a changed schedule that is past may be started once.
    """

    def __init__(self, parent: Resource, child: Resource) -> None:
        self._parent = parent
        self._child = child
        self._schedules: dict[str, tuple[str, str, datetime | None]] = {}

    def observe(self, informers: Informers, parent: Obj, now: datetime) -> Observed:
        """Return a CronJob with its Jobs."""
        found = informers[self._child]
        zone = cronjob.zone_name(parent)
        changed = self._changed(informers, parent, zone, now)
        return Observed(parent, tuple(found.by(OWNER, objects.uid(parent))), found.get, now, time_zone(zone), changed)

    def _changed(self, informers: Informers, parent: Obj, zone: str, now: datetime) -> datetime | None:
        """Return when the schedule was seen to be another than before."""
        uid, schedule = objects.uid(parent), parent["spec"]["schedule"]
        known = self._schedules.get(uid)
        if known is None:
            self._prune(informers)
        if known is None or known[:2] != (schedule, zone):
            self._schedules[uid] = known = (schedule, zone, now if known else None)
        return known[2]

    def _prune(self, informers: Informers) -> None:
        """Forget CronJobs that are gone, once they are many."""
        if len(self._schedules) > len(informers[self._parent].keys()) + _SPARE:
            present = {objects.uid(obj) for obj in informers[self._parent].all()}
            self._schedules = {uid: known for uid, known in self._schedules.items() if uid in present}


def _ended(observed: Observed, sync: Sync) -> None:
    """Measure how late the run is that a sync has started, jitter aside."""
    run = cronjob.decide(observed).start
    for step, result in sync.outcome.results:
        if isinstance(step, Create) and isinstance(result, dict) and run is not None:
            made = objects.parse_time(result["metadata"]["creationTimestamp"])
            _creation_skew.observe((made - run - cronjob.delay(observed.cronjob)).total_seconds())
