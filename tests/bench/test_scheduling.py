"""What the schedulers' benchmark finds wrong with where the pods are."""

import contextlib
from collections import Counter

import pytest

from tests.bench.scheduling import check


@pytest.mark.parametrize(
    ("case", "nodes", "is_kept"),
    [
        pytest.param("plain", {"node-0": 9}, True, id="plain: anywhere"),
        pytest.param("topology spread", {"node-0": 2, "node-4": 3, "node-5": 2}, True, id="spread: one more in a zone"),
        pytest.param("topology spread", {"node-0": 2, "node-4": 3, "node-5": 1}, False, id="spread: two more"),
        pytest.param(
            "topology spread", {"node-0": 1, "node-3": 1, "node-4": 1}, False, id="spread: a zone is left out"
        ),
        pytest.param("pod anti-affinity", {"node-0": 1, "node-3": 1}, True, id="anti-affinity: each by itself"),
        pytest.param("pod anti-affinity", {"node-0": 2, "node-3": 1}, False, id="anti-affinity: two on a node"),
    ],
)
def test_check(case: str, nodes: dict[str, int], is_kept: bool) -> None:  # noqa: FBT001
    """A scheduler that does not keep to what pods ask for is no better for being fast. Node-N is in zone N modulo 3."""
    with contextlib.nullcontext() if is_kept else pytest.raises(AssertionError):
        check(case, Counter(nodes))
