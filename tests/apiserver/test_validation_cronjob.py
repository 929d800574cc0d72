"""CronJobs: what batch/v1 takes is taken in our group, what it refuses is refused at the same field."""

import json
from pathlib import Path
from typing import Any

import pytest

from operators.core.admission.review import Review
from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import ApiError, Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits, manifest

pytestmark = pytest.mark.cluster

JOB = "spec.jobTemplate.spec"
POD = f"{JOB}.template.spec"
PLAIN: dict[str, Any] = {
    "spec.replicas": ABSENT,
    "spec.selector": ABSENT,
    "spec.template": ABSENT,
    "spec.schedule": "*/5 * * * *",
    f"{POD}.restartPolicy": "Never",
    f"{POD}.containers": [{"name": "web", "image": "nginx:1"}],
}
"""Makes a CronJob of the object that workloads have in common."""
SCHEDULES = json.loads((Path(__file__).parents[1] / "core" / "cron_due.json").read_text())
"""What upstream's parser takes, and what it refuses."""

TAKEN = [
    *(pytest.param({"spec.schedule": text}, id=text) for text in sorted({row["schedule"] for row in SCHEDULES["due"]})),
    pytest.param({"metadata.name": "x" * 52}, id="the longest name"),
    pytest.param({"metadata.name": "web.example"}, id="name with a dot"),
    pytest.param({"spec.timeZone": "Europe/Berlin"}, id="zone"),
    pytest.param({"spec.timeZone": "Etc/GMT+1"}, id="zone with a sign"),
    pytest.param({"spec.timeZone": "UTC"}, id="UTC"),
    pytest.param({"spec.startingDeadlineSeconds": 0}, id="no delay"),
    pytest.param({"spec.startingDeadlineSeconds": 10**10}, id="any delay"),
    *(pytest.param({"spec.concurrencyPolicy": policy}, id=policy) for policy in ("Allow", "Forbid", "Replace", "")),
    pytest.param({"spec.suspend": True}, id="suspended"),
    pytest.param({"spec.successfulJobsHistoryLimit": 0, "spec.failedJobsHistoryLimit": 0}, id="no history"),
    pytest.param({"spec.jobTemplate.metadata": {"labels": {"a": "b"}}}, id="labels of the Jobs"),
    pytest.param({"spec.jobTemplate.metadata": {"labels": {"a": "not a label"}}}, id="labels that no Job can have"),
    pytest.param({f"{JOB}.manualSelector": False}, id="no selector of one's own"),
    pytest.param({f"{JOB}.suspend": True, f"{JOB}.ttlSecondsAfterFinished": 60}, id="fields of the Jobs"),
    pytest.param({f"{JOB}.completionMode": "Indexed", f"{JOB}.completions": 3}, id="Indexed Jobs"),
    pytest.param({f"{POD}.restartPolicy": "OnFailure"}, id="OnFailure"),
]

REFUSED = [
    *(pytest.param({"spec.schedule": text}, id=f"schedule {text!r}") for text in SCHEDULES["refused"]),
    pytest.param({"spec.schedule": ""}, id="empty schedule"),
    pytest.param({"spec.schedule": "TZ=UTC 0 * * * *"}, id="TZ in the schedule"),
    pytest.param({"spec.schedule": "CRON_TZ=UTC 0 * * * *"}, id="CRON_TZ in the schedule"),
    pytest.param({"spec.schedule": "TZ=0"}, id="a schedule on which upstream's parser panics"),
    pytest.param({"metadata.name": "x" * 53}, id="name too long for its Jobs"),
    pytest.param({"metadata.name": "Web"}, id="upper case name"),
    *(
        pytest.param({"spec.timeZone": zone}, id=f"zone {zone!r}")
        for zone in ("", "Local", "local", "Mars/North", "/Europe/Berlin", "../UTC", "Europe//Berlin", "Europe/-Berlin")
    ),
    pytest.param({"spec.startingDeadlineSeconds": -1}, id="negative deadline"),
    pytest.param({"spec.concurrencyPolicy": "Never"}, id="unknown policy"),
    pytest.param({"spec.successfulJobsHistoryLimit": -1}, id="negative number of successes"),
    pytest.param({"spec.failedJobsHistoryLimit": -1}, id="negative number of failures"),
    pytest.param({f"{JOB}.selector": {"matchLabels": {"a": "b"}}}, id="a selector"),
    pytest.param({f"{JOB}.manualSelector": True}, id="a selector of one's own"),
    pytest.param({f"{POD}.restartPolicy": "Always"}, id="Always"),
    pytest.param({POD: {"containers": [{"name": "web", "image": "nginx:1"}]}}, id="no restartPolicy"),
    pytest.param({f"{POD}.containers": []}, id="no container"),
    pytest.param({f"{POD}.containers.0.image": ABSENT}, id="no image"),
    pytest.param({f"{JOB}.backoffLimit": -1}, id="negative number of tries"),
    pytest.param({f"{JOB}.completionMode": "Indexed", f"{JOB}.parallelism": 2}, id="Indexed without completions"),
    pytest.param({f"{JOB}.ttlSecondsAfterFinish": 1}, id="typo in the Job"),
    pytest.param({"spec.scedule": "* * * * *"}, id="typo"),
    pytest.param({"spec.suspend": "yes"}, id="text for a truth value"),
]


