"""The cases of Jobs. Their pods complete as soon as they run, so that what is timed is making and counting them."""

import asyncio
from collections.abc import Awaitable, Callable

from operators.core.objects import Obj, Resource, jobs
from operators.runtime.client import Client, path
from tests.bench.cases import Bench
from tests.bench.following import Following

COMPLETIONS, AT_A_TIME = 1000, 100
MANY, OF = 200, 5
INDEXES, AT_A_TIME_INDEXED = 10_000, 500
_LONG = 1200.0


async def job(bench: Bench) -> None:
    """(d) A Job of 1,000 completions, 100 at a time."""
    await _run(bench, "job", 1, completions=COMPLETIONS, parallelism=AT_A_TIME)


async def many_jobs(bench: Bench) -> None:
    """(e) 200 Jobs of 5, created at once."""
    await _run(bench, "jobs", MANY, completions=OF, parallelism=OF)


async def indexed(bench: Bench) -> None:
    """(f) An Indexed Job of 10,000, 500 at a time."""
    await _run(bench, "indexed", 1, completions=INDEXES, parallelism=AT_A_TIME_INDEXED, completionMode="Indexed")


CASES: dict[str, Callable[[Bench], Awaitable[None]]] = {"job": job, "jobs": many_jobs, "indexed": indexed}


async def _run(bench: Bench, phase: str, count: int, **spec: object) -> None:
    """Create Jobs, and wait until each is complete."""
    resource = resource_of(bench.group)
    async with Following.start(bench.client, resource, bench.namespace) as following, bench.phase(phase) as until:
        bodies = (manifest(resource, f"web-{number}", **spec) for number in range(count))
        creates = asyncio.gather(*(bench.client.request("POST", bench.url(resource), body) for body in bodies))
        until(await following.until(is_complete, count=count, at_most=_LONG))
        await creates


async def warm_up(client: Client, group: str) -> None:
    """Return once the side has completed a Job of one pod: then it runs, its caches filled."""
    resource = resource_of(group)
    await client.request("POST", path(resource, "default"), manifest(resource, "first"))
    async with Following.start(client, resource, "default") as following:
        await following.until(is_complete, at_most=60)
    await client.request("DELETE", path(resource, "default", "first"), {"propagationPolicy": "Background"})


def resource_of(group: str) -> Resource:
    """Return the Jobs of the side whose other workloads are in a group."""
    return jobs("batch" if group == "apps" else group)


def manifest(resource: Resource, name: str, **spec: object) -> Obj:
    """Describe a Job whose pods exit as soon as they run."""
    container = {
        "name": "main",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    template = {
        "metadata": {"annotations": {"sim.kopfwerk.dev/exit-after": "0s"}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {
        "apiVersion": resource.api_version,
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {**spec, "template": template},
    }


def is_complete(obj: Obj) -> bool:
    """Whether its status says so."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Complete" and condition["status"] == "True" for condition in found)
