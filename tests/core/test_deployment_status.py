"""What a Deployment's status says."""

from datetime import timedelta
from typing import Any

import pytest

from operators.core.deployment import Observed, plan, report
from operators.core.deployment.replicasets import REVISION
from operators.core.objects import Obj
from operators.core.plan import Create, Exists, Failure, Outcome, Result
from tests.support.builders import NOW, ago, deployment, member, replicaset


def reported(parent: Obj, *members: Obj, outcome: Outcome | None = None) -> Obj | None:
    """Return the status that is written."""
    return report(Observed(parent, members, {}, NOW), outcome or Outcome())


def condition(status: Obj | None, type_: str) -> tuple[str, str, str]:
    """Return status, reason and message of a condition."""
    assert status is not None
    (found,) = (c for c in status["conditions"] if c["type"] == type_)
    return found["status"], found["reason"], found["message"]


def progressing(reason: str, status: str = "True", updated: float = 100) -> Obj:
    """Return a status with a Progressing condition that was last updated so many seconds ago."""
    return {
        "conditions": [
            {
                "type": "Progressing",
                "status": status,
                "reason": reason,
                "message": "",
                "lastUpdateTime": ago(updated),
                "lastTransitionTime": ago(updated),
            }
        ]
    }


def test_counts_are_sums() -> None:
    """The status adds up what the ReplicaSets say of themselves."""
    parent = deployment(replicas=10)
    old = member(parent, "old", replicas=8, available=7, image="app:1", age=100, status={"terminatingReplicas": 2})
    new = member(parent, "new", replicas=5, available=2, image="app:2", revision=2)
    status = reported(parent, old, new)
    assert status is not None
    del status["conditions"]
    assert status == {
        "observedGeneration": 1,
        "replicas": 13,
        "updatedReplicas": 5,
        "readyReplicas": 9,
        "availableReplicas": 9,
        "unavailableReplicas": 4,
        "terminatingReplicas": 2,
        "selector": "app=web",
    }


def test_built_in_deployments_have_no_selector_in_their_status() -> None:
    """It is the one field that upstream's status lacks."""
    status = reported(deployment(group="apps"))
    assert status is not None
    assert "selector" not in status


@pytest.mark.parametrize(
    ("available", "want"),
    [
        pytest.param(8, ("True", "MinimumReplicasAvailable"), id="as many as needed"),
        pytest.param(7, ("False", "MinimumReplicasUnavailable"), id="too few"),
    ],
)
def test_availability(available: int, want: tuple[str, str]) -> None:
    """Available is true as long as no more are missing than may be."""
    parent = deployment(replicas=10)
    new = member(parent, "new", replicas=10, available=available, image="app:2")
    assert condition(reported(parent, new), "Available")[:2] == want


COMPLETE: dict[str, Any] = {"replicas": 3, "available": 3, "image": "app:2", "sized_for": (3, 4)}
STUCK: dict[str, Any] = {"replicas": 3, "available": 1, "image": "app:2", "sized_for": (3, 4)}
SAME: Obj = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}


@pytest.mark.parametrize(
    ("before", "new", "want"),
    [
        pytest.param({}, STUCK, ("True", "ReplicaSetUpdated"), id="first seen, and moving"),
        pytest.param(SAME, STUCK, ("True", "FoundNewReplicaSet"), id="first seen, and still"),
        pytest.param(progressing("NewReplicaSetCreated"), STUCK, ("True", "ReplicaSetUpdated"), id="moving"),
        pytest.param(
            SAME | progressing("ReplicaSetUpdated"), STUCK, ("True", "ReplicaSetUpdated"), id="standing still"
        ),
        pytest.param(
            SAME | progressing("ReplicaSetUpdated", updated=601),
            STUCK,
            ("False", "ProgressDeadlineExceeded"),
            id="too long",
        ),
        pytest.param(
            SAME | progressing("ReplicaSetUpdated", updated=600),
            STUCK,
            ("True", "ReplicaSetUpdated"),
            id="just in time",
        ),
        pytest.param(
            SAME | {"readyReplicas": 0, "availableReplicas": 0} | progressing("ProgressDeadlineExceeded", "False", 900),
            STUCK,
            ("True", "ReplicaSetUpdated"),
            id="moving again after the deadline",
        ),
        pytest.param(progressing("ReplicaSetUpdated"), COMPLETE, ("True", "NewReplicaSetAvailable"), id="complete"),
        pytest.param(
            SAME | progressing("NewReplicaSetAvailable", updated=9999),
            STUCK,
            ("True", "NewReplicaSetAvailable"),
            id="no deadline once complete",
        ),
    ],
)
def test_progress(before: Obj, new: dict[str, Any], want: tuple[str, str]) -> None:
    """Progressing says whether the rollout moves, is done, or stood still for longer than the deadline."""
    parent = deployment(replicas=3, status=before)
    status = reported(parent, member(parent, "new", **new))
    if status is None:
        status = before
    assert condition(status, "Progressing")[:2] == want


