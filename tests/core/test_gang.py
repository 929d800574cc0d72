"""Jobs and StatefulSets whose pods are placed together: what each pod is told, and that it stays true."""

from typing import Any

import pytest

from operators.core import gang
from operators.core import job as jobs
from operators.core.gang import MIN_COUNT, POD_GROUP
from operators.core.objects import PODS, Obj
from operators.core.plan import Create, Patch, Plan
from operators.core.statefulset import plan as plan_of_set
from operators.core.statefulset.identity import POD_NAME_LABEL, REVISION_LABEL
from tests.support import sets
from tests.support.builders import statefulset
from tests.support.jobs import LABELS, begun, indexed, job, run, seen

KOPFWERK = "kopfwerk.dev"
GROUP = "job-uid-job"


def scheduling(min_count: int | None = None) -> Obj:
    """Return the field that asks for it."""
    return {"schedulingPolicy": {"gang": {} if min_count is None else {"minCount": min_count}}}


def together(min_count: int | None = None, **spec: Any) -> Obj:
    """Return a Job of five pods that are placed together."""
    wanted: dict[str, Any] = {"parallelism": 5, "completions": 5, "scheduling": scheduling(min_count)}
    return job(group=KOPFWERK, **wanted | spec)


def made(plan: Plan) -> list[tuple[str | None, str | None]]:
    """Return the group and the minimum of each pod that is made."""
    bodies = [step.body for step in plan.steps if isinstance(step, Create) and step.resource == PODS]
    labels = [body["metadata"].get("labels", {}) for body in bodies]
    return [(one.get(POD_GROUP), one.get(MIN_COUNT)) for one in labels]


def corrected(plan: Plan) -> dict[str, Obj]:
    """Return the labels that pods are given, by name."""
    return {step.target.name: step.body["metadata"]["labels"] for step in plan.steps if _is_correction(step)}  # type: ignore[union-attr]


def _is_correction(step: object) -> bool:
    return isinstance(step, Patch) and MIN_COUNT in step.body.get("metadata", {}).get("labels", {})


@pytest.mark.parametrize(
    ("parent", "want"),
    [
        pytest.param(together(), [(GROUP, "5")] * 5, id="all of them"),
        pytest.param(together(3), [(GROUP, "3")] * 5, id="some of them"),
        pytest.param(together(completions=20), [(GROUP, "5")] * 5, id="as many as run at a time"),
        pytest.param(together(completions=3), [(GROUP, "3")] * 3, id="no more than there is work for"),
        pytest.param(together(completions=20, status=begun(succeeded=18)), [(GROUP, "2")] * 2, id="the last two"),
        pytest.param(together(completions=None), [(GROUP, "5")] * 5, id="a queue of work"),
        pytest.param(job(group=KOPFWERK, parallelism=2, completions=2), [(None, None)] * 2, id="not asked for"),
        pytest.param(job(parallelism=2, completions=2, scheduling=scheduling()), [(None, None)] * 2, id="built-in"),
    ],
)
def test_a_jobs_pods_are_told_how_many_they_are(parent: Obj, want: list[tuple[str, str]]) -> None:
    """Never more than there shall be, or they would wait for pods that never come."""
    assert made(jobs.plan(seen(parent))) == want


def test_an_index_that_has_failed_is_not_waited_for() -> None:
    """No pod is made for it any more."""
    status = begun(failedIndexes="1", completedIndexes="0", failed=1, succeeded=1)
    parent = indexed(
        5,
        group=KOPFWERK,
        parallelism=5,
        scheduling=scheduling(),
        backoffLimitPerIndex=0,
        maxFailedIndexes=5,
        status=status,
    )
    assert made(jobs.plan(seen(parent))) == [(GROUP, "3")] * 3


def test_the_templates_own_labels_stay() -> None:
    """And those by which the Job finds its pods."""
    parent = together()
    parent["spec"]["template"]["metadata"]["labels"] = {"mine": "yes"}
    body = next(step.body for step in jobs.plan(seen(parent)).steps if isinstance(step, Create))
    assert body["metadata"]["labels"].items() > {"mine": "yes", "job-name": "job", POD_GROUP: GROUP}.items()
    assert parent["spec"]["template"]["metadata"]["labels"] == {"mine": "yes"}


