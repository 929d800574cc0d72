"""Which pods are given to the scheduler that replaces the default."""

from typing import Any

import pytest

from operators.core.admission.scheduler import is_given_away


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        pytest.param({"schedulerName": "default-scheduler"}, True, id="as the apiserver fills it in"),
        pytest.param({}, True, id="asks for none"),
        pytest.param({"schedulerName": ""}, True, id="empty"),
        pytest.param({"schedulerName": "another"}, False, id="asks for another"),
        pytest.param({"schedulerName": "default-scheduler", "nodeName": "n"}, False, id="placed by its creator"),
    ],
)
def test_is_given_away(spec: dict[str, Any], *, want: bool) -> None:
    """A pod that somebody has decided about is left alone."""
    assert is_given_away({"metadata": {"name": "p"}, "spec": spec}) is want