def test_progress_renews_the_time_of_update_and_keeps_that_of_the_transition() -> None:
    """The deadline counts from the last progress; nothing went from true to false meanwhile."""
    parent = deployment(replicas=3, status=progressing("ReplicaSetUpdated", updated=100))
    status = reported(parent, member(parent, "new", **STUCK))
    assert status is not None
    (found,) = (c for c in status["conditions"] if c["type"] == "Progressing")
    assert (found["lastUpdateTime"], found["lastTransitionTime"]) == (ago(0), ago(100))


def test_without_a_deadline_there_is_no_progressing_condition() -> None:
    """Nothing can time out, so nothing is said."""
    parent = deployment(replicas=3, status=progressing("ReplicaSetUpdated"), progressDeadlineSeconds=None)
    status = reported(parent, member(parent, "new", **STUCK))
    assert status is not None
    assert [c["type"] for c in status["conditions"]] == ["Available"]


@pytest.mark.parametrize(
    ("paused", "before", "want"),
    [
        pytest.param(True, "ReplicaSetUpdated", ("Unknown", "DeploymentPaused"), id="paused"),
        pytest.param(False, "DeploymentPaused", ("Unknown", "DeploymentResumed"), id="resumed"),
        pytest.param(True, "ProgressDeadlineExceeded", ("False", "ProgressDeadlineExceeded"), id="timed out before"),
    ],
)
def test_pausing_stops_the_deadline(paused: bool, before: str, want: tuple[str, str]) -> None:  # noqa: FBT001
    """The condition becomes unknown while paused, and starts anew when resumed."""
    status = "False" if before == "ProgressDeadlineExceeded" else "True"
    if before == "DeploymentPaused":
        status = "Unknown"
    parent = deployment(replicas=3, paused=paused, status=SAME | progressing(before, status))
    assert condition(reported(parent, member(parent, "new", **STUCK)), "Progressing")[:2] == want


def outcome(parent: Obj, result: Result) -> Outcome:
    """Return what came of making the new ReplicaSet."""
    (step,) = plan(Observed(parent, (), {}, NOW)).steps
    assert isinstance(step, Create)
    return Outcome(((step, result),))


class TestMakingTheReplicaSet:
    """What came of it shows at once."""

    parent = deployment(replicas=3)

    def test_success(self) -> None:
        """The condition names the ReplicaSet from which the deadline counts."""
        made = replicaset("web-abc", replicas=3, owner=self.parent, image="app:2")
        status = reported(self.parent, outcome=outcome(self.parent, made))
        assert condition(status, "Progressing") == ("True", "NewReplicaSetCreated", 'Created new replica set "web-abc"')
        assert status is not None
        assert status["unavailableReplicas"] == 3

    def test_failure(self) -> None:
        """The apiserver's words are passed on, and the rest of the status waits."""
        failure = Failure(403, "Forbidden", "exceeded quota")
        status = reported(self.parent, outcome=outcome(self.parent, failure))
        got = condition(status, "Progressing")
        assert got[:2] == ("False", "ReplicaSetCreateError")
        assert got[2].startswith('Failed to create new replica set "web-')
        assert got[2].endswith(": exceeded quota")

    def test_a_namespace_that_goes_is_no_failure(self) -> None:
        """Nothing is reported about what will be gone in a moment."""
        failure = Failure(403, "Forbidden", "going", ("NamespaceTerminating",))
        assert reported(self.parent, outcome=outcome(self.parent, failure)) is None

    @pytest.mark.parametrize(
        ("holder", "want"),
        [
            pytest.param(replicaset("x", image="app:2"), 1, id="an orphan has the name"),
            pytest.param(replicaset("x", image="app:2", owner=deployment("other")), 1, id="another's has the name"),
            pytest.param(
                replicaset("x", image="app:9", owner=deployment(replicas=3)), 1, id="ours, of another template"
            ),
            pytest.param(
                replicaset("x", image="app:2", owner=deployment(replicas=3)), None, id="ours: the cache was late"
            ),
        ],
    )
    def test_a_taken_name(self, holder: Obj, want: int | None) -> None:
        """A foreign holder of the name counts as a collision; our own only says that the cache is behind."""
        status = reported(self.parent, outcome=outcome(self.parent, Exists(holder)))
        assert (status or {}).get("collisionCount") == want


