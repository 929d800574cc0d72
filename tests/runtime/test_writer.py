"""The one writer: what it sends, what it makes of the answers, and what it never sends."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from operators.core.objects import PODS, Obj, replicasets
from operators.core.plan import Batch, Create, Delete, Exists, Failure, Outcome, Patch, Plan, Say, Step, Target
from operators.runtime.client import ApiError
from operators.runtime.events import Recorder
from operators.runtime.freshness import Freshness
from operators.runtime.informer import Informers
from operators.runtime.writer import NotLeadingError, Writer
from tests.runtime.scripted import Answer, Scripted
from tests.support.builders import owner_reference, replicaset
from tests.support.virtual import virtual

RS = replicaset()
CREATE = Create(PODS, {"metadata": {"generateName": "rs-"}})
FIXED = Create(PODS, {"metadata": {"name": "rs-0"}})
TARGET = Target(PODS, "ns", "a", "uid-a")
LOST = ApiError(0, "NoAnswer", "connection reset")
TAKEN = ApiError(409, "AlreadyExists", "already exists")
QUOTA = ApiError(403, "Forbidden", "exceeded quota")


def echo(body: Obj | None) -> Obj:
    """Answer with what was sent."""
    return body or {}


def holder(owner: Obj) -> Obj:
    """Return an object of somebody's that has the name."""
    return {"metadata": {"name": "x", "resourceVersion": "5", "ownerReferences": [owner_reference(owner)]}}


async def applied(
    answers: list[Answer], *batches: Batch, may: Callable[[], bool] = lambda: True
) -> tuple[Any, Outcome]:
    """Carry out a plan against a script."""
    client = Scripted(list(answers))
    writer = Writer(client, Recorder(client, "test"), may)
    outcome = await writer.apply(replicasets("kopfwerk.dev"), RS, Plan(batches), Freshness(Informers()))
    return client.sent, outcome


@virtual
async def test_a_create_that_succeeded_unseen_is_not_doubled() -> None:
    """The second try has the first one's name, meets it, and takes it for its own."""
    sent, outcome = await applied([LOST, TAKEN, holder(RS)], Batch((CREATE,)))
    assert [request.method for request in sent] == ["POST", "POST", "GET"]
    assert sent[0].body == sent[1].body
    assert not list(outcome.failures)


@virtual
@pytest.mark.parametrize(
    ("step", "want"),
    [
        pytest.param(CREATE, {"fieldValidation": "Ignore"}, id="create"),
        pytest.param(Patch(TARGET, {}), {"fieldValidation": "Ignore"}, id="patch"),
        pytest.param(Delete(TARGET), {}, id="a delete has no fields"),
    ],
)
async def test_nothing_is_decoded_for_warnings_that_nobody_reads(step: Step, want: Obj) -> None:
    """The apiserver is told to leave unknown fields alone."""
    [sent], _ = await applied([echo], Batch((step,)))
    assert sent.params == want


@virtual
async def test_a_name_that_is_anothers_is_drawn_again() -> None:
    """Two strangers with one name are no failure where the name was drawn here."""
    sent, outcome = await applied([TAKEN, holder(replicaset("other")), echo], Batch((CREATE,)))
    assert sent[0].body["metadata"]["name"] != sent[2].body["metadata"]["name"]
    assert not list(outcome.failures)


@virtual
async def test_a_fixed_name_that_is_taken_is_said_to_exist() -> None:
    """Whose it is, the rules decide."""
    _, outcome = await applied([TAKEN, holder(RS)], Batch((FIXED,)))
    assert outcome.results == ((FIXED, Exists(holder(RS))),)


@virtual
async def test_what_a_failure_means_to_others_is_said_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both events have the apiserver's words."""
    said: list[str] = []
    monkeypatch.setattr(Recorder, "record", lambda _self, _parent, say: said.append(say.message))
    claim = replace(FIXED, failed=Say("Warning", "No", "{name}: {error}"), hence=Say("Warning", "No", "so: {error}"))
    await applied([QUOTA], Batch((claim,)))
    ending = {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}
    await applied([ApiError(403, "Forbidden", "gone soon", ending)], Batch((claim,)))
    assert said == ["rs-0: exceeded quota", "so: exceeded quota"]


