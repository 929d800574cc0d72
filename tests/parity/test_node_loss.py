"""A node that goes silent, seen by both sides at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from operators.cluster import nodes
from operators.runtime.client import MERGE_PATCH, Client
from tests.parity.manifests import deployment, template
from tests.parity.pair import Pair
from tests.parity.wanted import complete, status

pytestmark = pytest.mark.cluster

TAINT = "example.com/own"


@pytest.fixture
async def own_nodes(admin: Client, unique: str) -> AsyncIterator[list[str]]:
    """Return two nodes on which nothing runs that does not tolerate it."""
    names = [f"{unique}-{letter}" for letter in "ab"]
    for name in names:
        node = nodes.build(name, "zone-a")
        node["metadata"]["labels"][TAINT] = unique
        node["spec"] = {"taints": [{"key": TAINT, "value": unique, "effect": "NoSchedule"}]}
        await admin.request("POST", "/api/v1/nodes", node)
    for name in names:
        await _joined(admin, name)
    yield names
    for name in names:
        await admin.request("DELETE", f"/api/v1/nodes/{name}")


async def _joined(admin: Client, name: str) -> None:
    """Wait until nothing keeps pods off a node but the test's own taint."""
    async with asyncio.timeout(30):
        while True:
            node = await admin.request("GET", f"/api/v1/nodes/{name}")
            if [taint["key"] for taint in node["spec"]["taints"]] == [TAINT]:
                return
            await asyncio.sleep(0.1)


async def test_node_loss(pair: Pair, admin: Client, own_nodes: list[str], unique: str) -> None:
    """Pods of a node that goes silent are evicted and replaced; what its kubelet never confirms stays terminating."""
    made = template()
    made["spec"]["nodeSelector"] = {TAINT: unique}
    made["spec"]["tolerations"] = [{"key": TAINT, "operator": "Exists"}]
    made["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}},
            "nodeTaintsPolicy": "Honor",
        }
    ]
    await pair.create(deployment(4, template=made))
    await pair.agree(complete("app:1", 4))
    body = {"metadata": {"labels": {nodes.KUBELET: nodes.STOPPED}}}
    await admin.request("PATCH", f"/api/v1/nodes/{own_nodes[0]}", body, content_type=MERGE_PATCH)
    await pair.agree(status(availableReplicas=4, terminatingReplicas=2), patience=80)
