"""DaemonSets: what apps/v1 takes is taken in our group, what it refuses is refused at the same field."""

from typing import Any

import pytest

from operators.core.objects import KOPFWERK
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits, collection, manifest

pytestmark = pytest.mark.cluster

POD = "spec.template.spec"
STRATEGY = "spec.updateStrategy"
ROLLING = f"{STRATEGY}.rollingUpdate"
UNCOUNTED: dict[str, Any] = {"spec.replicas": ABSENT}
"""A DaemonSet has no such field."""


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({}, id="the least"),
        pytest.param({STRATEGY: {}}, id="updateStrategy empty"),
        pytest.param({STRATEGY: {"type": ""}}, id="type empty"),
        pytest.param({STRATEGY: {"type": "OnDelete"}}, id="OnDelete"),
        pytest.param({STRATEGY: {"type": "RollingUpdate"}}, id="RollingUpdate alone"),
        pytest.param({ROLLING: {}}, id="rollingUpdate empty"),
        pytest.param({ROLLING: {"maxUnavailable": "10%"}}, id="maxUnavailable a percentage"),
        pytest.param({ROLLING: {"maxUnavailable": 500}}, id="maxUnavailable of many"),
        pytest.param({ROLLING: {"maxUnavailable": 0, "maxSurge": 1}}, id="maxSurge"),
        pytest.param({ROLLING: {"maxUnavailable": "0%", "maxSurge": "100%"}}, id="maxSurge of all"),
        pytest.param(
            {STRATEGY: {"type": "OnDelete", "rollingUpdate": {"maxSurge": 1}}}, id="OnDelete with both bounds"
        ),
        pytest.param({"spec.revisionHistoryLimit": 0}, id="no history"),
        pytest.param({"spec.minReadySeconds": 5}, id="minReadySeconds"),
        pytest.param({f"{POD}.nodeName": "node-1"}, id="nodeName"),
        pytest.param({f"{POD}.hostNetwork": True}, id="hostNetwork"),
        pytest.param({"metadata.name": "web.example"}, id="name with a dot"),
    ],
)
async def test_taken(client: Client, edits: Edits) -> None:
    """What the apiserver takes as its own is taken."""
    await validation.compare_taken(client, "DaemonSet", UNCOUNTED | dict(edits))


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({"spec.selector": {}}, id="selector empty"),
        pytest.param({"spec.selector.matchLabels.app": "other"}, id="selector with another value"),
        pytest.param({"spec.template": ABSENT}, id="no template"),
        pytest.param({"spec.minReadySeconds": -1}, id="minReadySeconds negative"),
        pytest.param({"spec.revisionHistoryLimit": -1}, id="revisionHistoryLimit negative"),
        pytest.param({f"{STRATEGY}.type": "Recreate"}, id="unknown strategy"),
        pytest.param({f"{ROLLING}.maxUnavailable": 0}, id="both 0"),
        pytest.param({ROLLING: {"maxUnavailable": "0%", "maxSurge": "0%"}}, id="both 0 percent"),
        pytest.param({f"{ROLLING}.maxSurge": 1}, id="both set, one by default"),
        pytest.param({ROLLING: {"maxUnavailable": 2, "maxSurge": "5%"}}, id="both set"),
        pytest.param({f"{ROLLING}.maxUnavailable": -1}, id="maxUnavailable negative"),
        pytest.param({f"{ROLLING}.maxUnavailable": "101%"}, id="maxUnavailable above all"),
        pytest.param({f"{ROLLING}.maxUnavailable": "some"}, id="maxUnavailable a word"),
        pytest.param({ROLLING: {"maxUnavailable": 0, "maxSurge": -1}}, id="maxSurge negative"),
        pytest.param({ROLLING: {"maxUnavailable": 0, "maxSurge": "101%"}}, id="maxSurge above all"),
        pytest.param({f"{POD}.restartPolicy": "Never"}, id="restartPolicy Never"),
        pytest.param({f"{POD}.activeDeadlineSeconds": 60}, id="activeDeadlineSeconds"),
        pytest.param({f"{POD}.containers": []}, id="no containers"),
        pytest.param({"spec.unknown": 1}, id="unknown field"),
    ],
)
async def test_refused(client: Client, edits: Edits) -> None:
    """What the apiserver refuses as its own is refused, at the same field."""
    await validation.compare_refused(client, "DaemonSet", UNCOUNTED | dict(edits))


async def test_no_selector(client: Client) -> None:
    """Both refuse it: upstream as one that does not match the template, ours as a field that is required."""
    built_in, custom = validation.pair("DaemonSet", UNCOUNTED | {"spec.selector": ABSENT})
    want, got = await validation.upstream(client, built_in), await validation.ours(client, custom)
    assert want is not None
    assert "spec.template.metadata.labels" in want.message
    assert got is not None
    assert "spec.selector" in got.message


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_the_selector_never_changes(client: Client, group: str) -> None:
    """It is immutable, in upstream's words and without a webhook."""
    url = collection("DaemonSet", group)
    await client.request("POST", url, manifest("DaemonSet", group, UNCOUNTED))
    try:
        change = {"spec": {"selector": {"matchLabels": {"tier": "front"}}}}
        with pytest.raises(ApiError, match="field is immutable") as refused:
            await client.request("PATCH", f"{url}/web", change, content_type=MERGE_PATCH)
        assert "spec.selector" in refused.value.message
    finally:
        await client.request("DELETE", f"{url}/web")


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_defaults(client: Client, group: str) -> None:
    """What is not said is filled in, the same in both groups."""
    obj = manifest("DaemonSet", group, UNCOUNTED)
    made = await client.request("POST", collection("DaemonSet", group), obj, params={"dryRun": "All"})
    spec = {field: value for field, value in made["spec"].items() if field not in ("template", "selector")}
    assert spec == {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "revisionHistoryLimit": 10,
    }
