"""What the plugin says and patches of StatefulSets."""

from typing import Any

import pytest

from operators.core.kubectl import history, rollout
from operators.core.kubectl.kinds import Refused
from operators.core.kubectl.status import Progress, progress
from operators.core.objects import Obj
from tests.support.builders import controllerrevision, statefulset, template
from tests.support.sets import rolling

COUNTS = {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 3, "currentReplicas": 3}
AT = {"currentRevision": "web-b", "updateRevision": "web-b"}
BARE = {"type": "RollingUpdate"}


def at(strategy: Obj | None = None, **status: Any) -> Obj:
    """Return a StatefulSet of three pods, all new and ready but for what is said."""
    return statefulset(status=COUNTS | AT | status, updateStrategy=strategy or rolling())


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(
            at(observedGeneration=0), "Waiting for statefulset spec update to be observed...", id="not seen yet"
        ),
        pytest.param(at(readyReplicas=1), "Waiting for 2 pods to be ready...", id="not ready"),
        pytest.param(
            at(rolling(partition=1), updatedReplicas=1),
            "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
            id="down to the partition",
        ),
        pytest.param(
            at(BARE, currentRevision="web-a", updatedReplicas=2),
            "waiting for statefulset rolling update to complete 2 pods at revision web-b...",
            id="without parameters",
        ),
    ],
)
def test_under_way(obj: Obj, want: str) -> None:
    """Each stage of a rollout has its sentence."""
    assert progress(obj, 0) == Progress(want)


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(at(), "partitioned roll out complete: 3 new pods have been updated...", id="with parameters"),
        pytest.param(
            at(BARE), "statefulset rolling update complete 3 pods at revision web-b...", id="without parameters"
        ),
    ],
)
def test_done(obj: Obj, want: str) -> None:
    """So has the end."""
    assert progress(obj, 0) == Progress(want, done=True)


def test_on_delete_has_no_progress() -> None:
    """Who replaces pods is not the controller, so nobody can say when that ends."""
    with pytest.raises(Refused, match="rollout status is only available for RollingUpdate strategy type"):
        progress(at({"type": "OnDelete"}), 0)


def kept() -> list[Obj]:
    """Return three revisions, not in order."""
    return [controllerrevision(f"web-{n}", template(f"app:{n}"), number=n) for n in (3, 1, 2)]


@pytest.mark.parametrize(
    ("to", "want"), [pytest.param(0, "app:2", id="the last but one"), pytest.param(1, "app:1", id="a given one")]
)
def test_undo(to: int, want: str) -> None:
    """A rollback replaces the template as a whole by that of a revision."""
    parent = statefulset(image="app:3")
    target = history.rollback_target(parent, kept(), to)
    assert history.rollback_patch(parent, target) == [
        {"op": "replace", "path": "/spec/template", "value": template(want)}
    ]


def test_undo_to_the_same() -> None:
    """Where the template means the same there is nothing to patch."""
    parent = statefulset(image="app:3")
    assert history.rollback_patch(parent, history.rollback_target(parent, kept(), 3)) is None


@pytest.mark.parametrize(
    ("found", "to", "want"),
    [
        pytest.param(kept()[:1], 0, "no last revision to roll back to", id="no other"),
        pytest.param(kept(), 9, "unable to find specified revision 9 in history", id="unknown"),
    ],
)
def test_undo_refused(found: list[Obj], to: int, want: str) -> None:
    """A revision that is not there is refused."""
    with pytest.raises(Refused, match=want):
        history.rollback_target(statefulset(), found, to)


def test_history() -> None:
    """Revisions are listed by their number."""
    history.check_history(statefulset())
    assert list(history.revisions(kept())) == [1, 2, 3]


def test_restart() -> None:
    """A restart is a template that differs by the time; nothing of a StatefulSet pauses."""
    patch = rollout.restart(statefulset(), "2030-01-01T00:00:00Z")
    assert patch["spec"]["template"]["metadata"]["annotations"] == {rollout.RESTARTED_AT: "2030-01-01T00:00:00Z"}
    with pytest.raises(Refused, match="pausing is not supported"):
        rollout.pause(statefulset())
