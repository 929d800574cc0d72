"""A pair of namespaces for each scenario."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from operators.core.objects import KOPFWERK
from operators.runtime.client import Client
from tests.parity.fleet import Fleet
from tests.parity.pair import Pair, Side
from tests.parity.slices import Slices
from tests.support import namespaces


@pytest.fixture
async def pair(admin: Client, unique: str) -> AsyncIterator[Pair]:
    """Return both sides of a comparison, each in a namespace of its own."""
    made = Pair(Side(admin, "apps", f"{unique}-up"), Side(admin, KOPFWERK, f"{unique}-our"))
    await namespaces.make(admin, made.upstream.namespace, made.ours.namespace)
    yield made
    for side in (made.upstream, made.ours):
        await admin.request("DELETE", f"/api/v1/namespaces/{side.namespace}")


@pytest.fixture
def sets(pair: Pair) -> Pair:
    """Return both sides as scenarios of StatefulSets look at them."""
    shown = ("statefulsets", "controllerrevisions", "persistentvolumeclaims")
    return replace(pair, upstream=replace(pair.upstream, shown=shown), ours=replace(pair.ours, shown=shown))


@pytest.fixture
def jobs(pair: Pair) -> Pair:
    """Return both sides as scenarios of Jobs look at them."""
    upstream = replace(pair.upstream, group="batch", shown=("jobs",))
    return replace(pair, upstream=upstream, ours=replace(pair.ours, shown=("jobs",)))


@pytest.fixture
async def fleet(admin: Client, unique: str) -> AsyncIterator[Fleet]:
    """Return what makes nodes of the scenario's own, on which nothing else runs."""
    made = Fleet(admin, unique)
    yield made
    await made.leave(*made.names)


@pytest.fixture
def daemons(pair: Pair) -> Pair:
    """Return both sides as scenarios of DaemonSets look at them."""
    shown = ("daemonsets", "controllerrevisions")
    return replace(pair, upstream=replace(pair.upstream, shown=shown), ours=replace(pair.ours, shown=shown))


@pytest.fixture
async def storage(admin: Client, unique: str) -> AsyncIterator[str]:
    """Return a storage class of which there are volumes for both sides."""
    names = [f"{unique}-{number}" for number in range(12)]
    for name in names:
        spec = {
            "storageClassName": unique,
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/volumes/{name}"},
        }
        await admin.request("POST", "/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": spec})
    yield unique
    for name in names:
        await admin.request("DELETE", f"/api/v1/persistentvolumes/{name}")


@pytest.fixture
async def slices(admin: Client, unique: str) -> AsyncIterator[Slices]:
    """Return both sides of a comparison of EndpointSlices."""
    made = Slices(admin, unique)
    await namespaces.make(admin, *made.namespaces)
    yield made
    for namespace in made.namespaces:
        await admin.request("DELETE", f"/api/v1/namespaces/{namespace}")
