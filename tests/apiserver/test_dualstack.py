"""Services of two address families, on an apiserver that has a range of each."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from operators.cluster.arguments import SERVICE_RANGE
from operators.cluster.cluster import Cluster, Settings
from operators.core.objects import Obj
from operators.runtime.client import MERGE_PATCH, STRATEGIC_MERGE_PATCH, Client
from tests.support import namespaces

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("dualstack")]

RANGES = f"--service-cluster-ip-range={SERVICE_RANGE},fd00:10:96::/108"
BOTH = {"IPv4": ["10.1.2.3"], "IPv6": ["fd00:1::3"]}
"""The pod's addresses."""
ONE, OTHER = {"IPv4": BOTH["IPv4"]}, {"IPv6": BOTH["IPv6"]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster of both families, with the operator."""
    with Cluster(Settings(name="dualstack", nodes=1, apiserver_args=(RANGES,))) as made:
        yield made


@pytest.fixture
async def place(cluster: Cluster, unique: str) -> AsyncIterator["Place"]:
    """Return a namespace with a pod that has an address of each family."""
    async with await Client.connect(str(cluster.kubeconfig)) as client:
        made = Place(client, unique)
        await namespaces.make(client, unique)
        await client.request("POST", "/api/v1/nodes", {"metadata": {"name": unique}})
        await made.pod(unique)
        yield made
        await client.request("DELETE", f"/api/v1/namespaces/{unique}/pods/web", {"gracePeriodSeconds": 0})
        await client.request("DELETE", f"/api/v1/nodes/{unique}")
        await client.request("DELETE", f"/api/v1/namespaces/{unique}")


class Place:
    """A namespace."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self._core = f"/api/v1/namespaces/{namespace}"
        self._ours = f"/apis/kopfwerk.dev/v1/namespaces/{namespace}/services"
        self._slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

    async def pod(self, node: str) -> None:
        """Make a pod on a node that nobody simulates, and say what its kubelet would."""
        spec = {"nodeName": node, "containers": [{"name": "app", "image": "app:1"}]}
        meta = {"name": "web", "labels": {"app": "web"}}
        await self.client.request("POST", f"{self._core}/pods", {"metadata": meta, "spec": spec})
        ips = [ip for family in BOTH.values() for ip in family]
        status: dict[str, object] = {"phase": "Running", "podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
        status["conditions"] = [{"type": "Ready", "status": "True"}]
        url = f"{self._core}/pods/web/status"
        await self.client.request("PATCH", url, {"status": status}, content_type=STRATEGIC_MERGE_PATCH)

    async def ask(self, **families: object) -> None:
        """Create a Service of ours."""
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **families}
        body = {"apiVersion": "kopfwerk.dev/v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
        await self.client.request("POST", self._ours, body)

    async def change(self, **families: object) -> None:
        """Change it."""
        await self.client.request("PATCH", f"{self._ours}/web", {"spec": families}, content_type=MERGE_PATCH)

    async def lists(self, want: dict[str, list[str]]) -> None:
        """Wait until the slices list these addresses by family, and no others."""
        # A watch alone would begin with what there is one by one, and so show fewer slices than there are.
        listed = await self.client.request("GET", self._slices)
        found: dict[str, Obj] = {one["metadata"]["name"]: one for one in listed["items"]}
        if _listed(found) == sorted(want.items()):
            return
        params = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
        async with asyncio.timeout(40):
            async for line in self.client.watch(self._slices, params, 40):
                event = json.loads(line)
                found.pop(event["object"]["metadata"]["name"], None)
                if event["type"] != "DELETED":
                    found[event["object"]["metadata"]["name"]] = event["object"]
                if _listed(found) == sorted(want.items()):
                    return
        raise AssertionError("the watch of the slices ended")

    async def addresses(self) -> list[str]:
        """Return the families of the core Service's addresses, by the addresses themselves."""
        spec = (await self.client.request("GET", f"{self._core}/services/web"))["spec"]
        families = ["IPv6" if ":" in ip else "IPv4" for ip in spec["clusterIPs"]]
        assert families == spec["ipFamilies"]
        return families


def _listed(slices: dict[str, Obj]) -> list[tuple[str, list[str]]]:
    """Return each slice's family and addresses."""
    addresses = ((one["addressType"], [e["addresses"] for e in one["endpoints"] or ()]) for one in slices.values())
    return sorted((family, [ip for each in found for ip in each]) for family, found in addresses)


async def test_both_families(place: Place) -> None:
    """The core Service has an address of each, and each has a slice with the pod's own."""
    await place.ask(ipFamilyPolicy="PreferDualStack")
    await place.lists(BOTH)
    assert await place.addresses() == ["IPv4", "IPv6"]


async def test_the_other_family_alone(place: Place) -> None:
    """A Service of IPv6 lists the pod's second address."""
    await place.ask(ipFamilyPolicy="SingleStack", ipFamilies=["IPv6"])
    await place.lists(OTHER)
    assert await place.addresses() == ["IPv6"]


async def test_a_family_comes_and_goes(place: Place) -> None:
    """So do its address and its slice, and the other stays."""
    await place.ask(ipFamilyPolicy="SingleStack")
    await place.lists(ONE)
    await place.change(ipFamilyPolicy="RequireDualStack")
    await place.lists(BOTH)
    assert await place.addresses() == ["IPv4", "IPv6"]
    await place.change(ipFamilyPolicy="SingleStack")
    await place.lists(ONE)
    assert await place.addresses() == ["IPv4"]
