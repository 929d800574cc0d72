"""Jobs: what batch/v1 takes is taken in our group, what it refuses is refused at the same field."""

from typing import Any

import pytest

from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits, collection, manifest

pytestmark = pytest.mark.cluster

POD = "spec.template.spec"
PLAIN: dict[str, Any] = {
    "spec.replicas": ABSENT,
    "spec.selector": ABSENT,
    "spec.template.metadata": ABSENT,
    f"{POD}.restartPolicy": "Never",
}
"""Makes a Job of the object that workloads have in common."""
INDEXED: dict[str, Any] = {"spec.completionMode": "Indexed", "spec.completions": 5, "spec.parallelism": 2}
EACH: dict[str, Any] = INDEXED | {"spec.backoffLimitPerIndex": 1}


def rule(action: str = "FailJob", **requirement: Any) -> Obj:
    """Return an edit that gives one rule for pods that fail."""
    return {"spec.podFailurePolicy": {"rules": [{"action": action, **requirement}]}}


def codes(*values: int, operator: str = "In", **more: Any) -> Obj:
    """Return a requirement about exit codes."""
    return {"onExitCodes": {"operator": operator, "values": list(values), **more}}


def conditions(*types: str, **more: Any) -> Obj:
    """Return a requirement about conditions."""
    return {"onPodConditions": [{"type": type_, **more} for type_ in types]}


def success(*rules: Obj) -> Obj:
    """Return an edit that says which indexes are enough."""
    return INDEXED | {"spec.successPolicy": {"rules": list(rules)}}


TAKEN = [
    pytest.param({}, id="the least"),
    pytest.param({f"{POD}.restartPolicy": "OnFailure"}, id="OnFailure"),
    pytest.param({"metadata.name": "web.example"}, id="name with a dot"),
    pytest.param({"spec.completions": 0}, id="no completions"),
    pytest.param({"spec.parallelism": 0}, id="no parallelism"),
    pytest.param({"spec.parallelism": 200_000}, id="high parallelism without indexes"),
    pytest.param(INDEXED, id="Indexed"),
    pytest.param({"spec.completionMode": "Indexed"}, id="Indexed, of one by default"),
    pytest.param(INDEXED | {"spec.completions": 0}, id="Indexed, nothing to do"),
    pytest.param(INDEXED | {"spec.parallelism": 100_000}, id="Indexed, as many as may be"),
    pytest.param(EACH, id="a limit for each index"),
    pytest.param(EACH | {"spec.backoffLimitPerIndex": 0, "spec.maxFailedIndexes": 0}, id="no failed index"),
    pytest.param(EACH | {"spec.maxFailedIndexes": 5}, id="all may fail"),
    pytest.param(
        EACH | {"spec.completions": 100_001, "spec.parallelism": 10_000, "spec.maxFailedIndexes": 10_000},
        id="many indexes with a limit for each",
    ),
    pytest.param({"spec.backoffLimit": 0}, id="no failure"),
    pytest.param({"spec.activeDeadlineSeconds": 0}, id="deadline at once"),
    pytest.param({"spec.ttlSecondsAfterFinished": 0}, id="deleted at once"),
    pytest.param({"spec.suspend": True}, id="suspended"),
    pytest.param({"spec.managedBy": "example.com/other"}, id="another's"),
    pytest.param({"spec.managedBy": "kubernetes.io/job-controller"}, id="ours by name"),
    pytest.param({"spec.podReplacementPolicy": "Failed"}, id="replaced when failed"),
    pytest.param({"spec.podReplacementPolicy": "TerminatingOrFailed"}, id="replaced at once"),
    pytest.param({"spec.completionMode": "NonIndexed"}, id="NonIndexed"),
    pytest.param(
        {
            "spec.manualSelector": True,
            "spec.selector": {"matchLabels": {"a": "b"}},
            "spec.template.metadata": {"labels": {"a": "b"}},
        },
        id="a selector of one's own",
    ),
    pytest.param({"spec.template.metadata": {"labels": {"job-name": "web"}}}, id="the label that would be generated"),
    pytest.param(rule(**codes(1, 2, 255)), id="policy on codes"),
    pytest.param(rule(**codes(0, 1, operator="NotIn")), id="policy on no success"),
    pytest.param(rule(**codes(1, containerName="web")), id="policy on a container"),
    pytest.param(rule("Ignore", **conditions("DisruptionTarget")), id="policy on a condition, True by default"),
    pytest.param(rule("Count", **conditions("A", "b.example/C", status="Unknown")), id="policy on conditions"),
    pytest.param(EACH | rule("FailIndex", **codes(1)), id="policy that fails an index"),
    pytest.param({"spec.podFailurePolicy": {"rules": []}}, id="policy without rules"),
    pytest.param(
        {"spec.podFailurePolicy": {"rules": [{"action": "Count", **codes(1)}] * 20}}, id="policy of twenty rules"
    ),
    pytest.param(rule(**codes(*range(1, 256))), id="policy on all codes"),
    pytest.param(rule(**codes(1)) | {"spec.podReplacementPolicy": "Failed"}, id="policy and replacement"),
    pytest.param(success({"succeededCount": 5}), id="success by count"),
    pytest.param(success({"succeededIndexes": "0,2-4"}), id="success by indexes"),
    pytest.param(success({"succeededIndexes": "0-3", "succeededCount": 2}, {"succeededCount": 4}), id="either of two"),
    pytest.param(success({"succeededCount": 0}), id="success by none"),
    pytest.param({"metadata.name": "w" * 63}, id="as long as a label"),
    pytest.param(INDEXED | {"metadata.name": "w" * 61}, id="Indexed, as long as a hostname"),
]

