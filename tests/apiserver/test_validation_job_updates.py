"""What may change of a Job, and what its status may say: the same as of one of batch/v1.

The Jobs are managed by somebody else, so that no controller writes between two steps.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from operators.core.admission.review import Review
from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.apiserver import validation
from tests.apiserver.test_validation_job import EACH, INDEXED, PLAIN, codes, rule, success
from tests.apiserver.validation import Edits, collection, manifest

pytestmark = [pytest.mark.cluster, pytest.mark.parametrize("group", ["batch", KOPFWERK])]

THEIRS: dict[str, Any] = PLAIN | {"spec.managedBy": "example.com/other"}
SUSPENDED: dict[str, Any] = {"spec.suspend": True}
BEGAN, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


class Job:
    """A Job called web in one group."""

    def __init__(self, client: Client, group: str) -> None:
        self._client = client
        self.group = group
        self._url = f"{collection('Job', group)}/web"

    async def create(self, edits: Edits) -> Obj:
        """Create it."""
        obj = manifest("Job", self.group, THEIRS | dict(edits))
        return await self._client.request("POST", collection("Job", self.group), obj)

    async def report(self, status: Obj) -> Obj:
        """Merge into its status."""
        body = {"status": status}
        return await self._client.request("PATCH", f"{self._url}/status", body, content_type=MERGE_PATCH)

    async def change(self, before: Obj, spec: Obj) -> str:
        """Merge into its spec, and return why that is refused, empty where it is not."""
        try:
            after = await self._client.request("PATCH", self._url, {"spec": spec}, content_type=MERGE_PATCH)
        except ApiError as error:
            return error.message
        if self.group != KOPFWERK:
            return ""
        said = await validation.updated(self._client, Review("UPDATE", after, before))
        return said or ""

    async def delete(self) -> None:
        """Delete it."""
        await self._client.request("DELETE", self._url, {"propagationPolicy": "Background"})


@pytest.fixture
async def job(client: Client, group: str) -> AsyncIterator[Job]:
    """Return what makes and changes a Job."""
    made = Job(client, group)
    yield made
    await made.delete()


def pod(**spec: Any) -> Obj:
    """Return a change of what pods are made from."""
    return {"template": {"spec": spec}}


def container(**fields: Any) -> Obj:
    """Return a change of the container."""
    return pod(containers=[{"name": "web", "image": "nginx:1", **fields}])


NODES = {"requiredDuringSchedulingIgnoredDuringExecution": {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
}}  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "change"),
    [
        pytest.param({"spec.parallelism": 1}, {"parallelism": 5}, id="parallelism"),
        pytest.param({"spec.completions": 2}, {"parallelism": 5}, id="parallelism beside completions"),
        pytest.param({}, {"completions": 1}, id="completions as they are by default"),
        pytest.param({}, {"backoffLimit": 1}, id="backoffLimit"),
        pytest.param({}, {"activeDeadlineSeconds": 5}, id="activeDeadlineSeconds"),
        pytest.param({}, {"ttlSecondsAfterFinished": 5}, id="ttlSecondsAfterFinished"),
        pytest.param({}, {"suspend": True}, id="suspend"),
        pytest.param(SUSPENDED, {"suspend": False}, id="resume"),
        pytest.param({}, {"podReplacementPolicy": "Failed"}, id="podReplacementPolicy"),
        pytest.param(EACH, {"maxFailedIndexes": 3}, id="maxFailedIndexes"),
        pytest.param(INDEXED, {"completions": 9, "parallelism": 9}, id="more indexes"),
        pytest.param(INDEXED, {"completions": 1, "parallelism": 1}, id="fewer indexes"),
        pytest.param(SUSPENDED, pod(nodeSelector={"a": "b"}), id="suspended: nodeSelector"),
        pytest.param(SUSPENDED, pod(tolerations=[{"key": "a", "operator": "Exists"}]), id="suspended: tolerations"),
        pytest.param(SUSPENDED, pod(schedulingGates=[{"name": "example.com/a"}]), id="suspended: schedulingGates"),
        pytest.param(SUSPENDED, pod(affinity={"nodeAffinity": NODES}), id="suspended: affinity to nodes"),
        pytest.param(SUSPENDED, container(resources={"requests": {"cpu": "1"}}), id="suspended: resources"),
        pytest.param(SUSPENDED, {"template": {"metadata": {"labels": {"a": "b"}}}}, id="suspended: labels"),
        pytest.param(SUSPENDED, {"template": {"metadata": {"annotations": {"a": "b"}}}}, id="suspended: annotations"),
    ],
)
async def test_may_change(job: Job, edits: Edits, change: Obj) -> None:
    """What upstream lets change may."""
    assert await job.change(await job.create(edits), change) == ""


@pytest.mark.parametrize(
    ("edits", "change", "want"),
    [
        pytest.param({"spec.completions": 2}, {"completions": 3}, "spec.completions", id="completions"),
        pytest.param({"spec.completions": 2}, {"completions": None}, "spec.completions", id="no completions"),
        pytest.param(INDEXED, {"completions": 3}, "spec.completions", id="completions without parallelism"),
        pytest.param({}, {"selector": {"matchLabels": {"a": "b"}}}, "spec.selector", id="selector"),
        pytest.param(
            {"spec.completions": 2}, {"completionMode": "Indexed"}, "spec.completionMode", id="completionMode"
        ),
        pytest.param({}, rule(**codes(1))["spec.podFailurePolicy"], "spec.podFailurePolicy", id="podFailurePolicy"),
        pytest.param(INDEXED, {"backoffLimitPerIndex": 1}, "spec.backoffLimitPerIndex", id="backoffLimitPerIndex"),
        pytest.param({}, {"managedBy": "example.com/else"}, "spec.managedBy", id="managedBy"),
        pytest.param(
            success({"succeededCount": 1}),
            {"successPolicy": {"rules": [{"succeededCount": 2}]}},
            "spec.successPolicy",
            id="successPolicy",
        ),
        pytest.param({}, pod(nodeSelector={"a": "b"}), "spec.template", id="template"),
        pytest.param({}, {"template": {"metadata": {"labels": {"a": "b"}}}}, "spec.template", id="labels"),
        pytest.param(SUSPENDED, container(image="nginx:2"), "spec.template", id="suspended: image"),
        pytest.param(SUSPENDED, pod(priority=1), "spec.template", id="suspended: priority"),
        pytest.param(SUSPENDED, pod(affinity={"podAffinity": {}}), "spec.template", id="suspended: affinity to pods"),
        pytest.param({}, {"parallelism": -1}, "spec.parallelism", id="parallelism negative"),
    ],
)
async def test_may_not_change(job: Job, edits: Edits, change: Obj, want: str) -> None:
    """What upstream refuses to change is refused, at the same field."""
    change = {"podFailurePolicy": change} if "rules" in change else change
    message = await job.change(await job.create(edits), change)
    assert want in message


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param({}, True, id="not begun"),
        pytest.param({"startTime": BEGAN}, False, id="begun, and the controller has not seen that it is suspended"),
        pytest.param(
            {"startTime": BEGAN, "conditions": [{"type": "Suspended", "status": "True"}]}, True, id="suspended"
        ),
        pytest.param(
            {"startTime": BEGAN, "active": 1, "conditions": [{"type": "Suspended", "status": "True"}]},
            False,
            id="a pod runs",
        ),
        pytest.param({"active": 1}, False, id="not begun, but a pod runs"),
    ],
)
async def test_when_the_template_may_change(job: Job, status: Obj, want: bool) -> None:  # noqa: FBT001
    """Suspended, and without a pod that was made from the old one."""
    await job.create(SUSPENDED)
    before = await job.report(status)
    message = await job.change(before, pod(nodeSelector={"a": "b"}))
    assert (message == "") is want


def true(*types: str) -> list[Obj]:
    """Return conditions that are true."""
    return [{"type": type_, "status": "True", "lastTransitionTime": LATER} for type_ in types]


COMPLETE: Obj = {"startTime": BEGAN, "completionTime": LATER, "conditions": true("SuccessCriteriaMet", "Complete")}
FAILED: Obj = {"startTime": BEGAN, "conditions": true("FailureTarget", "Failed")}


TOGETHER: dict[str, tuple[str, ...]] = {
    "active": ("conditions",),
    "terminating": ("conditions",),
    "uncountedTerminatedPods": ("conditions",),
    "failedIndexes": ("completedIndexes",),
}
"""Where ours names another field, since one rule costs less than three."""


@pytest.mark.parametrize(
    ("edits", "before", "after", "want"),
    [
        pytest.param({}, {}, COMPLETE, "", id="complete"),
        pytest.param({}, {}, FAILED, "", id="failed"),
        pytest.param({}, {}, {"startTime": BEGAN, "active": 2, "ready": 1}, "", id="runs"),
        pytest.param({}, {}, {"active": -1}, "active", id="negative"),
        pytest.param({}, {}, {"active": 1, "ready": 2}, "ready", id="more ready than active"),
        pytest.param(
            {}, {}, COMPLETE | {"conditions": [*COMPLETE["conditions"], *FAILED["conditions"]]}, "conditions", id="both"
        ),
        pytest.param({}, {}, COMPLETE | {"conditions": true("Complete")}, "conditions", id="complete at once"),
        pytest.param({}, {}, FAILED | {"conditions": true("Failed")}, "conditions", id="failed at once"),
        pytest.param(
            {}, {}, FAILED | {"conditions": true("FailureTarget", "SuccessCriteriaMet")}, "conditions", id="undecided"
        ),
        pytest.param({}, {}, COMPLETE | {"completionTime": None}, "completionTime", id="no completionTime"),
        pytest.param({}, {}, FAILED | {"completionTime": LATER}, "completionTime", id="completionTime of a failed one"),
        pytest.param(
            {},
            {},
            COMPLETE | {"startTime": LATER, "completionTime": BEGAN},
            "completionTime",
            id="over before it began",
        ),
        pytest.param({}, {}, COMPLETE | {"startTime": None}, "startTime", id="over and never begun"),
        pytest.param(
            SUSPENDED | {"spec.completions": 0}, {}, COMPLETE | {"startTime": None}, "", id="suspended, nothing to do"
        ),
        pytest.param({}, {}, COMPLETE | {"active": 1}, "active", id="over with pods that run"),
        pytest.param({}, {}, COMPLETE | {"terminating": 1}, "terminating", id="over with pods that go"),
        pytest.param(
            {},
            {},
            COMPLETE | {"uncountedTerminatedPods": {"failed": ["a"]}},
            "uncountedTerminatedPods",
            id="over with pods that are not counted",
        ),
        pytest.param({}, {"failed": 2}, {"failed": 1}, "failed", id="fewer failures"),
        pytest.param({}, {"succeeded": 2}, {"succeeded": 1}, "succeeded", id="fewer successes"),
        pytest.param(
            INDEXED | {"spec.parallelism": 5}, {"succeeded": 2}, {"succeeded": 1}, "", id="fewer indexes: elastic"
        ),
        pytest.param(INDEXED, {"succeeded": 2}, {"succeeded": 1}, "succeeded", id="fewer indexes"),
        pytest.param({}, COMPLETE, {"conditions": true("SuccessCriteriaMet")}, "conditions", id="complete no more"),
        pytest.param({}, FAILED, {"conditions": true("FailureTarget")}, "conditions", id="failed no more"),
        pytest.param(
            {}, {"conditions": true("FailureTarget")}, {"conditions": []}, "conditions", id="does not fail after all"
        ),
        pytest.param(
            {}, {"conditions": true("SuccessCriteriaMet")}, {"conditions": []}, "conditions", id="nor succeed"
        ),
        pytest.param(
            {}, COMPLETE, {"completionTime": "2026-01-01T00:02:00Z"}, "completionTime", id="another completionTime"
        ),
        pytest.param({}, {"startTime": BEGAN}, {"startTime": LATER}, "startTime", id="another startTime"),
        pytest.param({}, {"startTime": BEGAN}, {"startTime": None}, "startTime", id="no startTime any more"),
        pytest.param(SUSPENDED, {"startTime": BEGAN}, {"startTime": None}, "", id="suspended: no startTime any more"),
        pytest.param(
            {},
            {"startTime": BEGAN, "conditions": true("Suspended")},
            {"startTime": LATER, "conditions": [{"type": "Suspended", "status": "False"}]},
            "",
            id="resumed: another startTime",
        ),
        pytest.param({}, {}, {"completedIndexes": "0"}, "completedIndexes", id="indexes without indexes"),
        pytest.param(INDEXED, {}, {"completedIndexes": "0-1,3"}, "", id="indexes"),
        pytest.param(INDEXED, {}, {"completedIndexes": "one"}, "completedIndexes", id="indexes in words"),
        pytest.param(INDEXED, {}, {"failedIndexes": "0"}, "failedIndexes", id="failed ones without a limit for each"),
        pytest.param(EACH, {}, {"failedIndexes": "0,2"}, "", id="failed indexes"),
        pytest.param(EACH, {}, {"failedIndexes": "0,"}, "failedIndexes", id="failed indexes, cut short"),
    ],
)
async def test_status(job: Job, edits: Edits, before: Obj, after: Obj, want: str) -> None:
    """A status that cannot be is refused, at the same field or that of a rule that says several things at once."""
    await job.create(edits)
    if before:
        await job.report(before)
    if not want:
        await job.report(after)
        return
    with pytest.raises(ApiError) as refused:
        await job.report(after)
    causes = {cause["field"] for cause in refused.value.details["causes"]}
    places = (want,) if job.group == "batch" else (want, *TOGETHER.get(want, ()))
    assert any(field.startswith(f"status.{place}") for field in causes for place in places), refused.value.message
