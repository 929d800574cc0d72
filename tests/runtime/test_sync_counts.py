"""The syncs of EndpointSlices under upstream's name, beside our own."""

import pytest
from prometheus_client import REGISTRY

from operators.runtime.metrics import SyncCounts

UPSTREAMS = "endpoint_slice_controller_syncs"
RESULTS = ("success", "error", "stale")


def counted() -> dict[str, float]:
    """Return what upstream's metric says, by result."""
    return {result: REGISTRY.get_sample_value(UPSTREAMS, {"result": result}) or 0 for result in RESULTS}


@pytest.mark.parametrize(
    ("controller", "result", "want"),
    [
        pytest.param("endpointslice", "success", {"success": 1}, id="success"),
        pytest.param("endpointslice", "error", {"error": 1}, id="error"),
        pytest.param("endpointslice", "conflict", {"error": 1}, id="a conflict is an error there"),
        pytest.param("endpointslice", "stale", {"stale": 1}, id="put off"),
        pytest.param("deployment", "success", {}, id="of another controller"),
        pytest.param("deployment", "stale", {}, id="put off, of another controller"),
    ],
)
def test_what_a_sync_counts_as(controller: str, result: str, want: dict[str, float]) -> None:
    """Each counts once, by what came of it; those of other controllers have no such metric."""
    before, counts = counted(), SyncCounts(controller)
    if result == "stale":
        counts.put_off("", "pods")
    else:
        counts.ended(result)
    assert {name: number - before[name] for name, number in counted().items() if number != before[name]} == want
