"""How the list of a status's conditions changes."""

import pytest

from operators.core import conditions
from operators.core.objects import Obj
from tests.support.builders import NOW, ago

EARLIER = ago(60)
OTHER: Obj = {"type": "Other", "status": "True"}


def ready(status: str, reason: str, since: str = EARLIER) -> Obj:
    """Return a condition that has been so for a minute."""
    return {"type": "Ready", "status": status, "reason": reason, "message": "", "lastTransitionTime": since}


@pytest.mark.parametrize(
    ("status", "reason", "want"),
    [
        pytest.param("True", "Same", [ready("True", "Same"), OTHER], id="the same: nothing changes, order neither"),
        pytest.param("True", "New", [OTHER, ready("True", "New")], id="another reason: the transition's time stays"),
        pytest.param("False", "Same", [OTHER, ready("False", "Same", ago(0))], id="another status: a transition now"),
    ],
)
def test_setting_one_that_is_there(status: str, reason: str, want: list[Obj]) -> None:
    """The time of the last transition is that of the last change of the status."""
    found = [ready("True", "Same"), OTHER]
    assert conditions.with_(found, conditions.new("Ready", status, reason, "", NOW)) == want
    assert found == [ready("True", "Same"), OTHER]


def test_setting_a_first_one() -> None:
    """It goes to the end."""
    made = conditions.new("Ready", "True", "Same", "", NOW)
    assert conditions.with_([OTHER], made) == [OTHER, ready("True", "Same", ago(0))]


def test_removing() -> None:
    """Only those of the type go; what is not there need not."""
    assert conditions.without([ready("True", "Same"), OTHER], "Ready") == [OTHER]
    assert conditions.without([OTHER], "Ready") == [OTHER]
    assert conditions.get([OTHER], "Ready") is None