@pytest.mark.parametrize("edits", TAKEN)
async def test_taken(client: Client, edits: Edits) -> None:
    """The apiserver takes it as the built-in kind, and so do CRD and webhook."""
    await validation.compare_taken(client, "CronJob", PLAIN | dict(edits))


@pytest.mark.parametrize("edits", REFUSED)
async def test_refused(client: Client, edits: Edits) -> None:
    """Both refuse it, and name the same field; the webhook in upstream's very words."""
    await validation.compare_refused(client, "CronJob", PLAIN | dict(edits))


@pytest.mark.parametrize(
    ("edits", "want"),
    [
        pytest.param({"spec.jitterSeconds": 60}, None, id="jitter"),
        pytest.param({"spec.jitterSeconds": -1}, "spec.jitterSeconds", id="negative jitter"),
        pytest.param({f"{JOB}.podFailureBackoff": {"baseSeconds": 1}}, None, id="the Job's own back-off"),
        pytest.param({f"{JOB}.scheduling": {"schedulingPolicy": {"gang": {}}}}, None, id="a gang"),
        pytest.param(
            {f"{JOB}.scheduling": {"schedulingPolicy": {"gang": {"minCount": 2}}}},
            f"{JOB}.scheduling.schedulingPolicy.gang.minCount",
            id="a gang of more than run at a time",
        ),
    ],
)
async def test_what_only_the_custom_resource_has(client: Client, edits: Edits, want: str | None) -> None:
    """It has bounds as well."""
    said = await validation.ours(client, manifest("CronJob", KOPFWERK, PLAIN | dict(edits)))
    assert (said.fields if said else None) == (frozenset({want}) if want else None)


async def test_all_of_it_may_change(client: Client) -> None:
    """The template of the Jobs too, of which a Job itself keeps nearly everything."""
    before = manifest("CronJob", KOPFWERK, PLAIN | {f"{JOB}.completionMode": "NonIndexed"})
    edits: Edits = {
        "spec.schedule": "0 0 * * *",
        f"{JOB}.completionMode": "Indexed",
        f"{JOB}.completions": 3,
        f"{POD}.containers": [{"name": "web", "image": "nginx:2"}],
    }
    url = validation.collection("CronJob", KOPFWERK)
    made = await client.request("POST", url, before)
    try:
        after = manifest("CronJob", KOPFWERK, PLAIN | dict(edits))
        after["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
        changed = await client.request("PUT", f"{url}/web", after, params={"dryRun": "All"})
        assert await validation.webhook(client, Review("UPDATE", changed, made)) is None
    finally:
        await client.request("DELETE", f"{url}/web")


async def test_a_schedule_can_be_stopped_whatever_the_template_has_become(client: Client) -> None:
    """One that was written while the webhook was down can still be suspended; a bad schedule cannot be written."""
    before = manifest("CronJob", KOPFWERK, PLAIN | {f"{POD}.containers": [{"name": "NOT VALID", "image": "a"}]})
    suspended = {**before, "spec": {**before["spec"], "suspend": True}}
    assert await validation.webhook(client, Review("UPDATE", suspended, before)) is None
    moved = {**before, "spec": {**before["spec"], "schedule": "nonsense"}}
    said = await validation.webhook(client, Review("UPDATE", moved, before))
    assert said is not None
    assert "spec.schedule: Invalid value" in said.message
    assert "NOT VALID" not in said.message


async def test_defaults(client: Client) -> None:
    """They are upstream's, as far as they do not depend on other fields."""
    specs: list[Obj] = []
    for obj in validation.pair("CronJob", PLAIN):
        url = validation.collection("CronJob", obj["apiVersion"].removesuffix("/v1"))
        made = await client.request("POST", url, obj, params={"dryRun": "All"})
        specs.append({name: value for name, value in made["spec"].items() if name != "jobTemplate"})
    assert specs[0] == specs[1]
    assert specs[1] == {
        "schedule": "*/5 * * * *",
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }


async def test_a_status_may_not_say_nonsense(client: Client) -> None:
    """No number of Jobs is negative."""
    url = validation.collection("CronJob", KOPFWERK)
    made = await client.request("POST", url, manifest("CronJob", KOPFWERK, PLAIN))
    try:
        with pytest.raises(ApiError) as refused:
            await client.request("PUT", f"{url}/web/status", made | {"status": {"activeJobs": -1}})
        assert refused.value.status == 422
    finally:
        await client.request("DELETE", f"{url}/web")
