"""When a workload is Ready, when it is Stalled, and when that asks for a write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from operators.core import conditions, objects
from operators.core.objects import Obj
from operators.core.plan import Outcome
from operators.core.ready import judged, reporting
from tests.support.builders import NOW, deployment, replicaset, statefulset
from tests.support.jobs import begun, job
from tests.support.jobs import condition as job_is

UP: Obj = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 1}
LATE = NOW + timedelta(minutes=5)
DEADLINE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
PENDING = {"type": "Ready", "status": "Unknown", "reason": "Pending"}


@dataclass(frozen=True)
class Seen:
    """What a controller observes."""

    parent: Obj
    now: datetime = NOW


def always(reported: Obj | None) -> Callable[[Seen, Outcome], Obj | None]:
    """Return a report that says this."""
    return lambda _, __: reported


def parent(seen: Seen) -> Obj:
    """Return whom a report is about."""
    return seen.parent


def ready(obj: Obj) -> str:
    """Return the status of the condition Ready, with its reason."""
    found = conditions.get(judged(obj, NOW), "Ready")
    assert found is not None
    return f"{found['status']} {found['reason']}"


DEPLOYMENTS = [
    pytest.param(UP, "True RolledOut", id="all updated and available"),
    pytest.param(UP | {"observedGeneration": 0}, "False RollingOut", id="the spec not yet observed"),
    pytest.param(UP | {"updatedReplicas": 2}, "False RollingOut", id="some not updated"),
    pytest.param(UP | {"replicas": 4}, "False RollingOut", id="an old one left"),
    pytest.param(UP | {"availableReplicas": 2}, "False RollingOut", id="some not available"),
    pytest.param({}, "False RollingOut", id="no status"),
    pytest.param(UP | {"updatedReplicas": 1, "conditions": [DEADLINE]}, "False ProgressDeadlineExceeded", id="stuck"),
]


@pytest.mark.parametrize(("status", "want"), DEPLOYMENTS)
def test_deployment(status: Obj, want: str) -> None:
    """As kubectl rollout status judges."""
    assert ready(deployment(replicas=3, status=status)) == want


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(UP, "True RolledOut", id="all available"),
        pytest.param(UP | {"observedGeneration": 0}, "False RollingOut", id="the spec not yet observed"),
        pytest.param(UP | {"availableReplicas": 2}, "False RollingOut", id="some not available"),
        pytest.param(UP | {"replicas": 4, "availableReplicas": 4}, "False RollingOut", id="one too many"),
    ],
)
def test_replicaset(status: Obj, want: str) -> None:
    """As many as wanted, no more, and all available."""
    assert ready(replicaset(replicas=3, status=status)) == want


def test_statefulset_that_is_not_updated_by_itself() -> None:
    """With OnDelete, what runs is what counts: nobody will update it."""
    status = UP | {"updatedReplicas": 0}
    assert ready(statefulset(replicas=3, updateStrategy={"type": "OnDelete"}, status=status)) == "True RolledOut"


def test_stalled_comes_and_goes() -> None:
    """It is there exactly while the deadline is exceeded."""
    stuck = judged(deployment(replicas=3, status=UP | {"updatedReplicas": 1, "conditions": [DEADLINE]}), NOW)
    assert (conditions.get(stuck, "Stalled") or {})["status"] == "True"
    going = [condition for condition in stuck if condition["type"] != "Progressing"]
    assert conditions.get(judged(deployment(replicas=3, status=UP | {"conditions": going}), NOW), "Stalled") is None


def test_the_message_is_the_latest_and_the_transition_the_first() -> None:
    """While it stays unready, only the message moves on."""
    first = judged(deployment(replicas=3, status=UP | {"availableReplicas": 1}), NOW)
    status = UP | {"availableReplicas": 2, "conditions": first}
    again = conditions.get(judged(deployment(replicas=3, status=status), LATE), "Ready")
    assert again is not None
    assert "2 of 3" in again["message"]
    assert again["lastTransitionTime"] == objects.format_time(NOW)


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param({}, "False JobNotStarted", id="not begun"),
        pytest.param({"startTime": objects.format_time(NOW)}, "True JobStarted", id="begun"),
        pytest.param({"conditions": [job_is("Suspended")]}, "False JobNotStarted", id="suspended"),
        pytest.param(begun(conditions=[job_is("Complete")]), "True JobStarted", id="complete"),
        pytest.param(begun(conditions=[job_is("FailureTarget")]), "True JobStarted", id="about to fail"),
        pytest.param(begun(conditions=[job_is("Failed")]), "False JobFailed", id="failed"),
        pytest.param(begun(conditions=[job_is("Failed", status="False")]), "True JobStarted", id="not failed"),
    ],
)
def test_job(status: Obj, want: str) -> None:
    """As kstatus judges built-in Jobs."""
    assert ready(job(status=status)) == want


def test_a_failed_job_is_stalled() -> None:
    """And says why it failed."""
    found = judged(job(status=begun(conditions=[job_is("Failed", message="too slow")])), NOW)
    stalled = conditions.get(found, "Stalled")
    assert stalled is not None
    assert (stalled["status"], stalled["reason"], stalled["message"]) == ("True", "JobFailed", "Job failed: too slow")


@pytest.mark.parametrize(
    ("status", "reported", "want"),
    [
        pytest.param({}, None, None, id="nothing reported of a spec not yet observed"),
        pytest.param({"conditions": [PENDING]}, None, None, id="nothing reported beside the schema's default"),
        pytest.param(UP, None, ["Ready"], id="a status from before there were such conditions"),
        pytest.param(UP | {"conditions": [PENDING]}, UP, ["Ready"], id="in place of the schema's default"),
        pytest.param({}, UP | {"conditions": [DEADLINE]}, ["Progressing", "Stalled", "Ready"], id="beside upstream's"),
    ],
)
def test_what_is_written(status: Obj, reported: Obj | None, want: list[str] | None) -> None:
    """The conditions go along with what is written anyway, and ask for a write only where they are missing."""
    report = reporting("kopfwerk.dev", always(reported), parent)
    written = report(Seen(deployment(replicas=3, status=status)), Outcome())
    assert (written and [condition["type"] for condition in written["conditions"]]) == want


def test_what_was_written_is_not_written_again() -> None:
    """The second time there is nothing new."""
    report = reporting("kopfwerk.dev", always(None), parent)
    written = report(Seen(deployment(replicas=3, status=UP)), Outcome())
    assert report(Seen(deployment(replicas=3, status=written), LATE), Outcome()) is None


def test_built_in_kinds_have_none() -> None:
    """There the report stays as it is."""
    report = always(UP)
    assert reporting("apps", report, parent) is report
