"""What must hold after every single write for a CronJob, whatever befalls the operator."""

from datetime import UTC, datetime, timedelta

from operators.core import objects
from operators.core.cronjob.observed import SCHEDULED, end_of
from operators.core.cronjob.schedule import parse
from operators.core.objects import Obj, parse_time
from tests.properties.rules import Rules, is_controlled
from tests.properties.store import CRONJOBS, JOBS, Change

TICK = ("ns", "tick")
_ON_ITS_WAY = timedelta(seconds=20)
"""For how long a write may be tried before it takes effect."""


class RunRules(Rules):
    """Which runs may start, beside which others, and which Jobs may be deleted."""

    resources = (JOBS, CRONJOBS)
    controllers = ("cronjob",)

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[datetime, str] = {}
        """The runs that there were, with the names of their Jobs."""
        self.removed: set[str] = set()
        """The Jobs that somebody else deleted."""

    @property
    def cronjob(self) -> Obj:
        """The one CronJob."""
        return self.store.get(CRONJOBS, TICK)

    def check(self, change: Change) -> None:
        """Check one write."""
        super().check(change)
        if change.resource != JOBS:
            return
        if change.after is None and change.before is not None:
            if change.by_operator:
                self._check_deletion(change.before)
            else:
                self.removed.add(objects.name(change.before))
        elif change.before is None and change.after is not None and change.by_operator:
            self._check_creation(change.after)

    def _check_creation(self, job: Obj) -> None:
        """Check that a run is due, is not started for the second time, and may start beside the others."""
        run, name = parse_time(objects.annotations(job)[SCHEDULED]), objects.name(job)
        specs = [obj["spec"] for obj in self._since_plan(objects.uid(self.cronjob))]
        self._expect(run not in self.started or self.started[run] in self.removed, f"{name}: the run started twice")
        self._expect(run <= self.store.now(), f"{name}: not yet")
        self._expect(any(_is_due(spec["schedule"], run) for spec in specs), f"{name}: not in the schedule")
        self._expect(any(not spec["suspend"] for spec in specs), f"{name}: suspended")
        self._expect(any(self._is_in_time(spec, run) for spec in specs), f"{name}: past the deadline")
        if all(spec["concurrencyPolicy"] != "Allow" for spec in specs):
            others = [objects.name(other) for other in self.running() if objects.name(other) != name]
            self._expect(not others, f"{name}: beside {others}")
        self.started[run] = name

    def _is_in_time(self, spec: Obj, run: datetime) -> bool:
        deadline = spec.get("startingDeadlineSeconds")
        return deadline is None or run + timedelta(seconds=deadline) + _ON_ITS_WAY >= self.store.now()

    def _check_deletion(self, job: Obj) -> None:
        """Check that a Job had ended and is one too many, or gives way to another run."""
        name, specs = objects.name(job), [obj["spec"] for obj in self._since_plan(objects.uid(self.cronjob))]
        self._expect(is_controlled(job, self.cronjob), f"{name}: it is not the CronJob's")
        policies = {spec["concurrencyPolicy"] for spec in specs}
        if not end_of(job):
            self._expect("Replace" in policies, f"{name}: it goes on")
            self._expect(SCHEDULED in objects.annotations(job), f"{name}: started by hand")
        elif "Replace" not in policies:  # it may have ended just now
            limit = "successfulJobsHistoryLimit" if end_of(job) == "Complete" else "failedJobsHistoryLimit"
            left = [obj for obj in self.store.all(JOBS) if end_of(obj) == end_of(job)]
            self._expect(len(left) >= min(spec[limit] for spec in specs), f"{name}: it is to be kept")

    def running(self) -> list[Obj]:
        """Return the Jobs of runs that have not ended."""
        return [job for job in self.store.all(JOBS) if not end_of(job) and SCHEDULED in objects.annotations(job)]

    def missed(self, since: datetime) -> list[datetime]:
        """Return the runs from a time until now that were not started."""
        schedule = parse(self.cronjob["spec"]["schedule"])
        run, found = schedule.next(since), []
        while run is not None and run < self.store.now() - timedelta(seconds=1):
            if run not in self.started:
                found.append(run)
            run = schedule.next(run)
        return found

    def check_rest(self) -> None:
        """Check that the status names just the Jobs that go on, and that no more are kept than are to be."""
        status, spec = self.cronjob["status"], self.cronjob["spec"]
        names = sorted(ref["name"] for ref in status.get("active") or ())
        assert names == sorted(objects.name(job) for job in self.running())
        assert status["activeJobs"] == len(names)
        assert ("nextScheduleTime" in status) is not spec["suspend"]
        for end, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            ended = [job for job in self.store.all(JOBS) if end_of(job) == end and is_controlled(job, self.cronjob)]
            assert len(ended) <= spec[limit]


def _is_due(schedule: str, run: datetime) -> bool:
    return parse(schedule, UTC).next(run - timedelta(seconds=1)) == run