def test_a_replicasets_failure_is_passed_on_and_taken_back() -> None:
    """ReplicaFailure is there as long as a ReplicaSet has it."""
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "quota",
        "lastTransitionTime": ago(5),
    }
    parent = deployment(replicas=3)
    failing = member(parent, "new", **STUCK, status={"conditions": [failure]})
    status = reported(parent, failing)
    assert condition(status, "ReplicaFailure") == ("True", "FailedCreate", "quota")
    healed = deployment(replicas=3, status=status)
    again = reported(healed, member(healed, "new", **STUCK))
    assert again is not None
    assert "ReplicaFailure" not in [c["type"] for c in again["conditions"]]


def test_a_status_that_says_the_same_is_not_written() -> None:
    """The second report of the same state is none."""
    parent = deployment(replicas=3, annotations={REVISION: "1"})
    new = member(parent, "new", **COMPLETE)
    status = reported(parent, new)
    assert reported(parent | {"status": status}, new) is None


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(SAME | progressing("ReplicaSetUpdated", updated=100), 501, id="a second after the deadline"),
        pytest.param(SAME | progressing("ReplicaSetUpdated", updated=700), None, id="not where it has passed"),
        pytest.param(SAME | progressing("ProgressDeadlineExceeded", "False"), None, id="not after it was missed"),
        pytest.param(SAME | {"availableReplicas": 3} | progressing("ReplicaSetUpdated"), None, id="not when complete"),
        pytest.param(SAME | progressing("NewReplicaSetAvailable"), None, id="not once it was complete"),
        pytest.param({}, None, id="not before there is a condition"),
    ],
)
def test_when_the_deadline_is_looked_at(status: Obj, want: int | None) -> None:
    """A rollout that stands still is looked at again when its deadline has passed, without being woken."""
    parent = deployment(replicas=3, status=status)
    made = plan(Observed(parent, (member(parent, "new", **STUCK),), {}, NOW))
    assert made.requeue_after == (timedelta(seconds=want) if want is not None else None)


@pytest.mark.parametrize("written", [{}, {"status": "True", "lastUpdateTime": None, "lastTransitionTime": None}])
def test_a_condition_that_says_little_holds_up_nothing(written: Obj) -> None:
    """A condition written by hand without reason and times is taken for an old one, and replaced."""
    parent = deployment(replicas=3, status=SAME | {"conditions": [{"type": "Progressing"} | written]})
    stuck = member(parent, "new", **STUCK, status={"conditions": [{"type": "ReplicaFailure", "status": "True"}]})
    assert plan(Observed(parent, (stuck,), {}, NOW)).requeue_after is None
    status = reported(parent, stuck)
    assert [c["reason"] for c in (status or {})["conditions"] if c["type"] == "Progressing"] == [
        "ProgressDeadlineExceeded"
    ]


def test_that_no_pod_terminates_is_said_where_nothing_was() -> None:
    """A status from before terminatingReplicas existed gets it: no count is not the same as a count of 0."""
    parent = deployment(replicas=3, annotations={REVISION: "1"})
    new = member(parent, "new", **COMPLETE)
    status = reported(parent, new)
    assert status is not None
    earlier = {name: value for name, value in status.items() if name != "terminatingReplicas"}
    assert (reported(parent | {"status": earlier}, new) or {}).get("terminatingReplicas") == 0


def test_what_is_being_deleted_is_not_said_to_be_paused() -> None:
    """A Deployment that waits for its children to go keeps the Progressing condition that it has."""
    parent = deployment(replicas=3, paused=True, deleting=True, status=SAME | progressing("ReplicaSetUpdated"))
    status = reported(parent, member(parent, "new", **STUCK)) or parent["status"]
    assert [c["reason"] for c in status["conditions"] if c["type"] == "Progressing"] == ["ReplicaSetUpdated"]


def test_a_pause_has_no_deadline_to_look_at() -> None:
    """A paused Deployment sleeps until something changes."""
    parent = deployment(replicas=3, paused=True, status=SAME | progressing("DeploymentPaused", "Unknown", updated=700))
    assert plan(Observed(parent, (member(parent, "new", **STUCK),), {}, NOW)).requeue_after is None