@virtual
async def test_creates_start_slowly_and_stop_at_the_first_failure() -> None:
    """One, two, four; and no round after one with a failure."""
    sent, outcome = await applied([echo, echo, QUOTA], Batch((CREATE,) * 9, slow_start=True))
    assert len(sent) == len(outcome.results) == 3
    assert [failure.status for _, failure in outcome.failures] == [403]


@virtual
async def test_all_of_a_batch_is_tried_and_a_failure_ends_the_plan() -> None:
    """What does not start slowly goes at once; the next batch is not sent."""
    sent, _ = await applied([QUOTA, echo], Batch((CREATE, CREATE)), Batch((CREATE,)))
    assert len(sent) == 2


@virtual
@pytest.mark.parametrize(
    "live",
    [
        pytest.param({"metadata": {"uid": "another"}}, id="another-has-its-name"),
        pytest.param({"metadata": {"uid": "uid-rs", "deletionTimestamp": "2030-01-01T00:00:00Z"}}, id="is-deleted"),
        pytest.param(ApiError(404, "NotFound", "gone"), id="is-gone"),
    ],
)
async def test_nothing_is_adopted_for_a_parent_that_is_gone(live: Answer) -> None:
    """The apiserver is asked, and no step is sent."""
    sent, outcome = await applied([live], Batch((Patch(TARGET, {}),), live_owner=True))
    assert [request.method for request in sent] == ["GET"]
    assert all(isinstance(result, Failure) for _, result in outcome.results)


@virtual
@pytest.mark.parametrize(
    ("step", "want"),
    [
        pytest.param(Delete(TARGET), {"preconditions": {"uid": "uid-a"}}, id="delete-by-uid"),
        pytest.param(
            Delete(TARGET, resource_version="7"),
            {"preconditions": {"uid": "uid-a", "resourceVersion": "7"}},
            id="delete-by-both",
        ),
        pytest.param(Patch(TARGET, {}, "7"), {"metadata": {"uid": "uid-a", "resourceVersion": "7"}}, id="by-both"),
        pytest.param(Patch(TARGET, {}), {"metadata": {"uid": "uid-a"}}, id="patch-by-uid"),
    ],
)
async def test_writes_name_the_object_that_they_mean(step: Step, want: Obj) -> None:
    """A namesake is never touched."""
    sent, _ = await applied([echo], Batch((step,)))
    assert want.items() <= sent[0].body.items()


@virtual
@pytest.mark.parametrize(
    ("step", "want"),
    [
        pytest.param(Patch(TARGET, {}), "application/merge-patch+json", id="of any kind"),
        pytest.param(
            Patch(TARGET, {}, strategic=True), "application/strategic-merge-patch+json", id="of a built-in one"
        ),
    ],
)
async def test_a_patch_says_how_it_is_merged(step: Step, want: str) -> None:
    """An entry of a list can be taken out only by a strategic one."""
    sent, _ = await applied([echo], Batch((step,)))
    assert sent[0].content_type == want


@virtual
@pytest.mark.parametrize(
    ("answers", "want_failures"),
    [
        pytest.param([ApiError(404, "NotFound", "")], 0, id="gone"),
        pytest.param([ApiError(409, "Conflict", ""), {"metadata": {"uid": "other"}}], 0, id="its name is another's"),
        pytest.param([ApiError(409, "Conflict", ""), ApiError(404, "NotFound", "")], 0, id="gone meanwhile"),
        pytest.param([ApiError(409, "Conflict", ""), {"metadata": {"uid": "uid-a"}}], 1, id="still there: refused"),
    ],
)
async def test_what_is_gone_counts_as_deleted(answers: list[Answer], want_failures: int) -> None:
    """Gone, or its name another's: either way it is not there any more. What still is was not deleted."""
    _, outcome = await applied(answers, Batch((Delete(TARGET),)))
    assert len(list(outcome.failures)) == want_failures


@virtual
async def test_a_namespace_that_goes_is_no_failure() -> None:
    """It is kept among the results, and not counted."""
    body = {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}
    _, outcome = await applied([ApiError(403, "Forbidden", "going", body)], Batch((CREATE,)))
    assert len(outcome.results) == 1
    assert not list(outcome.failures)


@virtual
async def test_nothing_is_sent_while_not_leading() -> None:
    """Every single request asks."""
    with pytest.raises(NotLeadingError):
        await applied([echo], Batch((CREATE,)), may=lambda: False)