REFUSED = [
    pytest.param({"spec": ABSENT}, id="no spec"),
    pytest.param({"spec.template": ABSENT}, id="no template"),
    pytest.param({f"{POD}.restartPolicy": ""}, id="restartPolicy empty"),
    pytest.param({f"{POD}.restartPolicy": "Always"}, id="Always"),
    pytest.param({f"{POD}.restartPolicy": "Sometimes"}, id="unknown restartPolicy"),
    pytest.param({f"{POD}.containers": []}, id="no containers"),
    *(
        pytest.param({f"spec.{field}": -1}, id=f"{field} negative")
        for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    ),
    pytest.param(EACH | {"spec.backoffLimitPerIndex": -1}, id="backoffLimitPerIndex negative"),
    pytest.param(EACH | {"spec.maxFailedIndexes": -1}, id="maxFailedIndexes negative"),
    pytest.param({"spec.completionMode": "Sorted"}, id="unknown completionMode"),
    pytest.param({"spec.completionMode": "Indexed", "spec.parallelism": 2}, id="Indexed without completions"),
    pytest.param(INDEXED | {"spec.parallelism": 100_001}, id="Indexed, too many at a time"),
    pytest.param({"spec.backoffLimitPerIndex": 1}, id="a limit for each index without indexes"),
    pytest.param(INDEXED | {"spec.maxFailedIndexes": 1}, id="maxFailedIndexes without a limit for each"),
    pytest.param({"spec.maxFailedIndexes": 1}, id="maxFailedIndexes without indexes"),
    pytest.param(EACH | {"spec.maxFailedIndexes": 6}, id="more may fail than there are"),
    pytest.param(EACH | {"spec.completions": 100_001}, id="many indexes without maxFailedIndexes"),
    pytest.param(
        EACH | {"spec.completions": 100_001, "spec.maxFailedIndexes": 1, "spec.parallelism": 10_001},
        id="many indexes, too many at a time",
    ),
    pytest.param(
        EACH | {"spec.completions": 100_001, "spec.maxFailedIndexes": 10_001}, id="many indexes, too many may fail"
    ),
    pytest.param({"spec.managedBy": "nobody"}, id="managedBy without a domain"),
    pytest.param({"spec.managedBy": "example.com/" + "x" * 60}, id="managedBy too long"),
    pytest.param({"spec.podReplacementPolicy": "Never"}, id="unknown replacement"),
    pytest.param({"spec.manualSelector": True}, id="no selector of one's own"),
    pytest.param(
        {"spec.manualSelector": True, "spec.selector": {"matchLabels": {"a": "b"}}}, id="a selector and no labels"
    ),
    pytest.param(rule(**codes(1)) | {f"{POD}.restartPolicy": "OnFailure"}, id="policy with OnFailure"),
    pytest.param(rule(**codes(1)) | {"spec.podReplacementPolicy": "TerminatingOrFailed"}, id="policy and replacement"),
    pytest.param(rule("", **codes(1)), id="policy without an action"),
    pytest.param(rule("Explode", **codes(1)), id="policy with an unknown action"),
    pytest.param(rule("FailIndex", **codes(1)), id="policy that fails what there is not"),
    pytest.param(rule(), id="policy on nothing"),
    pytest.param(rule(**codes(1), **conditions("A")), id="policy on both"),
    pytest.param(rule(**codes()), id="policy on no code"),
    pytest.param(rule(**codes(0)), id="policy on success"),
    pytest.param(rule(**codes(2, 1)), id="policy on codes in disorder"),
    pytest.param(rule(**codes(1, 1)), id="policy on a code twice"),
    pytest.param(rule(**codes(*range(1, 257))), id="policy on too many codes"),
    pytest.param(rule(**codes(1, operator="Near")), id="policy with an unknown operator"),
    pytest.param(rule(**codes(1, containerName="other")), id="policy on an unknown container"),
    pytest.param(rule(**conditions("a b")), id="policy on no condition's name"),
    pytest.param(rule(**conditions("A", status="Maybe")), id="policy on an unknown status"),
    pytest.param(rule(**conditions(*map("A{}".format, range(21)))), id="policy on too many conditions"),
    pytest.param(
        {"spec.podFailurePolicy": {"rules": [{"action": "Count", **codes(1)}] * 21}}, id="policy of too many rules"
    ),
    pytest.param({"spec.successPolicy": {"rules": [{"succeededCount": 1}]}}, id="success without indexes"),
    pytest.param(success(), id="success without rules"),
    pytest.param(success({}), id="success by nothing"),
    pytest.param(success({"succeededCount": -1}), id="success by less than none"),
    pytest.param(success({"succeededCount": 6}), id="success by more than there are"),
    pytest.param(success({"succeededIndexes": "0-1", "succeededCount": 3}), id="success by more than are named"),
    pytest.param(success({"succeededIndexes": "7"}), id="success by an index that there is not"),
    pytest.param(success({"succeededIndexes": "3,1"}), id="success by indexes in disorder"),
    pytest.param(success({"succeededIndexes": "one"}), id="success by a word"),
    pytest.param(success(*[{"succeededCount": 1}] * 21), id="success by too many rules"),
    pytest.param(INDEXED | {"metadata.name": "w" * 62}, id="Indexed, too long for a hostname"),
    pytest.param(INDEXED | {"metadata.name": "web.example"}, id="Indexed, name with a dot"),
    pytest.param({"spec.unknown": 1}, id="unknown field"),
]


