"""StatefulSets whose node falls silent, ours beside upstream's: nobody knows whether a pod there still runs."""

import pytest

from tests.parity.fleet import Fleet
from tests.parity.manifests import statefulset, template
from tests.parity.pair import Pair, Side, Want
from tests.parity.view import View
from tests.parity.wanted import both, pods, rolled, set_status

pytestmark = pytest.mark.cluster


def _deleting(*names: str) -> Want:
    """Only these pods are being deleted."""

    def holds(v: View) -> bool:
        found = {pod["metadata"]["name"] for pod in v.raw["pods"] if "deletionTimestamp" in pod["metadata"]}
        return found == set(names)

    return holds


async def _lose_a_node(sets: Pair, fleet: Fleet, *, parallel: bool) -> None:
    """Have two pods on one node, let another node join, and lose the first."""
    await fleet.join("a")
    made = template()
    made["spec"] |= fleet.pinning
    await sets.create(statefulset(2, parallel=parallel, template=made))
    await sets.agree(rolled("app:1", 2))
    await fleet.join("b")
    await fleet.silence("a")


async def _force(sets: Pair, name: str) -> None:
    """Delete a pod as `kubectl delete --force` does: without waiting for a kubelet that does not answer."""
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}

    async def act(side: Side) -> None:
        await side.client.request("DELETE", side.url("pods", name), body)

    await sets.each(act)


async def test_a_silent_node(sets: Pair, fleet: Fleet) -> None:
    """Pods that were evicted there are awaited for ever; forced deletion lets one after the other come back."""
    await _lose_a_node(sets, fleet, parallel=False)
    await sets.agree(both(_deleting("web-0", "web-1"), set_status(replicas=2, readyReplicas=0)), patience=80)
    await _force(sets, "web-0")
    await sets.agree(both(_deleting("web-1"), set_status(replicas=2, readyReplicas=1)))
    await _force(sets, "web-1")
    await sets.agree(rolled("app:1", 2))


async def test_a_silent_node_in_parallel(sets: Pair, fleet: Fleet) -> None:
    """Without order each is awaited for itself, and scaling goes on meanwhile."""
    await _lose_a_node(sets, fleet, parallel=True)
    await sets.agree(both(_deleting("web-0", "web-1"), set_status(replicas=2, readyReplicas=0)), patience=80)
    await sets.scale(3)
    await sets.agree(both(pods(3), _deleting("web-0", "web-1"), set_status(replicas=3, readyReplicas=1)))
    await _force(sets, "web-1")
    await sets.agree(both(_deleting("web-0"), set_status(replicas=3, readyReplicas=2)))


async def test_a_node_that_is_out_of_service(sets: Pair, fleet: Fleet) -> None:
    """The taint that says so takes the pods by force, and they come back elsewhere without anybody's help."""
    await _lose_a_node(sets, fleet, parallel=False)
    await sets.agree(_deleting("web-0", "web-1"), patience=80)
    await fleet.shut_down("a")
    await sets.agree(rolled("app:1", 2), patience=80)
