"""Jobs and StatefulSets whose pods are placed together: which of them there may be, and what of them may change."""

from typing import Any

import pytest

from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.apiserver import validation
from tests.apiserver.test_validation_job import PLAIN
from tests.apiserver.validation import Edits, collection, manifest

pytestmark = pytest.mark.cluster

FIELD = "spec.scheduling"
GANG = f"{FIELD}.schedulingPolicy.gang"
PARALLEL: dict[str, Any] = {"spec.podManagementPolicy": "Parallel"}


def gang(**policy: Any) -> Obj:
    """Return the edit that asks for it."""
    return {FIELD: {"schedulingPolicy": {"gang": policy}}}


@pytest.mark.parametrize(
    ("kind", "edits", "want"),
    [
        pytest.param("Job", gang(), None, id="a Job"),
        pytest.param("Job", gang(minCount=3) | {"spec.parallelism": 3}, None, id="a minimum"),
        pytest.param("Job", gang(minCount=4) | {"spec.parallelism": 3}, f"{GANG}.minCount", id="above parallelism"),
        pytest.param("Job", gang(minCount=2), f"{GANG}.minCount", id="above the parallelism that there is by default"),
        pytest.param("Job", gang(minCount=0), f"{GANG}.minCount", id="none"),
        pytest.param("Job", {FIELD: {}}, f"{FIELD}.schedulingPolicy", id="no policy"),
        pytest.param("Job", {FIELD: {"schedulingPolicy": {}}}, GANG, id="an empty policy"),
        pytest.param("StatefulSet", gang() | PARALLEL, None, id="a StatefulSet"),
        pytest.param("StatefulSet", gang(minCount=9) | PARALLEL, None, id="a minimum above replicas, which may change"),
        pytest.param("StatefulSet", gang(), FIELD, id="a StatefulSet that makes one pod after the other"),
    ],
)
async def test_what_may_be_asked_for(client: Client, kind: str, edits: Edits, want: str | None) -> None:
    """Nothing that could never be placed."""
    obj = manifest(kind, KOPFWERK, (PLAIN if kind == "Job" else {}) | dict(edits))
    said = await validation.ours(client, obj)
    assert (said.fields if said else None) == (frozenset({want}) if want else None)


@pytest.mark.parametrize(
    ("kind", "before", "change", "want"),
    [
        pytest.param("Job", gang(), {"schedulingPolicy": {"gang": {"minCount": 1}}}, "", id="a Job's minimum"),
        pytest.param("Job", gang(), None, "field is immutable", id="a Job's gang is dissolved"),
        pytest.param("Job", {}, {"schedulingPolicy": {"gang": {}}}, "field is immutable", id="a Job becomes a gang"),
        pytest.param(
            "StatefulSet",
            PARALLEL | gang(),
            {"schedulingPolicy": {"gang": {"minCount": 1}}},
            "",
            id="a StatefulSet's minimum",
        ),
        pytest.param("StatefulSet", PARALLEL | gang(), None, "field is immutable", id="a StatefulSet's is dissolved"),
    ],
)
async def test_what_may_change(client: Client, kind: str, before: Edits, change: Obj | None, want: str) -> None:
    """The minimum, and nothing else, as upstream has it of a Job."""
    url = collection(kind, KOPFWERK)
    edits = PLAIN | {"spec.suspend": True, "spec.parallelism": 2} if kind == "Job" else {}
    await client.request("POST", url, manifest(kind, KOPFWERK, edits | dict(before)))
    said = ""
    try:
        await client.request("PATCH", f"{url}/web", {"spec": {"scheduling": change}}, content_type=MERGE_PATCH)
    except ApiError as error:
        said = error.message
    finally:
        await client.request("DELETE", f"{url}/web")
    assert want in said
    assert bool(want) == bool(said)
