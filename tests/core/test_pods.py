"""What is read of a pod, and what a pod is made of."""

import pytest

from operators.core.replicaset.plan import pod_of
from tests.support.builders import pod, replicaset


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("100", 100, id="a number"),
        pytest.param("-100", -100, id="a negative one"),
        pytest.param("0", 0, id="nothing"),
        pytest.param("+5", 0, id="a plus sign is not taken"),
        pytest.param("007", 0, id="nor are leading zeros"),
        pytest.param("1_000", 0, id="nor underscores"),
        pytest.param(" 5", 0, id="nor spaces"),
        pytest.param("٣", 0, id="nor other digits"),
        pytest.param("2147483647", 2147483647, id="the largest"),
        pytest.param("2147483648", 0, id="more than 32 bits"),
        pytest.param("", 0, id="empty"),
    ],
)
def test_a_deletion_cost_is_a_number_as_upstream_reads_it(text: str, want: int) -> None:
    """Whatever is no plain 32-bit number costs nothing."""
    assert pod(cost=text).deletion_cost == want


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("web", "web-", id="a short name"),
        pytest.param("w" * 252, "w" * 252 + "-", id="one that just leaves room for the dash"),
        pytest.param("w" * 253, "w" * 253, id="one that does not"),
    ],
)
def test_pods_are_named_after_their_parent(name: str, want: str) -> None:
    """The apiserver refuses a generateName of more than 253 characters."""
    parent = replicaset(name)
    assert pod_of(parent)["metadata"]["generateName"] == want
