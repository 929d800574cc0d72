"""The cluster that both sides share, what it is set to, and the peace between two runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

from operators.cluster.api import Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.runtime.client import ApiError, Client
from tests.bench import usage
from tests.bench.sides import COMPARED, QPS

NODES = 50
UNREAD = ("endpoints-controller", "endpointslice-mirroring-controller")
"""Controllers that only the sides with Services of the core would have to wait for: nothing here reads Endpoints."""
_QUIET_CPU = 0.12
"""CPU seconds a second below which the cluster counts as quiet; 50 simulated nodes' heartbeats are a third of it."""
_SETTLE_AT_MOST = 60.0


def settings() -> Settings:
    """Return the cluster: everything but the measured controllers, and nothing that limits how fast others write."""
    return Settings(
        name="bench",
        nodes=NODES,
        operator=False,
        scheduler=DEFAULT_SCHEDULER,
        without_controllers=(*COMPARED, *UNREAD),
        controller_manager_args=QPS,
        scheduler_args=QPS,
    )


def flow_control(api: Api, flags: Iterable[str]) -> list[str]:
    """Say what the apiserver allows to be under way at once, and in which priority level each side's requests are."""
    inflight = [flag for flag in flags if "inflight" in flag or "priority-and-fairness" in flag]
    seats = {}
    for line in api.get("/metrics").splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("apiserver_flowcontrol_nominal_limit_seats{"):
            seats[name.split('"')[1]] = int(float(value))
    return [
        f"inflight and fairness flags: {' '.join(inflight) or 'none given, so 400 read-only + 200 mutating'}",
        f"priority and fairness: {sum(seats.values())} seats; "
        + ", ".join(f"{level} {count}" for level, count in sorted(seats.items())),
        "kcm's controllers, as service accounts of kube-system, are in workload-high, Kopfwerk in global-default",
    ]


@contextlib.asynccontextmanager
async def namespace(client: Client, name: str) -> AsyncIterator[None]:
    """Have a namespace in which pods can be made, and at the end nothing of it left."""
    url = f"/api/v1/namespaces/{name}"
    await client.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    await _until_found(client, f"{url}/serviceaccounts/default", found=True)
    try:
        yield
    finally:
        await client.request("DELETE", url)
        await _until_found(client, url, found=False)


async def _until_found(client: Client, url: str, *, found: bool) -> None:
    for _ in range(1200):
        try:
            await client.request("GET", url)
        except ApiError as error:
            if error.status != 404:
                raise
            if not found:
                return
        else:
            if found:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError(url)


async def quiet(cluster: Cluster) -> bool:
    """Wait until the cluster has nothing left to do for a second; False if that did not come about."""

    def used() -> float:
        return sum(usage.cpu_seconds(process.pid) for process in cluster.processes.values() if process.running)

    return await _falls_below(used, _QUIET_CPU, _SETTLE_AT_MOST)


async def _falls_below(used: Callable[[], float], limit: float, at_most: float) -> bool:
    before = used()
    for _ in range(round(at_most)):
        await asyncio.sleep(1.0)
        if (now := used()) - before < limit:
            return True
        before = now
    return False
