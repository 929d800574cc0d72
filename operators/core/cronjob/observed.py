"""What a CronJob's rules look at, and what follows from it at first glance."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Final

from operators.core import objects
from operators.core.job.observed import COMPLETE, FAILED, is_true
from operators.core.objects import Key, Obj, Resource

SCHEDULED: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"
"""The annotation of a Job that says for when it was meant; one that was started by hand has none."""
_ZONES: Final = ("TZ=", "CRON_TZ=")


@dataclass(frozen=True, eq=False)
class Observed:
    """One CronJob and the Jobs that it controls, by UID.

    find returns a Job of any owner, None where there is none. zone is the one that zone_name names, None where there is
    no such zone. changed is when the schedule, or its zone, was seen to be another than before.
    """

    cronjob: Obj
    jobs: tuple[Obj, ...]
    find: Callable[[Key], Obj | None]
    now: datetime
    zone: tzinfo | None
    changed: datetime | None = None

    @cached_property
    def status(self) -> Obj:
        """The status as it is."""
        return self.cronjob.get("status") or {}

    @cached_property
    def job_resource(self) -> Resource:
        """The Jobs of its API group."""
        return objects.jobs(self.cronjob["apiVersion"].rpartition("/")[0])

    @cached_property
    def children(self) -> dict[str, Obj]:
        """Its Jobs by UID, in the order of their names."""
        return {objects.uid(job): job for job in sorted(self.jobs, key=objects.name)}

    @cached_property
    def active(self) -> tuple[Obj, ...]:
        """The references to Jobs that the status says have not ended."""
        return tuple(self.status.get("active") or ())

    @cached_property
    def ended(self) -> tuple[Obj, ...]:
        """Those of them whose Job has ended."""
        return tuple(ref for ref in self.active if end_of(self.children.get(ref.get("uid", ""))))

    @cached_property
    def missing(self) -> tuple[Obj, ...]:
        """Those of them whose Job there is not. One of another's counts: upstream goes by the name."""
        return tuple(ref for ref in self.active if ref.get("uid") not in self.children and self.find(_key(ref)) is None)

    @cached_property
    def named(self) -> tuple[Obj, ...]:
        """The others."""
        return tuple(ref for ref in self.active if ref not in self.ended and ref not in self.missing)

    @cached_property
    def running(self) -> tuple[Obj, ...]:
        """The references to all that has not ended: with the runs that the status does not name.

        Their Job was made, and whoever made it did not live to write it down. Upstream leaves them out for good, and
        starts others beside them whatever the policy is.
        """
        forgotten = (job for job in self.unexpected if SCHEDULED in objects.annotations(job))
        return (*self.named, *(self.reference(job) for job in forgotten))

    @cached_property
    def unexpected(self) -> tuple[Obj, ...]:
        """Its Jobs that have not ended and that the status does not name, such as those that people start by hand."""
        known = {ref.get("uid") for ref in self.active}
        return tuple(job for uid, job in self.children.items() if uid not in known and not end_of(job))

    def reference(self, job: Obj) -> Obj:
        """Return an ObjectReference to a Job as upstream writes it."""
        resource, meta = self.job_resource, job["metadata"]
        return {
            "kind": resource.kind,
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": resource.api_version,
            "resourceVersion": meta["resourceVersion"],
        }

    def is_own(self, job: Obj) -> bool:
        """Whether the CronJob controls a Job."""
        owner = objects.controller_of(job)
        return owner is not None and owner.uid == objects.uid(self.cronjob)


def end_of(job: Obj | None) -> str:
    """Return the condition with which a Job has ended, Complete or Failed; empty where it has not, or there is none."""
    status = (job or {}).get("status") or {}
    return next((type_ for type_ in (COMPLETE, FAILED) if is_true(status, type_)), "")


def zone_name(cronjob: Obj) -> str:
    """Return the name of the time zone in which a schedule is meant, empty where none is named."""
    zone, _ = split(cronjob["spec"].get("schedule", ""))
    return zone or cronjob["spec"].get("timeZone") or ""


def split(schedule: str) -> tuple[str, str]:
    """Return the zone that a schedule itself names, as none that is written today may, and what is left of it."""
    first, _, rest = schedule.partition(" ")
    if not first.startswith(_ZONES):
        return "", schedule
    return first.partition("=")[2], rest.strip()


def _key(reference: Obj) -> Key:
    return reference.get("namespace", ""), reference.get("name", "")
