"""StatefulSets, ours beside upstream's: their life, their pods' order and identity, and what they report."""

import pytest

from tests.parity.manifests import lingering, pod, quota, statefulset, template
from tests.parity.pair import Pair, Side
from tests.parity.wanted import both, counts, gone, pods, rolled, set_status, size

pytestmark = pytest.mark.cluster

MEMBER = "statefulset.kubernetes.io/pod-name"


async def test_create(sets: Pair) -> None:
    """A StatefulSet, its revision and its pods, with the names, labels, hostnames and annotations that each has."""
    made = statefulset(3)
    made["metadata"]["annotations"] = {"example.com/note": "kept"}
    await sets.create(made)
    await sets.agree(both(rolled("app:1", 3), counts("controllerrevisions", 1)))


async def test_one_after_the_other(sets: Pair) -> None:
    """While a pod is not ready the next is not made; once it is, it is."""
    await sets.create(statefulset(3, template=template(ready="false")))
    await sets.agree(both(pods(1), set_status(replicas=1, readyReplicas=0)))
    await sets.annotate_pods(1, ready="true")
    await sets.agree(both(pods(2), set_status(replicas=2, readyReplicas=1)))


async def test_parallel(sets: Pair) -> None:
    """All pods are made at once, ready or not, and all go at once."""
    await sets.create(statefulset(4, parallel=True, template=template(ready="false")))
    await sets.agree(both(pods(4), set_status(replicas=4, readyReplicas=0)))
    await sets.scale(1)
    await sets.agree(both(pods(1), set_status(replicas=1)))


async def test_scale(sets: Pair) -> None:
    """Scaling makes the missing pods, and removes the highest ordinals."""
    await sets.create(statefulset(1))
    await sets.agree(rolled("app:1", 1))
    await sets.scale(4)
    await sets.agree(rolled("app:1", 4))
    await sets.scale(2)
    await sets.agree(rolled("app:1", 2))
    await sets.scale(0)
    await sets.agree(both(pods(0), set_status(replicas=0)))


async def test_scale_down_waits_for_health(sets: Pair) -> None:
    """Nothing is removed while a pod that stays is not ready."""
    await sets.create(statefulset(3))
    await sets.agree(rolled("app:1", 3))
    await sets.patch("pods", "web-0", {"metadata": {"annotations": {"sim.kopfwerk.dev/ready": "false"}}})
    await sets.agree(set_status(readyReplicas=2))
    await sets.scale(1)
    await sets.agree(both(pods(3), set_status(readyReplicas=2)))
    await sets.patch("pods", "web-0", {"metadata": {"annotations": {"sim.kopfwerk.dev/ready": "true"}}})
    await sets.agree(rolled("app:1", 1))


async def test_scale_down_of_the_unready(sets: Pair) -> None:
    """A pod that is not ready may itself be removed, where it is the only one."""
    await sets.create(statefulset(3))
    await sets.agree(rolled("app:1", 3))
    await sets.patch("pods", "web-2", {"metadata": {"annotations": {"sim.kopfwerk.dev/ready": "false"}}})
    await sets.agree(set_status(readyReplicas=2))
    await sets.scale(2)
    await sets.agree(rolled("app:1", 2))


async def test_scale_down_waits_for_the_one_above(sets: Pair) -> None:
    """A pod that takes its time to go keeps the one below it."""
    await sets.create(statefulset(3, template=lingering()))
    await sets.agree(rolled("app:1", 3))
    await sets.scale(1)
    await sets.agree(both(pods(3), set_status(replicas=3, currentReplicas=2)))
    await sets.let_go(f"{MEMBER}=web-2")
    await sets.agree(both(pods(2), set_status(replicas=2, currentReplicas=1)))
    await sets.let_go()
    await sets.agree(rolled("app:1", 1))


async def test_killed_pod(sets: Pair) -> None:
    """A pod that is deleted comes back under its name."""
    await sets.create(statefulset(3))
    await sets.agree(rolled("app:1", 3))
    await sets.delete("pods", "web-1")
    await sets.agree(rolled("app:1", 3))


async def test_terminating_pod_is_awaited(sets: Pair) -> None:
    """While a pod takes its time to go nothing takes its place."""
    await sets.create(statefulset(2, template=lingering()))
    await sets.agree(rolled("app:1", 2))
    await sets.delete("pods", "web-0")
    await sets.agree(set_status(replicas=2, currentReplicas=1))
    await sets.let_go()
    await sets.agree(rolled("app:1", 2))


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_ended_pod(sets: Pair, phase: str) -> None:
    """A pod that has failed, or succeeded, is replaced."""
    await sets.create(statefulset(2))
    await sets.agree(rolled("app:1", 2))
    await sets.patch("pods", "web-0", {"status": {"phase": phase, "conditions": None}}, "status")
    await sets.agree(both(rolled("app:1", 2), lambda v: any("Delete" in event for event in v.events)))


async def test_first_ordinal(sets: Pair) -> None:
    """Ordinals may begin elsewhere; where the beginning moves, pods below it go and others come."""
    await sets.create(statefulset(2, ordinals={"start": 3}))
    view = await sets.agree(rolled("app:1", 2))
    assert sorted(obj["metadata"]["name"] for obj in view.raw["pods"]) == ["web-3", "web-4"]
    await sets.edit(ordinals={"start": 4})
    view = await sets.agree(rolled("app:1", 2))
    assert sorted(obj["metadata"]["name"] for obj in view.raw["pods"]) == ["web-4", "web-5"]


