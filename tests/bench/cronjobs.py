"""The case of CronJobs. Their Jobs are suspended, so that what is timed is starting runs, and nothing of pods."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from operators.core.objects import Obj, Resource, cronjobs
from tests.bench import jobs
from tests.bench.cases import Bench
from tests.bench.following import Following

MANY = 1000
_LEAD = timedelta(seconds=100)
"""How long before they are due they are made, at least: so long it takes until the cluster is quiet again."""
_BEFORE = 6.0
"""Seconds before they are due from which on the CPU is counted."""


async def due(bench: Bench) -> None:
    """(k) 1,000 CronJobs that are due at the same minute: from that minute until each says that its run has started."""
    resource = cronjobs(jobs.resource_of(bench.group).group)
    minute = (datetime.now(UTC) + _LEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
    bodies = (manifest(resource, f"tick-{number}", minute) for number in range(MANY))
    async with Following.start(bench.client, resource, bench.namespace) as following:
        await asyncio.gather(*(bench.client.request("POST", bench.url(resource), body) for body in bodies))
        await bench.settle()
        await asyncio.sleep(max(0.0, _seconds_to(minute) - _BEFORE))
        async with bench.phase("cronjobs") as until:
            early = _seconds_to(minute)
            if early < 0:
                raise TimeoutError("the cluster was not quiet in time")
            arrived = await following.until(has_started, count=MANY)
            until(arrived - early)


CASES: dict[str, Callable[[Bench], Awaitable[None]]] = {"cronjobs": due}


def _seconds_to(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


def manifest(resource: Resource, name: str, minute: datetime) -> Obj:
    """Describe a CronJob with a run in one minute of this day."""
    job = jobs.manifest(jobs.resource_of("apps" if resource.group == "batch" else resource.group), name, suspend=True)
    return {
        "apiVersion": resource.api_version,
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": f"{minute:%M %H %d %m} *", "jobTemplate": {"spec": job["spec"]}},
    }


def has_started(obj: Obj) -> bool:
    """Whether its status says that a run was started."""
    return "lastScheduleTime" in (obj.get("status") or {})
