"""Updates: what never changes, what the webhook lets alone, and that the cluster stays usable without it."""

from collections.abc import AsyncIterator
from typing import Any

import kopf
import pytest

from operators.core.admission.review import Review
from operators.core.objects import KOPFWERK, Obj
from operators.runtime import admission
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.apiserver.validation import NAMESPACE, Edits, collection, manifest

pytestmark = pytest.mark.cluster

UNKNOWN_MOUNT: Edits = {
    "spec.template.spec.containers.0.volumeMounts": [{"name": "unknown", "mountPath": "/x"}],
}
"""What only the webhook refuses."""


class Objects:
    """Creates and changes one object `web` of each kind and group; what it created is deleted at the end."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._created: list[str] = []

    async def create(self, kind: str, group: str, edits: Edits | None = None) -> Obj:
        """POST the object; no webhook is registered here, so only the CRD looks at it."""
        created = await self.client.request("POST", collection(kind, group), manifest(kind, group, edits or {}))
        self._created.append(f"{collection(kind, group)}/{created['metadata']['name']}")
        return created

    async def patch(self, kind: str, group: str, change: Obj, subresource: str = "") -> Obj:
        """Merge a change into it."""
        url = f"{collection(kind, group)}/web{subresource and '/' + subresource}"
        return await self.client.request("PATCH", url, change, content_type=MERGE_PATCH)

    async def delete_all(self) -> None:
        """Delete what was created."""
        for url in self._created:
            await self.client.request("DELETE", url)


@pytest.fixture
async def objects(client: Client) -> AsyncIterator[Objects]:
    """Return what creates objects in the apiserver."""
    created = Objects(client)
    yield created
    await created.delete_all()


def _strategy(kind: str, **rolling: Any) -> Obj:
    return {"spec": {"strategy": {"type": kind, **({"rollingUpdate": rolling} if rolling else {})}}}


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
async def test_selector_is_immutable(objects: Objects, kind: str, group: str) -> None:
    """The selector never changes, in upstream's words."""
    await objects.create(kind, group)
    with pytest.raises(ApiError, match=r"spec\.selector: Invalid value: .*field is immutable") as refused:
        await objects.patch(kind, group, {"spec": {"selector": {"matchLabels": {"tier": "front"}}}})
    assert refused.value.status == 422


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_recreate_is_not_given_rolling_update(objects: Objects, group: str) -> None:
    """No default goes where it is forbidden."""
    created = await objects.create("Deployment", group, {"spec.strategy": {"type": "Recreate"}})
    assert created["spec"]["strategy"] == {"type": "Recreate"}


async def test_change_to_recreate_leaves_rolling_update(objects: Objects) -> None:
    """A merge patch, as kubectl apply sends it, changes the type; what is left behind is no obstacle then or later."""
    before = await objects.create("Deployment", KOPFWERK)
    after = await objects.patch("Deployment", KOPFWERK, _strategy("Recreate"))
    assert after["spec"]["strategy"]["rollingUpdate"] == before["spec"]["strategy"]["rollingUpdate"]
    await admission.validate(objects.client, Review("UPDATE", after, before))
    later = await objects.patch("Deployment", KOPFWERK, {"spec": {"replicas": 3}})
    await admission.validate(objects.client, Review("UPDATE", later, after))


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_recreate_with_new_rolling_update(objects: Objects, group: str) -> None:
    """Numbers that are given together with Recreate are refused."""
    await objects.create("Deployment", group)
    with pytest.raises(ApiError, match=r"rollingUpdate: Forbidden: may not be specified when strategy `type` is"):
        await objects.patch("Deployment", group, _strategy("Recreate", maxSurge=1))


