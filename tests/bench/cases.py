"""The three cases. Each brings its workload to a start, and then says what it changes and how long that took."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from operators.core.objects import Obj, Resource, deployments, replicasets
from operators.runtime.client import MERGE_PATCH, Client, path
from tests.bench import usage, workloads
from tests.bench.following import Following

REPLICAS, ROLLED, MANY, OF = 1000, 500, 500, 2
_AFTERMATH = 1.0
"""Seconds that the CPU is still counted after the last replica: what follows it is a part of the work."""


@dataclass(slots=True)
class Phase:
    """One measurement: wall seconds, the process's CPU seconds, and those of everything else on the machine."""

    name: str
    wall: float
    cpu: float
    others_cpu: float


@dataclass(slots=True)
class Bench:
    """One run: where a case finds its side, and leaves what it measured."""

    client: Client
    group: str
    namespace: str
    pid: int
    settle: Callable[[], Awaitable[object]]
    phases: list[Phase] = field(default_factory=list)

    def url(self, resource: Resource, name: str = "") -> str:
        """The path of a resource in this run's namespace."""
        return path(resource, self.namespace, name)

    @contextlib.asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[Callable[[float], None]]:
        """Measure the block, to the moment that it gives to the function that it is given."""
        await self.settle()
        moments: list[float] = []
        machine, cpu, began = usage.machine_cpu_seconds(), usage.cpu_seconds(self.pid), time.perf_counter()
        yield moments.append
        await asyncio.sleep(_AFTERMATH)
        cpu = usage.cpu_seconds(self.pid) - cpu
        others = usage.machine_cpu_seconds() - machine - cpu
        self.phases.append(Phase(name, moments[0] - began, cpu, others))


async def rs(bench: Bench) -> None:
    """(a) A ReplicaSet from 0 to 1,000 ready, and back to none left."""
    resource = replicasets(bench.group)
    await bench.client.request("POST", bench.url(resource), workloads.replicaset(bench.group, "web", 0))
    async with Following.start(bench.client, resource, bench.namespace) as following:
        await following.until(workloads.is_up)
        for name, replicas, arrived in (("up", REPLICAS, workloads.is_up), ("down", 0, workloads.is_down)):
            async with bench.phase(f"rs {name}") as until:
                changed = await _patch(bench, resource, {"spec": {"replicas": replicas}})
                until(await following.until(arrived, generation=changed["metadata"]["generation"]))


async def rollout(bench: Bench) -> None:
    """(b) A rolling update of a Deployment of 500."""
    resource = deployments(bench.group)
    await bench.client.request("POST", bench.url(resource), workloads.deployment(bench.group, "web", ROLLED))
    async with Following.start(bench.client, resource, bench.namespace) as following:
        await following.until(workloads.is_up)
        async with bench.phase("rollout") as until:
            template = {"metadata": {"annotations": {"version": "2"}}}
            changed = await _patch(bench, resource, {"spec": {"template": template}})
            until(await following.until(workloads.is_up, generation=changed["metadata"]["generation"]))


async def many(bench: Bench) -> None:
    """(c) 500 Deployments of 2, created at once."""
    resource = deployments(bench.group)
    async with Following.start(bench.client, resource, bench.namespace) as following, bench.phase("many") as until:
        bodies = (workloads.deployment(bench.group, f"web-{number}", OF) for number in range(MANY))
        creates = asyncio.gather(*(bench.client.request("POST", bench.url(resource), body) for body in bodies))
        until(await following.until(workloads.is_up, count=MANY))
        await creates


async def _patch(bench: Bench, resource: Resource, changes: Obj) -> Obj:
    return await bench.client.request("PATCH", bench.url(resource, "web"), changes, content_type=MERGE_PATCH)


CASES: dict[str, Callable[[Bench], Awaitable[None]]] = {"rs": rs, "rollout": rollout, "many": many}


async def warm_up(client: Client, group: str, case: str) -> None:
    """Return once the side has brought up a workload of one pod: then it runs, its caches filled."""
    resource, body = replicasets(group), workloads.replicaset(group, "first", 1)
    if case != "rs":
        resource, body = deployments(group), workloads.deployment(group, "first", 1)
    await client.request("POST", path(resource, "default"), body)
    async with Following.start(client, resource, "default") as following:
        await following.until(workloads.is_up, at_most=60)
    await client.request("DELETE", path(resource, "default", "first"))