async def test_min_ready_seconds(sets: Pair) -> None:
    """A pod has to be ready for long enough before the next comes, and to count as available."""
    await sets.create(statefulset(2, minReadySeconds=3600))
    await sets.agree(both(pods(1), set_status(readyReplicas=1, availableReplicas=0)))
    await sets.edit(minReadySeconds=8)
    await sets.agree(rolled("app:1", 2))


async def test_min_ready_seconds_in_parallel(sets: Pair) -> None:
    """Parallel waits for no availability, but reports it."""
    await sets.create(statefulset(3, parallel=True, minReadySeconds=3600))
    await sets.agree(set_status(readyReplicas=3, availableReplicas=0))
    await sets.edit(minReadySeconds=8)
    await sets.agree(rolled("app:1", 3))


async def test_adoption(sets: Pair) -> None:
    """An orphan with a member's name is adopted and told who it is; one of another name is not."""
    await sets.create(pod("web-0"), pod("web-x"), pod("other-0"))
    await sets.agree(size(3))  # ready too: one that is not would be replaced right away by ours, later by upstream
    await sets.create(statefulset(2))
    await sets.agree(both(pods(4), set_status(replicas=2, readyReplicas=2)))


async def test_foreign_name(sets: Pair) -> None:
    """A pod of somebody else that has a member's name is left alone, and waited for."""
    await sets.create(pod("web-1", labels={"app": "other"}))
    await sets.agree(pods(1))
    await sets.create(statefulset(2))
    await sets.agree(both(pods(2), set_status(replicas=1, readyReplicas=1)))
    await sets.delete("pods", "web-1")
    await sets.agree(rolled("app:1", 2))


async def test_identity_repaired(sets: Pair) -> None:
    """A pod that loses the label with its name gets it back."""
    await sets.create(statefulset(2))
    await sets.agree(rolled("app:1", 2))
    await sets.patch("pods", "web-1", {"metadata": {"labels": {MEMBER: "wrong"}}})
    await sets.agree(lambda v: any("SuccessfulUpdate" in event for event in v.events))


async def test_release(sets: Pair) -> None:
    """A pod that leaves the selector is let go; its name stays taken until it is gone."""
    await sets.create(statefulset(2))
    await sets.agree(rolled("app:1", 2))
    await sets.patch("pods", "web-1", {"metadata": {"labels": {"app": "stray"}}})
    await sets.agree(both(pods(2), set_status(replicas=1)))
    await sets.delete("pods", "web-1")
    await sets.agree(rolled("app:1", 2))


async def test_quota(sets: Pair) -> None:
    """Pods that a quota refuses are said to be missing, and come once it is gone."""
    await sets.create(quota(1))
    await sets.used_quota()
    await sets.create(statefulset(2))
    await sets.agree(both(pods(1), lambda v: any("FailedCreate" in event for event in v.events)))
    await sets.delete_quota()
    await sets.agree(rolled("app:1", 2))


async def test_orphan_deletion(sets: Pair) -> None:
    """An orphaning deletion leaves pods and revisions, which a later StatefulSet of the name adopts."""
    await sets.create(statefulset(2))
    await sets.agree(rolled("app:1", 2))
    await sets.delete("statefulsets", "web", "Orphan")
    await sets.agree(both(gone("statefulsets"), pods(2), counts("controllerrevisions", 1)))
    await sets.create(statefulset(2))
    await sets.agree(both(rolled("app:1", 2), counts("controllerrevisions", 1)))


async def test_deletion(sets: Pair) -> None:
    """The garbage collector takes pods and revisions."""
    await sets.create(statefulset(2))
    await sets.agree(rolled("app:1", 2))
    await sets.delete("statefulsets", "web")
    await sets.agree(both(gone("statefulsets"), gone("pods"), gone("controllerrevisions")))


async def test_foreground_deletion(sets: Pair) -> None:
    """A StatefulSet that is deleted in the foreground waits for its pods, and makes none meanwhile.

    Upstream makes its revision anew each time that the garbage collector has deleted it.
    """
    await sets.create(statefulset(2, template=lingering()))
    await sets.agree(rolled("app:1", 2))
    await sets.delete("statefulsets", "web", "Foreground")
    deleting = both(pods(2), lambda v: all("deletionTimestamp" in p["metadata"] for p in v.raw["pods"]))
    quiet = sets.without_events().without_revisions()
    await quiet.agree(deleting)
    await sets.let_go()
    await quiet.agree(both(gone("statefulsets"), gone("pods"), gone("controllerrevisions")))


async def test_collision(sets: Pair) -> None:
    """Where somebody has the name of the revision the collision is counted, and another name found."""
    await sets.create(statefulset(0))
    await sets.agree(counts("controllerrevisions", 1))

    async def block(side: Side) -> None:
        found = (await side.look("none")).raw["controllerrevisions"][0]
        await side.client.request("DELETE", side.url("statefulsets", "web"))
        await side.until(lambda v: not v.raw["controllerrevisions"])
        meta = {"name": found["metadata"]["name"]}
        body = {"metadata": meta, "revision": 1, "data": {"other": True}}
        await side.client.request("POST", side.url("controllerrevisions"), body)

    await sets.each(block)
    await sets.create(statefulset(1))
    quiet = sets.without_revisions().without_events().without_pods()
    await quiet.agree(both(counts("controllerrevisions", 2), set_status(collisionCount=1, readyReplicas=1)))
