"""What a DaemonSet's status counts, and when it is not written."""

from typing import Any

import pytest

from operators.core.daemonset import Observed, plan, report
from operators.core.plan import Exists, Failure, Outcome
from tests.support.daemons import daemon, daemonset, node, revision, seen

DS = daemonset()
A, B = node("a"), node("b")
TAINTED = node("b", taints=("gpu:NoSchedule",))
COUNTS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberMisscheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
)


def _counts(observed: Observed) -> tuple[int, ...]:
    status = report(observed, Outcome())
    assert status is not None
    return tuple(status[name] for name in COUNTS)


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(DS, (A, B)), (2, 0, 0, 0, 0, 0, 2), id="no pods yet"),
        pytest.param(seen(DS, (A, B), daemon(DS, "a"), daemon(DS, "b", "old")), (2, 2, 0, 2, 1, 2, 0), id="one old"),
        pytest.param(seen(DS, (A,), daemon(DS, "a", ready=None)), (1, 1, 0, 0, 1, 0, 1), id="not ready"),
        pytest.param(
            seen(DS, (A, TAINTED), daemon(DS, "a"), daemon(DS, "b")), (1, 1, 1, 1, 1, 1, 0), id="misscheduled"
        ),
        pytest.param(seen(DS, (A,), daemon(DS, "gone")), (1, 0, 0, 0, 0, 0, 1), id="a node that is gone"),
        pytest.param(
            seen(DS, (A,), daemon(DS, "a", age=9), daemon(DS, "a", "old", ready=None, age=99)),
            (1, 1, 0, 0, 0, 0, 1),
            id="of two pods on a node the oldest counts",
        ),
        pytest.param(
            seen(DS, (A,), daemon(DS, "a", deleting=True, phase="Failed", ready=None)),
            (1, 0, 0, 0, 0, 0, 1),
            id="what has ended and is going does not count",
        ),
        pytest.param(
            seen(daemonset(minReadySeconds=60), (A,), daemon(DS, "a")), (1, 1, 0, 1, 1, 0, 1), id="ready, not available"
        ),
    ],
)
def test_counts(observed: Observed, want: tuple[int, ...]) -> None:
    """desired, current, misscheduled, ready, updated, available, unavailable."""
    assert _counts(observed) == want


@pytest.mark.parametrize(
    ("owner", "want"),
    [
        pytest.param(daemonset(), "app=web", id="ours"),
        pytest.param(daemonset(group="apps"), None, id="the built-in kind has no such field"),
    ],
)
def test_the_selector_as_text(owner: dict[str, Any], want: str | None) -> None:
    """Printer columns of a custom resource can only show what is in the object."""
    status = report(seen(owner, (A,)), Outcome())
    assert status is not None
    assert status.get("selector") == want


def test_nothing_is_written_that_is_there_already() -> None:
    """A built-in kind leaves out zeros: that is no difference."""
    status = report(seen(DS, (A,), daemon(DS, "a")), Outcome())
    assert status is not None
    kept = {name: value for name, value in status.items() if value != 0}
    owner = daemonset(status=kept)
    assert report(seen(owner, (A,), daemon(owner, "a")), Outcome()) is None


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(daemonset(deleting=True), id="being deleted"),
        pytest.param(daemonset(selector={}), id="selects everything"),
    ],
)
def test_nothing_is_said_where_nothing_is_done(owner: dict[str, Any]) -> None:
    """Of a DaemonSet that is left alone there is no status."""
    assert report(seen(owner, (A,)), Outcome()) is None


def test_a_status_waits_for_pods_to_show_but_not_for_failures() -> None:
    """A sync follows what succeeded; what failed has to be told now."""
    observed = seen(DS, (A,))
    (step,) = plan(observed).steps
    assert report(observed, Outcome(((step, {"metadata": {}}),))) is None
    assert report(observed, Outcome(((step, Failure(403, "Forbidden", "quota")),))) is not None


def test_a_collision_is_counted_unless_the_revision_is_ours() -> None:
    """The count goes into the next hash."""
    owner = daemonset(status={"collisionCount": 2})
    observed = seen(owner, (A,), revisions=())
    (step,) = plan(observed).steps
    foreign = revision(daemonset(), "old", 1) | {"metadata": {"name": "x"}}
    found = report(observed, Outcome(((step, Exists(foreign)),)))
    assert found is not None
    assert found["collisionCount"] == 3
    assert report(observed, Outcome(((step, Exists(revision(owner, "new", 1))),))) is None
