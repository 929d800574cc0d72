"""StatefulSets: what apps/v1 takes is taken in our group, what it refuses is refused at the same field."""

from typing import Any

import pytest

from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits, collection, manifest

pytestmark = pytest.mark.cluster

POD = "spec.template.spec"
ROLLING = "spec.updateStrategy.rollingUpdate"
RETENTION = "spec.persistentVolumeClaimRetentionPolicy"


def claim(name: str = "data", **spec: Any) -> Obj:
    """Return a claim template."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}} | spec
    return {"metadata": {"name": name}, "spec": wanted}


MOUNTED = {f"{POD}.containers.0.volumeMounts": [{"name": "data", "mountPath": "/data"}]}


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({}, id="the least"),
        pytest.param({"spec.serviceName": "svc"}, id="serviceName"),
        pytest.param({"spec.serviceName": ""}, id="serviceName empty"),
        pytest.param({"spec.replicas": 0}, id="no replicas"),
        pytest.param({"spec.podManagementPolicy": "Parallel"}, id="Parallel"),
        pytest.param({"spec.podManagementPolicy": ""}, id="podManagementPolicy empty"),
        pytest.param({"spec.updateStrategy": {}}, id="updateStrategy empty"),
        pytest.param({"spec.updateStrategy": {"type": "OnDelete"}}, id="OnDelete"),
        pytest.param({"spec.updateStrategy": {"type": "RollingUpdate"}}, id="RollingUpdate alone"),
        pytest.param({ROLLING: {"partition": 5}}, id="partition above replicas"),
        pytest.param({ROLLING: {"maxUnavailable": "10%"}}, id="maxUnavailable a percentage"),
        pytest.param({ROLLING: {"maxUnavailable": "100%"}}, id="maxUnavailable all"),
        pytest.param({ROLLING: {"maxUnavailable": 50}}, id="maxUnavailable above replicas"),
        pytest.param({"spec.ordinals": {"start": 7}}, id="ordinals"),
        pytest.param({"spec.ordinals": {}}, id="ordinals empty"),
        pytest.param({RETENTION: {"whenDeleted": "Delete"}}, id="half a retention policy"),
        pytest.param({RETENTION: {"whenScaled": ""}}, id="retention policy empty"),
        pytest.param({"spec.revisionHistoryLimit": -1}, id="revisionHistoryLimit negative"),
        pytest.param({"spec.volumeClaimTemplates": [claim()], **MOUNTED}, id="a claim that is mounted"),
        pytest.param(
            {
                "spec.volumeClaimTemplates": [
                    claim() | {"status": {"phase": "Pending"}, "kind": "PersistentVolumeClaim"}
                ]
            },
            id="a claim as kubectl get shows it",
        ),
        pytest.param(
            {"spec.volumeClaimTemplates": [claim(storageClassName="fast", volumeMode="Block")]}, id="more of a claim"
        ),
        pytest.param({f"{POD}.hostname": "a_b", f"{POD}.subdomain": "a_b"}, id="hostname that is never used"),
        pytest.param(
            {"spec.volumeClaimTemplates": [claim()], f"{POD}.volumes": [{"name": "data", "emptyDir": {}}]},
            id="a volume that a claim replaces",
        ),
    ],
)
async def test_taken(client: Client, edits: Edits) -> None:
    """What the apiserver takes as its own is taken."""
    await validation.compare_taken(client, "StatefulSet", edits)


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({"metadata.name": "web.example"}, id="name with a dot"),
        pytest.param({"spec": ABSENT}, id="no spec"),
        pytest.param({"spec.selector": ABSENT}, id="no selector"),
        pytest.param({"spec.selector": {}}, id="selector empty"),
        pytest.param({"spec.selector.matchLabels.app": "other"}, id="selector with another value"),
        pytest.param({"spec.template": ABSENT}, id="no template"),
        pytest.param({"spec.replicas": -1}, id="replicas negative"),
        pytest.param({"spec.minReadySeconds": -1}, id="minReadySeconds negative"),
        pytest.param({"spec.serviceName": "a.b"}, id="serviceName with a dot"),
        pytest.param({"spec.podManagementPolicy": "Random"}, id="unknown podManagementPolicy"),
        pytest.param({"spec.updateStrategy.type": "Recreate"}, id="a strategy behind a gate"),
        pytest.param({"spec.updateStrategy.type": "Sideways"}, id="unknown strategy"),
        pytest.param({"spec.updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}}, id="OnDelete with parameters"),
        pytest.param({f"{ROLLING}.partition": -1}, id="partition negative"),
        pytest.param({f"{ROLLING}.maxUnavailable": 0}, id="maxUnavailable 0"),
        pytest.param({f"{ROLLING}.maxUnavailable": "0%"}, id="maxUnavailable 0 percent"),
        pytest.param({f"{ROLLING}.maxUnavailable": -1}, id="maxUnavailable negative"),
        pytest.param({f"{ROLLING}.maxUnavailable": "101%"}, id="maxUnavailable above all"),
        pytest.param({f"{ROLLING}.maxUnavailable": "some"}, id="maxUnavailable a word"),
        pytest.param({"spec.ordinals.start": -1}, id="ordinals negative"),
        pytest.param({f"{RETENTION}.whenDeleted": "Archive"}, id="unknown whenDeleted"),
        pytest.param({f"{RETENTION}.whenScaled": "delete"}, id="whenScaled in small letters"),
        pytest.param({"spec.unknown": 1}, id="unknown field"),
        pytest.param({f"{POD}.restartPolicy": "Never"}, id="restartPolicy Never"),
        pytest.param({f"{POD}.activeDeadlineSeconds": 60}, id="activeDeadlineSeconds"),
        pytest.param({f"{POD}.containers": []}, id="no containers"),
        pytest.param(
            {"spec.volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}, id="claim of nothing"
        ),
        pytest.param({"spec.volumeClaimTemplates": [claim(accessModes=["Sometimes"])]}, id="unknown accessMode"),
        pytest.param({"spec.volumeClaimTemplates": [claim(resources={})]}, id="claim without storage"),
        pytest.param(MOUNTED, id="a mount without a claim"),
    ],
)
async def test_refused(client: Client, edits: Edits) -> None:
    """What the apiserver refuses as its own is refused, at the same field."""
    await validation.compare_refused(client, "StatefulSet", edits)


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param({"selector": {"matchLabels": {"tier": "front"}}}, "spec.selector", id="selector"),
        pytest.param({"serviceName": "other"}, "spec.serviceName", id="serviceName"),
        pytest.param({"podManagementPolicy": "Parallel"}, "spec.podManagementPolicy", id="podManagementPolicy"),
        pytest.param({"volumeClaimTemplates": [claim("log")]}, "spec.volumeClaimTemplates", id="another claim"),
        pytest.param({"volumeClaimTemplates": None}, "spec.volumeClaimTemplates", id="no claim"),
        pytest.param(
            {"volumeClaimTemplates": [claim(resources={"requests": {"storage": "2Gi"}})]},
            "spec.volumeClaimTemplates",
            id="a larger claim",
        ),
    ],
)
@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_what_never_changes(client: Client, group: str, change: Obj, want: str) -> None:
    """Each of these fields is immutable, in upstream's words and without a webhook."""
    url = collection("StatefulSet", group)
    obj = manifest("StatefulSet", group, {"spec.volumeClaimTemplates": [claim()], "spec.serviceName": "svc"})
    await client.request("POST", url, obj)
    try:
        with pytest.raises(ApiError, match="field is immutable") as refused:
            await client.request("PATCH", f"{url}/web", {"spec": change}, content_type=MERGE_PATCH)
        assert want in refused.value.message
    finally:
        await client.request("DELETE", f"{url}/web")


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_defaults(client: Client, group: str) -> None:
    """What is not said is filled in, the same in both groups."""
    obj = manifest("StatefulSet", group, {"spec.replicas": ABSENT, "spec.volumeClaimTemplates": [claim()]})
    made = await client.request("POST", collection("StatefulSet", group), obj, params={"dryRun": "All"})
    spec = {field: value for field, value in made["spec"].items() if field not in ("template", "selector")}
    template = claim(volumeMode="Filesystem") | {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "status": {"phase": "Pending"},
    }
    assert spec == {
        "replicas": 1,
        "serviceName": "",
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "volumeClaimTemplates": [template],
    }
