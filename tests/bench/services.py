"""The cases of Services: how soon a pod that is ready can be reached, and how many writes that takes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import quantiles

from operators.core.endpointslice import ENDPOINTSLICES
from operators.core.objects import KOPFWERK, PODS, Obj, Resource, deployments, services
from operators.runtime.client import Client
from tests.bench import workloads
from tests.bench.cases import CHANGED, Bench, patch
from tests.bench.following import Following, changes
from tests.support.during import during

BEHIND_ONE = 1000
MANY, OF = 200, 5


async def rolling(bench: Bench) -> None:
    """(l) 1,000 pods behind one Service, all replaced by a rolling update of their Deployment."""
    resource = deployments(bench.group)
    await bench.client.request("POST", bench.url(resource_of(bench.group)), manifest(bench.group, "web"))
    await bench.client.request("POST", bench.url(resource), workloads.deployment(bench.group, "web", BEHIND_ONE))
    async with (
        Following.start(bench.client, resource, bench.namespace) as following,
        Endpoints.start(bench) as endpoints,
    ):
        await following.until(workloads.is_up)
        await endpoints.until(BEHIND_ONE)
        async with bench.phase("service") as until:
            endpoints.forget()
            changed = await patch(bench, resource, {"spec": {"template": CHANGED}})
            generation = changed["metadata"]["generation"]
            up = await following.until(workloads.is_up, generation=generation)
            until(max(up, await endpoints.until(BEHIND_ONE)))
        bench.phases[-1].more.update(endpoints.figures())


async def many(bench: Bench) -> None:
    """(m) 200 Services with Deployments of 5 behind them, created at once, the Services first."""
    resource = deployments(bench.group)
    names = [f"web-{number}" for number in range(MANY)]
    await asyncio.gather(*(
        bench.client.request("POST", bench.url(resource_of(bench.group)), manifest(bench.group, name))
        for name in names
    ))  # fmt: skip
    async with Endpoints.start(bench) as endpoints:
        async with bench.phase("services") as until:
            endpoints.forget()
            bodies = (workloads.deployment(bench.group, name, OF) for name in names)
            creates = asyncio.gather(*(bench.client.request("POST", bench.url(resource), body) for body in bodies))
            until(await endpoints.until(MANY * OF))
            await creates
        bench.phases[-1].more.update(endpoints.figures())


CASES: dict[str, Callable[[Bench], Awaitable[None]]] = {"service": rolling, "services": many}


def resource_of(group: str) -> Resource:
    """Return the Services of the side whose other workloads are in a group."""
    return services(group if group == KOPFWERK else "")


def manifest(group: str, name: str) -> Obj:
    """Describe a Service for a workload of its name."""
    return {
        "apiVersion": resource_of(group).api_version,
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
    }


class Endpoints:
    """What two watches tell of one namespace: when a pod became ready, when it was first listed so, and each write."""

    def __init__(self) -> None:
        self._ready: dict[str, float] = {}
        self._listed: dict[str, float] = {}
        self._slices: dict[str, set[str]] = {}
        self._known: set[str] = set()
        self._writes = 0
        self._wanted = 0
        self._done = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, bench: Bench) -> AsyncIterator["Endpoints"]:
        """Watch until the block ends."""
        endpoints = cls()
        async with (
            during(_follow(bench.client, bench.url(PODS), endpoints.pod)),
            during(_follow(bench.client, bench.url(ENDPOINTSLICES), endpoints.slice)),
        ):
            yield endpoints

    def pod(self, change: str, pod: Obj) -> None:
        """Take in what the watch of pods says."""
        uid = pod["metadata"]["uid"]
        if change == "DELETED":
            self._ready.pop(uid, None)
        elif any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ())):
            self._ready.setdefault(uid, time.perf_counter())
        self._look()

    def slice(self, change: str, slice_: Obj) -> None:
        """Take in what the watch of slices says."""
        self._writes += 1
        ready = {e["targetRef"]["uid"] for e in slice_["endpoints"] or () if e["conditions"]["ready"]}
        self._slices[slice_["metadata"]["name"]] = ready if change != "DELETED" else set()
        now = time.perf_counter()
        for uid in ready:
            self._listed.setdefault(uid, now)
        self._look()

    def _look(self) -> None:
        """Say so once all is there; that every pod is among the endpoints is looked at only where the counts agree."""
        if self._done.is_set() or not sum(map(len, self._slices.values())) == self._wanted == len(self._ready):
            return
        if set().union(*self._slices.values()) == self._ready.keys():
            self._moment = time.perf_counter()
            self._done.set()

    async def until(self, count: int, *, at_most: float = 300.0) -> float:
        """Wait until there are so many pods, each ready and listed so; return the moment. Raises TimeoutError."""
        self._wanted = count
        self._done.clear()
        self._look()
        await asyncio.wait_for(self._done.wait(), at_most)
        return self._moment

    def forget(self) -> None:
        """Count from now on."""
        self._writes = 0
        self._known = self._listed.keys() | self._ready.keys()

    def figures(self) -> dict[str, tuple[float, str]]:
        """Return what was counted of the pods that are there now and were not before."""
        new = self._ready.keys() & self._listed.keys() - self._known
        took = quantiles((max(0.0, self._listed[uid] - self._ready[uid]) for uid in new), n=100)
        return {
            "slices written": (self._writes, ""),
            "Ready to endpoint, p50": (took[49], "s"),
            "Ready to endpoint, p99": (took[98], "s"),
        }


async def _follow(client: Client, url: str, take: Callable[[str, Obj], None]) -> None:
    listed = await client.request("GET", url)
    for obj in listed["items"]:
        take("ADDED", obj)
    async for change, obj in changes(client, url, listed["metadata"]["resourceVersion"]):
        take(change, obj)
