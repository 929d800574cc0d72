"""Groups where kube-scheduler shows a part of the nodes: the room that is left may be on any of them."""

from collections.abc import Iterator

import pytest

from operators.cluster.cluster import Cluster, Settings
from operators.cluster.readiness import wait
from tests.scheduler.test_embedded import PODS, pod
from tests.scheduler.test_gang_placed import bound, has_no_room, make

pytestmark = pytest.mark.cluster
NODES = 250
"""Of which kube-scheduler shows 120 at most."""
LEFT = 5
"""The nodes that have room, for four pods each."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster of many nodes, nearly all of which are full, that are looked at in part."""
    with Cluster(Settings(name="gangs-in-part", nodes=NODES, operator=False)) as started:
        with started.api() as api:
            for node in api.get("/api/v1/nodes")["items"][LEFT:]:
                name = node["metadata"]["name"]
                api.request("POST", PODS, pod(f"on-{name}", "30", nodeName=name))
        yield started


def test_of_two_groups_one_is_placed_and_then_the_other(cluster: Cluster) -> None:
    """Each wants more than half of the room."""
    with cluster.api() as api:
        make(api, "first", 15, minimum=15)
        wait(cluster, lambda: len(bound(api, "first")) == 15, "not placed")
        make(api, "second", 15, minimum=15)
        wait(cluster, lambda: has_no_room(api, "second"), "not told")
        assert bound(api, "second") == set()
        for name in sorted(bound(api, "first")):
            api.request("DELETE", f"{PODS}/{name}?gracePeriodSeconds=0")
        wait(cluster, lambda: len(bound(api, "second")) == 15, "not placed")
