"""The cases. Each brings its workload to a start, and then says what it changes and how long that took."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from operators.cluster import nodes
from operators.core.nodes import NODES
from operators.core.objects import Obj, Resource, daemonsets, deployments, replicasets, statefulsets
from operators.runtime.client import MERGE_PATCH, Client, path
from tests.bench import usage, workloads, world
from tests.bench.following import Following

REPLICAS, ROLLED, MANY, OF = 1000, 500, 500, 2
ORDERED, PARALLEL = 100, 500
LARGE, JOINED = 500, 100
_AFTERMATH = 1.0
"""Seconds that the CPU is still counted after the last replica: what follows it is a part of the work."""


@dataclass(slots=True)
class Phase:
    """One measurement: wall seconds; CPU seconds of the process, of all else on the machine, of the apiserver alone."""

    name: str
    wall: float
    cpu: float
    others_cpu: float
    apiserver_cpu: float
    writes: dict[str, int]
    """What the apiserver has carried out meanwhile, whoever asked for it, by what it was."""
    more: dict[str, tuple[float, str]] = field(default_factory=dict)
    """What a case counts beside these, each with its unit."""


@dataclass(slots=True)
class Bench:
    """One run: where a case finds its side, and leaves what it measured. pid and apiserver are processes' ids."""

    client: Client
    group: str
    namespace: str
    pid: int
    apiserver: int
    settle: Callable[[], Awaitable[object]]
    writes: Callable[[], Counter[str]]
    phases: list[Phase] = field(default_factory=list)

    def url(self, resource: Resource, name: str = "") -> str:
        """The path of a resource in this run's namespace."""
        return path(resource, self.namespace, name)

    @contextlib.asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[Callable[[float], None]]:
        """Measure the block, to the moment that it gives to the function that it is given."""
        await self.settle()
        moments: list[float] = []
        writes = self.writes()
        machine, apiserver = usage.machine_cpu_seconds(), usage.cpu_seconds(self.apiserver)
        cpu, began = usage.cpu_seconds(self.pid), time.perf_counter()
        yield moments.append
        await asyncio.sleep(_AFTERMATH)
        cpu = usage.cpu_seconds(self.pid) - cpu
        others = usage.machine_cpu_seconds() - machine - cpu
        apiserver = usage.cpu_seconds(self.apiserver) - apiserver
        self.phases.append(Phase(name, moments[0] - began, cpu, others, apiserver, dict(self.writes() - writes)))


async def rs(bench: Bench) -> None:
    """(a) A ReplicaSet from 0 to 1,000 ready, and back to none left."""
    resource = replicasets(bench.group)
    await bench.client.request("POST", bench.url(resource), workloads.replicaset(bench.group, "web", 0))
    async with Following.start(bench.client, resource, bench.namespace) as following:
        await following.until(workloads.is_up)
        for name, replicas, arrived in (("up", REPLICAS, workloads.is_up), ("down", 0, workloads.is_down)):
            async with bench.phase(f"rs {name}") as until:
                changed = await patch(bench, resource, {"spec": {"replicas": replicas}})
                until(await following.until(arrived, generation=changed["metadata"]["generation"]))


async def rollout(bench: Bench) -> None:
    """(b) A rolling update of a Deployment of 500."""
    resource = deployments(bench.group)
    await bench.client.request("POST", bench.url(resource), workloads.deployment(bench.group, "web", ROLLED))
    async with Following.start(bench.client, resource, bench.namespace) as following:
        await following.until(workloads.is_up)
        async with bench.phase("rollout") as until:
            changed = await patch(bench, resource, {"spec": {"template": CHANGED}})
            until(await following.until(workloads.is_up, generation=changed["metadata"]["generation"]))


async def many(bench: Bench) -> None:
    """(c) 500 Deployments of 2, created at once."""
    resource = deployments(bench.group)
    async with Following.start(bench.client, resource, bench.namespace) as following, bench.phase("many") as until:
        bodies = (workloads.deployment(bench.group, f"web-{number}", OF) for number in range(MANY))
        creates = asyncio.gather(*(bench.client.request("POST", bench.url(resource), body) for body in bodies))
        until(await following.until(workloads.is_up, count=MANY))
        await creates


async def ordered(bench: Bench) -> None:
    """(g) A StatefulSet of 100, one after the other: up, a rolling update, down."""
    await _statefulset(bench, "ordered", ORDERED, parallel=False)


async def parallel(bench: Bench) -> None:
    """(h) A StatefulSet of 500 in parallel: up, a rolling update with maxUnavailable 10 %, down."""
    await _statefulset(bench, "parallel", PARALLEL, parallel=True)