@pytest.mark.parametrize("edits", TAKEN)
async def test_taken(client: Client, edits: Edits) -> None:
    """What the apiserver takes as its own is taken."""
    await validation.compare_taken(client, "Job", PLAIN | dict(edits))


@pytest.mark.parametrize("edits", REFUSED)
async def test_refused(client: Client, edits: Edits) -> None:
    """What the apiserver refuses as its own is refused, at the same field."""
    await validation.compare_refused(client, "Job", PLAIN | dict(edits))


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({"spec.selector": {"matchLabels": {"a": "b"}}}, id="a selector that nothing matches"),
        pytest.param({"spec.template.metadata": {"labels": {"job-name": "other"}}}, id="another's name in a label"),
        pytest.param({"spec.template.metadata": {"labels": {"controller-uid": "x"}}}, id="another's UID in a label"),
    ],
)
async def test_refused_with_a_uid(client: Client, edits: Edits) -> None:
    """Likewise, but the message has the UID that the object would have had, which is another in each dry run."""
    built_in, custom = validation.pair("Job", PLAIN | dict(edits))
    want, got = await validation.upstream(client, built_in), await validation.ours(client, custom)
    assert want is not None
    assert got is not None
    assert got.names_what(want)


UNCONDITIONAL = {"completionMode": "NonIndexed", "suspend": False, "manualSelector": False}
DEPENDENT = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "podReplacementPolicy": "TerminatingOrFailed"}


@pytest.mark.parametrize(
    ("group", "want"),
    [
        pytest.param("batch", UNCONDITIONAL | DEPENDENT, id="batch"),
        pytest.param(KOPFWERK, UNCONDITIONAL, id="ours, which does without those that depend on others"),
    ],
)
async def test_defaults(client: Client, group: str, want: Obj) -> None:
    """What is not said is filled in."""
    made = await client.request(
        "POST", collection("Job", group), manifest("Job", group, PLAIN), params={"dryRun": "All"}
    )
    spec = {field: value for field, value in made["spec"].items() if field not in ("template", "selector")}
    assert spec == want


@pytest.mark.parametrize("group", ["batch", KOPFWERK])
async def test_the_status_of_a_condition(client: Client, group: str) -> None:
    """A rule about a condition is about its being true."""
    obj = manifest("Job", group, PLAIN | rule(**conditions("A")))
    made = await client.request("POST", collection("Job", group), obj, params={"dryRun": "All"})
    assert made["spec"]["podFailurePolicy"]["rules"][0]["onPodConditions"] == [{"type": "A", "status": "True"}]