OLD = {**LABELS, POD_GROUP: GROUP, MIN_COUNT: "8"}
NOW_FIVE = {POD_GROUP: GROUP, MIN_COUNT: "5"}


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(run("a", phase="Pending", node="", labels=OLD), {"a": NOW_FIVE}, id="waits"),
        pytest.param(run("a", phase="Pending", node="", labels=LABELS), {"a": NOW_FIVE}, id="is in no group"),
        pytest.param(run("a", phase="Pending", node="", labels=LABELS | NOW_FIVE), {}, id="knows"),
        pytest.param(run("a", labels=OLD), {}, id="has a node"),
        pytest.param(run("a", phase="Pending", node="", labels=OLD, deleting=True), {}, id="is being deleted"),
        pytest.param(run("a", phase="Failed", node="", labels=OLD), {}, id="has ended"),
    ],
)
def test_pods_that_wait_are_told_when_there_are_to_be_fewer(pod: Any, want: dict[str, Obj]) -> None:
    """A Job of eight pods for which there is no room may be made one of five."""
    assert corrected(jobs.plan(seen(together(), pod))) == want


def test_pods_that_wait_are_told_when_others_have_succeeded() -> None:
    """Then there is less left to do side by side."""
    parent = together(status=begun(succeeded=3))
    pending = run("a", phase="Pending", node="", labels=LABELS | NOW_FIVE)
    assert corrected(jobs.plan(seen(parent, pending))) == {"a": {POD_GROUP: GROUP, MIN_COUNT: "2"}}


def parallel(replicas: int = 3, **spec: Any) -> Obj:
    """Return a StatefulSet whose pods are made side by side."""
    return statefulset(replicas=replicas, podManagementPolicy="Parallel", **spec)


@pytest.mark.parametrize(
    ("parent", "want"),
    [
        pytest.param(parallel(scheduling=scheduling()), [("web-uid-web", "3")] * 3, id="all of them"),
        pytest.param(parallel(scheduling=scheduling(2)), [("web-uid-web", "2")] * 3, id="some of them"),
        pytest.param(parallel(1, scheduling=scheduling(2)), [("web-uid-web", "1")], id="scaled below the minimum"),
        pytest.param(parallel(), [(None, None)] * 3, id="not asked for"),
        pytest.param(parallel(group="apps", scheduling=scheduling()), [(None, None)] * 3, id="built-in"),
    ],
)
def test_a_statefulsets_pods_are_told_how_many_they_are(parent: Obj, want: list[tuple[str, str]]) -> None:
    """They are of the same revision as without it: nothing is rolled for it."""
    parent["status"] = {"currentRevision": "new"}
    assert made(plan_of_set(sets.seen(parent))) == want
    assert {step.body["kind"] for step in plan_of_set(sets.seen(parent)).steps if isinstance(step, Create)} == {"Pod"}


def test_a_statefulset_that_is_scaled_tells_the_pods_that_wait() -> None:
    """And leaves alone those that have a node."""
    parent = parallel(2, scheduling=scheduling(), status={"currentRevision": "new"})
    labels = {"app": "web", REVISION_LABEL: "new", POD_GROUP: "web-uid-web", MIN_COUNT: "3"}
    pods = [
        sets.replica(parent, n, labels=labels | {POD_NAME_LABEL: f"web-{n}"}, phase="Pending", ready=None, node=node)
        for n, node in enumerate(("", "node-1"))
    ]
    assert corrected(plan_of_set(sets.seen(parent, *pods))) == {"web-0": {POD_GROUP: "web-uid-web", MIN_COUNT: "2"}}


def test_a_groups_name_is_the_objects_own() -> None:
    """Not that of another kind or of an earlier object of the name, and short enough for a label."""
    long = job("j" * 63, group=KOPFWERK)
    long["metadata"]["uid"] = "01234567-89ab-cdef-0123-456789abcdef"
    assert gang.group_of(long) == "j" * 54 + "-01234567"
    assert len(gang.group_of(long)) == 63