async def _statefulset(bench: Bench, name: str, size: int, *, parallel: bool) -> None:
    resource = statefulsets(bench.group)
    body = workloads.statefulset(bench.group, "web", 0, parallel=parallel)
    await bench.client.request("POST", bench.url(resource), body)
    async with Following.start(bench.client, resource, bench.namespace) as following:
        await following.until(workloads.is_up)
        steps: tuple[tuple[str, Obj, Callable[[Obj], bool]], ...] = (
            ("up", {"replicas": size}, workloads.is_up),
            ("rollout", {"template": CHANGED}, workloads.is_up),
            ("down", {"replicas": 0}, workloads.is_down),
        )
        for step, spec, arrived in steps:
            async with bench.phase(f"{name} {step}") as until:
                changed = await patch(bench, resource, {"spec": spec})
                until(await following.until(arrived, generation=changed["metadata"]["generation"]))


async def daemon(bench: Bench) -> None:
    """(i) A DaemonSet on 500 nodes: create, a rolling update with maxUnavailable 10 %."""
    resource = daemonsets(bench.group)
    async with _more_nodes(bench, LARGE - world.NODES) as begin:
        await begin()
        async with Following.start(bench.client, resource, bench.namespace) as following:
            async with bench.phase("daemon create") as until:
                await bench.client.request("POST", bench.url(resource), workloads.daemonset(bench.group, "web"))
                until(await following.until(partial(workloads.is_on, LARGE)))
            async with bench.phase("daemon rollout") as until:
                changed = await patch(bench, resource, {"spec": {"template": CHANGED}})
                generation = changed["metadata"]["generation"]
                until(await following.until(partial(workloads.is_on, LARGE), generation=generation))


async def join(bench: Bench) -> None:
    """(j) A DaemonSet on 50 nodes, to which 100 join at once; of that, most is the nodes' own way to being ready."""
    resource = daemonsets(bench.group)
    await bench.client.request("POST", bench.url(resource), workloads.daemonset(bench.group, "web"))
    async with (
        Following.start(bench.client, resource, bench.namespace) as following,
        _more_nodes(bench, JOINED) as begin,
    ):
        await following.until(partial(workloads.is_on, world.NODES))
        async with bench.phase("join") as until:
            await begin()
            until(await following.until(partial(workloads.is_on, world.NODES + JOINED)))


@contextlib.asynccontextmanager
async def _more_nodes(bench: Bench, count: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Give what lets so many nodes join, and take them away in the end."""
    names = [f"more-{number}" for number in range(count)]

    async def begin() -> None:
        made = [nodes.build(name, nodes.ZONES[number % len(nodes.ZONES)]) for number, name in enumerate(names)]
        await asyncio.gather(*(bench.client.request("POST", path(NODES), node) for node in made))

    try:
        yield begin
    finally:
        deletions = (bench.client.request("DELETE", path(NODES, "", name)) for name in names)
        await asyncio.gather(*deletions, return_exceptions=True)


CHANGED: Obj = {"metadata": {"annotations": {"version": "2"}}}
"""What makes a template another one."""


async def patch(bench: Bench, resource: Resource, changes: Obj) -> Obj:
    """Change the workload of a case, which has the name `web`."""
    return await bench.client.request("PATCH", bench.url(resource, "web"), changes, content_type=MERGE_PATCH)


CASES: dict[str, Callable[[Bench], Awaitable[None]]] = {
    case.__name__: case for case in (rs, rollout, many, ordered, parallel, daemon, join)
}


def _deployment(group: str) -> tuple[Resource, Obj]:
    return deployments(group), workloads.deployment(group, "first", 1)


def _daemonset(group: str) -> tuple[Resource, Obj]:
    return daemonsets(group), workloads.daemonset(group, "first", **{"kubernetes.io/hostname": "node-0"})


_FIRST: dict[str, Callable[[str], tuple[Resource, Obj]]] = {
    "rs": lambda group: (replicasets(group), workloads.replicaset(group, "first", 1)),
    "ordered": lambda group: (statefulsets(group), workloads.statefulset(group, "first", 1)),
    "parallel": lambda group: (statefulsets(group), workloads.statefulset(group, "first", 1, parallel=True)),
    "daemon": _daemonset,
    "join": _daemonset,
}


async def warm_up(client: Client, group: str, case: str) -> None:
    """Return once the side has brought up a workload of one pod: then it runs, its caches filled."""
    resource, body = _FIRST.get(case, _deployment)(group)
    await client.request("POST", path(resource, "default"), body)
    async with Following.start(client, resource, "default") as following:
        await following.until(workloads.is_up, at_most=60)
    await client.request("DELETE", path(resource, "default", "first"))