@pytest.mark.parametrize(
    ("kind", "status", "want"),
    [
        pytest.param("Deployment", {"replicas": 2, "updatedReplicas": 3}, "updatedReplicas", id="updated"),
        pytest.param("Deployment", {"replicas": 2, "readyReplicas": 3}, "readyReplicas", id="ready"),
        pytest.param("Deployment", {"replicas": 2, "availableReplicas": 1}, "availableReplicas", id="available"),
        pytest.param("Deployment", {"unavailableReplicas": -1}, "unavailableReplicas", id="unavailable"),
        pytest.param("Deployment", {"collisionCount": -1}, "collisionCount", id="collisions"),
        pytest.param("ReplicaSet", {"replicas": 2, "fullyLabeledReplicas": 3}, "fullyLabeledReplicas", id="labelled"),
        pytest.param("ReplicaSet", {"replicas": -1}, "replicas", id="negative"),
    ],
)
@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_status_that_cannot_be(objects: Objects, kind: str, group: str, status: Obj, want: str) -> None:
    """A status that contradicts itself is refused at the same field."""
    await objects.create(kind, group)
    with pytest.raises(ApiError) as refused:
        await objects.patch(kind, group, {"status": status}, "status")
    assert f"status.{want}" in [cause["field"] for cause in refused.value.details["causes"]]


async def test_status_of_an_invalid_object(objects: Objects) -> None:
    """What was written while the webhook was down can be reported on, labelled and scaled."""
    before = await objects.create("Deployment", KOPFWERK, UNKNOWN_MOUNT)
    reported = await objects.patch("Deployment", KOPFWERK, {"status": {"replicas": 1, "selector": "app=web"}}, "status")
    assert reported["status"].items() >= {"replicas": 1, "selector": "app=web"}.items()
    scaled = await objects.patch("Deployment", KOPFWERK, {"spec": {"replicas": 5}}, "scale")
    assert scaled["spec"] == {"replicas": 5}
    labelled = await objects.patch("Deployment", KOPFWERK, {"metadata": {"labels": {"a": "b"}}})
    await admission.validate(objects.client, Review("UPDATE", labelled, before))


async def test_template_of_an_invalid_object(objects: Objects) -> None:
    """Only a change of the template makes the template's errors the update's own."""
    before = await objects.create("Deployment", KOPFWERK, UNKNOWN_MOUNT)
    changed = await objects.patch("Deployment", KOPFWERK, {"spec": {"template": {"spec": {"hostname": "h"}}}})
    with pytest.raises(
        kopf.AdmissionError, match=r'^Deployment\.kopfwerk\.dev "web" is invalid: .*Not found: "unknown"$'
    ):
        await admission.validate(objects.client, Review("UPDATE", changed, before))


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
async def test_built_in_namesake(objects: Objects, kind: str) -> None:
    """An object of apps/v1 with the same name changes nothing, neither for the valid nor for the invalid."""
    await objects.create(kind, "apps")
    await admission.validate(objects.client, Review("CREATE", manifest(kind, KOPFWERK, {})))
    with pytest.raises(kopf.AdmissionError, match="unknown"):
        await admission.validate(objects.client, Review("CREATE", manifest(kind, KOPFWERK, UNKNOWN_MOUNT)))


async def test_quota_for_the_built_in_kind(client: Client) -> None:
    """A quota that leaves no room for the twin is none of our object's business."""
    quotas = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
    none = {"count/deployments.apps": "0"}
    await client.request("POST", quotas, {"metadata": {"name": "none"}, "spec": {"hard": none}})
    status = {"status": {"hard": none, "used": none}}  # as the quota controller would write it
    await client.request("PATCH", f"{quotas}/none/status", status, content_type=MERGE_PATCH)
    try:
        await admission.validate(client, Review("CREATE", manifest("Deployment", KOPFWERK, {})))
        with pytest.raises(kopf.AdmissionError, match="unknown"):
            await admission.validate(client, Review("CREATE", manifest("Deployment", KOPFWERK, UNKNOWN_MOUNT)))
    finally:
        await client.request("DELETE", f"{quotas}/none")


async def test_who_the_operator_is(client: Client) -> None:
    """The apiserver names the user whose credentials the client has."""
    assert await admission.user_name(client)
