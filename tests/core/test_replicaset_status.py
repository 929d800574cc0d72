"""What a ReplicaSet reports."""

import pytest

from operators.core.objects import PODS, Obj
from operators.core.plan import Create, Delete, Failure, Outcome, Target
from operators.core.pods import Pod
from operators.core.replicaset import Observed, report
from tests.support.builders import NOW, ago, pod, replicaset

RS = replicaset()
CREATE = Create(PODS, {"metadata": {"generateName": "rs-"}})
TARGET = Target(PODS, "ns", "a", "uid-a")
QUOTA = Failure(403, "Forbidden", "exceeded quota")


def mine(name: str, **rest: object) -> Pod:
    """Return a pod of RS."""
    return pod(name, owner=RS, **rest)  # type: ignore[arg-type]


def reported(rs: Obj, *pods: Pod, outcome: Outcome = Outcome()) -> Obj:  # noqa: B008 - it cannot be changed
    """Return the status, which has to differ from the one that is there."""
    status = report(Observed(rs, pods, (), NOW), outcome)
    assert status is not None
    return status


@pytest.mark.parametrize(
    ("field", "want"),
    [
        pytest.param("replicas", 3, id="active"),
        pytest.param("readyReplicas", 2, id="ready"),
        pytest.param("availableReplicas", 1, id="ready-for-long-enough"),
        pytest.param("fullyLabeledReplicas", 2, id="with-the-template's-labels"),
        pytest.param("terminatingReplicas", 1, id="being-deleted"),
        pytest.param("observedGeneration", 1, id="generation"),
        pytest.param("selector", "app=web", id="selector"),
    ],
)
def test_counts(field: str, want: object) -> None:
    """Each count counts what its name says, of the ReplicaSet's own pods."""
    rs = replicaset(minReadySeconds=10)
    rs["spec"]["template"]["metadata"]["labels"] = {"app": "web", "tier": "front"}
    both = {"app": "web", "tier": "front"}
    pods = (
        mine("a", labels=both, ready=60),
        mine("b", labels=both, ready=5),
        mine("c", ready=None),
        mine("d", deleting=True),
        mine("e", phase="Failed"),
        mine("f", phase="Failed", deleting=True),
        pod("g", owner=replicaset("other")),
    )
    assert reported(rs, *pods)[field] == want


@pytest.mark.parametrize(
    ("pods", "outcome", "want"),
    [
        pytest.param((), Outcome(((CREATE, QUOTA),)), "FailedCreate", id="a-create-failed"),
        pytest.param(
            tuple(mine(n) for n in "abcd"), Outcome(((Delete(TARGET), QUOTA),)), "FailedDelete", id="a-delete-failed"
        ),
        pytest.param(
            (),
            Outcome(((CREATE, Failure(403, "Forbidden", "going", ("NamespaceTerminating",))),)),
            None,
            id="the-namespace-goes",
        ),
    ],
)
def test_replica_failure(pods: tuple[Pod, ...], outcome: Outcome, want: str | None) -> None:
    """The condition is there while creating or deleting fails, with the apiserver's words."""
    conditions = reported(RS, *pods, outcome=outcome).get("conditions", [])
    assert [condition["reason"] for condition in conditions] == ([want] if want else [])
    assert all(condition["message"] == "exceeded quota" for condition in conditions)


def test_a_failure_that_is_over_is_not_reported_any_more() -> None:
    """The first sync without a failure takes the condition away."""
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "lastTransitionTime": ago(9)}
    rs = replicaset(status={"conditions": [failed]})
    assert "conditions" not in reported(rs)


def test_a_failure_that_lasts_keeps_its_time() -> None:
    """The condition stays as it was when the trouble began."""
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "lastTransitionTime": ago(9)}
    rs = replicaset(status={"conditions": [failed]})
    assert reported(rs, outcome=Outcome(((CREATE, QUOTA),)))["conditions"] == [failed]


def test_nothing_new_is_not_written() -> None:
    """A status that says the same, zeros left out as built-in kinds leave them out or not, needs no write."""
    status = reported(RS, mine("a"))
    same = replicaset(status={name: value for name, value in status.items() if value or name == "terminatingReplicas"})
    assert report(Observed(same, (mine("a"),), (), NOW), Outcome()) is None


def test_what_was_just_done_is_reported_when_it_shows() -> None:
    """A sync that created pods writes no counts that are over already; the pods wake the next sync."""
    assert report(Observed(RS, (), (), NOW), Outcome(((CREATE, {}),))) is None
