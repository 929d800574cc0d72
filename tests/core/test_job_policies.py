"""What a failed pod, or some succeeded indexes, mean under a Job's policies."""

from typing import Any

import pytest

from operators.core.job import failure_policy, success_policy
from operators.core.job.failure_policy import Match
from operators.core.job.indexes import Indexes
from operators.core.objects import Obj
from tests.support.jobs import run


def codes(action: str, *values: int, operator: str = "In", **rest: Any) -> Obj:
    """Return a rule about exit codes."""
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **rest}}


def states(action: str, type_: str, status: str = "True") -> Obj:
    """Return a rule about a pod's condition."""
    return {"action": action, "onPodConditions": [{"type": type_, "status": status}]}


LOST = ("DisruptionTarget", "True")


@pytest.mark.parametrize(
    ("rules", "pod", "want"),
    [
        pytest.param([], {"code": 1}, Match("Count"), id="no rules"),
        pytest.param([codes("Ignore", 7)], {"code": 7}, Match("Ignore"), id="ignored"),
        pytest.param([codes("Ignore", 7)], {"code": 8}, Match("Count"), id="another code"),
        pytest.param([codes("FailIndex", 7)], {"code": 7}, Match("FailIndex"), id="fails its index"),
        pytest.param([codes("Count", 7), codes("Ignore", 7)], {"code": 7}, Match("Count"), id="the first rule decides"),
        pytest.param([codes("Ignore", 7, operator="NotIn")], {"code": 8}, Match("Ignore"), id="not in"),
        pytest.param([codes("Ignore", 7, operator="NotIn")], {"code": 7}, Match("Count"), id="not in, but it is"),
        pytest.param([codes("Ignore", 0, operator="NotIn")], {"code": 0}, Match("Count"), id="0 is no failure"),
        pytest.param([codes("Ignore", 7, containerName="app")], {"code": 7}, Match("Ignore"), id="of that container"),
        pytest.param([codes("Ignore", 7, containerName="db")], {"code": 7}, Match("Count"), id="of another container"),
        pytest.param([states("Ignore", "DisruptionTarget")], {"conditions": (LOST,)}, Match("Ignore"), id="condition"),
        pytest.param(
            [states("Ignore", "DisruptionTarget", "False")], {"conditions": (LOST,)}, Match("Count"), id="other status"
        ),
        pytest.param(
            [codes("FailJob", 7)],
            {"code": 7},
            Match("FailJob", "Container app for pod ns/p failed with exit code 7 matching FailJob rule at index 0"),
            id="fails the Job by its code",
        ),
        pytest.param(
            [codes("Count", 1), states("FailJob", "DisruptionTarget")],
            {"code": 7, "conditions": (LOST,)},
            Match("FailJob", "Pod ns/p has condition DisruptionTarget matching FailJob rule at index 1"),
            id="fails the Job by its condition",
        ),
    ],
)
def test_a_failed_pod(rules: list[Obj], pod: dict[str, Any], want: Match) -> None:
    """The first rule that is met says what a failure means; without one it counts."""
    failed = run("p", phase="Failed", **pod)
    assert failed.run is not None
    assert failure_policy.match({"rules": rules}, failed, failed.run) == want


@pytest.mark.parametrize(
    ("rules", "succeeded", "want"),
    [
        pytest.param([{"succeededCount": 2}], "0", None, id="too few"),
        pytest.param([{"succeededCount": 2}], "0,5", "Matched rules at index 0", id="enough of any"),
        pytest.param([{"succeededIndexes": "1-3"}], "0-2", None, id="not all of some"),
        pytest.param([{"succeededIndexes": "1-3"}], "1-3", "Matched rules at index 0", id="all of some"),
        pytest.param([{"succeededIndexes": "1-5", "succeededCount": 2}], "0,1", None, id="too few of some"),
        pytest.param(
            [{"succeededIndexes": "1-5", "succeededCount": 2}], "1,4", "Matched rules at index 0", id="enough of some"
        ),
        pytest.param(
            [{"succeededIndexes": "9"}, {"succeededCount": 1}], "3", "Matched rules at index 1", id="the second rule"
        ),
        pytest.param([{"succeededCount": 0}], "", None, id="nothing yet, whatever the count"),
        pytest.param([{"succeededIndexes": "x"}], "0-9", None, id="a rule that makes no sense"),
    ],
)
def test_succeeded_indexes(rules: list[Obj], succeeded: str, want: str | None) -> None:
    """The first rule that is met is named."""
    assert success_policy.match({"rules": rules}, 10, Indexes.parse(succeeded, 10)) == want
