"""What label selectors select, and how they are written."""

from typing import Any

import pytest

from operators.core import selectors
from operators.core.objects import Obj
from operators.core.selectors import InvalidSelectorError


def expression(operator: str, *values: str, key: str = "tier") -> Obj:
    """Return a selector of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "labels", "want"),
    [
        pytest.param({}, {"app": "web"}, True, id="an empty one takes everything"),
        pytest.param(
            {"matchLabels": {"app": "web"}}, {"app": "web", "tier": "a"}, True, id="more labels do not matter"
        ),
        pytest.param({"matchLabels": {"app": "web"}}, {"app": "db"}, False, id="another value"),
        pytest.param({"matchLabels": {"app": "web"}}, {}, False, id="no value"),
        pytest.param({"matchLabels": {"app": ""}}, {}, False, id="an empty value is not a missing one"),
        pytest.param({"matchLabels": {"app": "web", "tier": "a"}}, {"app": "web"}, False, id="all have to match"),
        pytest.param(expression("In", "a", "b"), {"tier": "b"}, True, id="In takes any of its values"),
        pytest.param(expression("In", "a", "b"), {"tier": "c"}, False, id="In takes no other value"),
        pytest.param(expression("In", "a"), {}, False, id="In takes no missing label"),
        pytest.param(expression("NotIn", "a"), {"tier": "a"}, False, id="NotIn takes none of its values"),
        pytest.param(expression("NotIn", "a"), {"tier": "b"}, True, id="NotIn takes another value"),
        pytest.param(expression("NotIn", "a"), {}, True, id="NotIn takes a missing label"),
        pytest.param(expression("Exists"), {"tier": ""}, True, id="Exists takes an empty value"),
        pytest.param(expression("Exists"), {}, False, id="Exists takes no missing label"),
        pytest.param(expression("DoesNotExist"), {}, True, id="DoesNotExist takes a missing label"),
        pytest.param(expression("DoesNotExist"), {"tier": ""}, False, id="DoesNotExist takes no empty value"),
        pytest.param(
            {"matchLabels": {"app": "web"}} | expression("NotIn", "a"),
            {"app": "web", "tier": "a"},
            False,
            id="labels and expressions both have to match",
        ),
    ],
)
def test_matching(selector: Obj, labels: dict[str, str], want: bool) -> None:  # noqa: FBT001
    """An object is selected where every requirement is met."""
    assert selectors.parse(selector).matches(labels) is want


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        pytest.param({}, "", id="empty"),
        pytest.param({"matchLabels": {"tier": "a", "app": "web"}}, "app=web,tier=a", id="sorted by key"),
        pytest.param(expression("In", "b", "a"), "tier in (a,b)", id="In, its values sorted"),
        pytest.param(expression("NotIn", "a"), "tier notin (a)", id="NotIn"),
        pytest.param(expression("Exists"), "tier", id="Exists"),
        pytest.param(expression("DoesNotExist"), "!tier", id="DoesNotExist"),
    ],
)
def test_the_written_form(selector: Obj, want: str) -> None:
    """It is what `kubectl get -l` and the scale subresource take."""
    assert str(selectors.parse(selector)) == want


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        pytest.param({}, True, id="nothing said"),
        pytest.param({"matchLabels": {}, "matchExpressions": []}, True, id="nothing said twice"),
        pytest.param({"matchLabels": None}, True, id="null"),
        pytest.param(expression("Exists"), False, id="an expression"),
    ],
)
def test_emptiness(selector: Obj, want: bool) -> None:  # noqa: FBT001
    """A selector without requirements is empty, however it says so."""
    assert selectors.parse(selector).is_empty is want


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param(expression("Like", "a"), id="an unknown operator"),
        pytest.param(expression("In"), id="In without values"),
        pytest.param(expression("Exists", "a"), id="Exists with values"),
    ],
)
def test_what_cannot_be_meant(selector: Any) -> None:
    """A selector that the apiserver would refuse is refused here too, rather than taken for another."""
    with pytest.raises(InvalidSelectorError):
        selectors.parse(selector)
