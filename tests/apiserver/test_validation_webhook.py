"""The whole way: apiserver, webhook, operator, dry run; and the same with the operator gone."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from operators.cluster.cluster import Cluster, Settings
from operators.core.objects import KOPFWERK
from operators.runtime.client import ApiError, Client
from tests.apiserver.validation import NAMESPACE, Edits, collection, manifest

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("webhook")]

CONTAINER = "spec.template.spec.containers.0"

UNKNOWN_MOUNT: Edits = {f"{CONTAINER}.volumeMounts": [{"name": "unknown", "mountPath": "/x"}]}

DRY_RUN = {"dryRun": "All"}


@pytest.fixture(scope="module")
def whole() -> Iterator[Cluster]:
    """Return a cluster with the operator."""
    with Cluster(Settings(name="webhook", nodes=1)) as cluster:
        yield cluster


@pytest.fixture
async def administrator(whole: Cluster) -> AsyncIterator[Client]:
    """Return a client to that cluster."""
    async with await Client.connect(str(whole.kubeconfig)) as connected:
        namespaces = await connected.request("GET", "/api/v1/namespaces")
        if NAMESPACE not in [namespace["metadata"]["name"] for namespace in namespaces["items"]]:
            await connected.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        yield connected


def _of(field: str, value: Any) -> Edits:
    return {f"{CONTAINER}.{field}": value}


@pytest.mark.parametrize(
    ("edits", "want"),
    [
        pytest.param(
            UNKNOWN_MOUNT,
            'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "unknown"',
            id="mount of an unknown volume",
        ),
        pytest.param(
            _of("livenessProbe", {"tcpSocket": {"port": 80}, "exec": {"command": ["x"]}}),
            "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
            id="probe with two handlers",
        ),
        pytest.param(
            _of("resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            'spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to',
            id="request above limit",
        ),
        pytest.param(
            _of("resources", {"requests": {"cpu": "lots"}}), "quantities must match", id="unreadable quantity"
        ),
        pytest.param(_of("image", "nginx:1"), None, id="valid"),
    ],
)
@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
async def test_operator_answers(administrator: Client, kind: str, edits: Edits, want: str | None) -> None:
    """The user reads upstream's message about our kind."""
    obj = manifest(kind, KOPFWERK, edits)
    if want is None:
        await administrator.request("POST", collection(kind, KOPFWERK), obj, params=DRY_RUN)
        return
    with pytest.raises(ApiError) as refused:
        await administrator.request("POST", collection(kind, KOPFWERK), obj, params=DRY_RUN)
    assert refused.value.status == 422
    assert want in refused.value.message
    assert ".apps " not in refused.value.message


async def test_children_by_the_operator(whole: Cluster, administrator: Client) -> None:
    """What the operator creates for one of our objects is not asked about; the same by somebody else is."""
    owner = {"apiVersion": f"{KOPFWERK}/v1", "kind": "Deployment", "name": "web", "uid": "u", "controller": True}
    child = manifest("ReplicaSet", KOPFWERK, {**UNKNOWN_MOUNT, "metadata.ownerReferences": [owner]})
    url = collection("ReplicaSet", KOPFWERK)
    async with await Client.connect(str(whole.operator_kubeconfig)) as operator:
        await operator.request("POST", url, child, params=DRY_RUN)
    with pytest.raises(ApiError, match="Not found"):
        await administrator.request("POST", url, child, params=DRY_RUN)


async def test_usable_without_the_operator(whole: Cluster, administrator: Client) -> None:
    """With the operator stopped, what only the webhook refuses passes, and what the CRD refuses does not."""
    whole.processes["operator"].stop()
    url = collection("Deployment", KOPFWERK)
    await administrator.request("POST", url, manifest("Deployment", KOPFWERK, UNKNOWN_MOUNT), params=DRY_RUN)
    mismatch = manifest("Deployment", KOPFWERK, {"spec.selector.matchLabels.app": "other"})
    with pytest.raises(ApiError, match="does not match template"):
        await administrator.request("POST", url, mismatch, params=DRY_RUN)
