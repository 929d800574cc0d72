"""Deployments, ours beside upstream's: their life, their ReplicaSets, and what they report."""

import pytest

from tests.parity.manifests import deployment, lingering, pod, quota, replicaset, template
from tests.parity.pair import Pair, Side
from tests.parity.wanted import both, complete, condition, gone, pods, replicasets, size, status

pytestmark = pytest.mark.cluster

HASH = "pod-template-hash"


async def test_create(pair: Pair) -> None:
    """A Deployment, its ReplicaSet and its pods, with the annotations and labels that each has."""
    notes = {"example.com/note": "kept", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    await pair.create(deployment(3, annotations=notes))
    await pair.agree(complete("app:1", 3))


async def test_none(pair: Pair) -> None:
    """A Deployment of no pods is complete."""
    await pair.create(deployment(0))
    await pair.agree(both(replicasets(1), condition("Progressing", "NewReplicaSetAvailable")))
    await pair.scale(2)
    await pair.agree(complete("app:1", 2))


async def test_scale(pair: Pair) -> None:
    """Scaling changes the ReplicaSet and the annotations that say for how many it was."""
    await pair.create(deployment(2))
    await pair.agree(complete("app:1", 2))
    await pair.scale(5)
    await pair.agree(complete("app:1", 5))
    await pair.scale(1)
    await pair.agree(complete("app:1", 1))
    await pair.scale(0)
    await pair.agree(pods(0))


async def test_annotations_follow(pair: Pair) -> None:
    """A change of annotations reaches the ReplicaSet; a change of labels does not."""
    await pair.create(deployment(1))
    await pair.agree(complete("app:1", 1))
    await pair.patch("deployments", "web", {"metadata": {"annotations": {"a": "1"}, "labels": {"l": "1"}}})
    await pair.agree(lambda v: v.raw["replicasets"][0]["metadata"]["annotations"].get("a") == "1")
    await pair.patch("deployments", "web", {"metadata": {"annotations": {"a": "2", "b": "3"}}})
    await pair.agree(lambda v: v.raw["replicasets"][0]["metadata"]["annotations"].get("a") == "2")


async def test_min_ready_seconds(pair: Pair) -> None:
    """The field minReadySeconds reaches the ReplicaSet, and holds up availability."""
    await pair.create(deployment(2, minReadySeconds=500))
    await pair.agree(status(readyReplicas=2, availableReplicas=0))
    await pair.edit(minReadySeconds=8)
    await pair.agree(complete("app:1", 2))
    await pair.agree(lambda v: v.raw["replicasets"][0]["spec"]["minReadySeconds"] == 8)


async def test_killed_pod(pair: Pair) -> None:
    """A pod that goes is replaced, and the rollout stays complete."""
    await pair.create(deployment(3))
    await pair.agree(complete("app:1", 3))
    await pair.delete_pods(2)
    await pair.agree(complete("app:1", 3))


async def test_availability_lost_and_regained(pair: Pair) -> None:
    """Available turns with the pods' readiness; Progressing does not."""
    await pair.create(deployment(3, unavailable=1))
    await pair.agree(complete("app:1", 3))
    await pair.annotate_pods(2, ready="false")
    await pair.agree(both(status(availableReplicas=1), condition("Available", "MinimumReplicasUnavailable")))
    await pair.annotate_pods(2, ready="true")
    await pair.agree(complete("app:1", 3))


async def test_quota(pair: Pair) -> None:
    """ReplicaFailure reaches the Deployment, and goes with the quota."""
    await pair.create(quota(2))
    await pair.used_quota()
    await pair.create(deployment(4))
    await pair.agree(both(size(2), condition("ReplicaFailure", "FailedCreate")))
    await pair.delete_quota()
    await pair.agree(both(complete("app:1", 4), condition("ReplicaFailure", None)))


async def test_quota_mid_rollout(pair: Pair) -> None:
    """A rollout that lacks room for its surge says so, and goes on once there is some."""
    await pair.create(deployment(2, surge=1, unavailable=0))
    await pair.agree(complete("app:1", 2))
    await pair.create(quota(2))
    await pair.used_quota()
    await pair.image("app:2")
    await pair.agree(condition("ReplicaFailure", "FailedCreate"))
    await pair.delete_quota()
    await pair.agree(complete("app:2", 2))


async def test_adopts_replicaset(pair: Pair) -> None:
    """A ReplicaSet that matches and that nobody owns becomes an old revision, or the new one if it has the template."""
    await pair.create(replicaset(2, name="before", labels={"app": "web"}))
    await pair.agree(size(2))
    await pair.create(deployment(2))
    await pair.agree(both(replicasets(1), status(updatedReplicas=2)))


async def test_adopts_old_replicaset(pair: Pair) -> None:
    """An adopted ReplicaSet of another template is rolled away."""
    await pair.create(replicaset(2, name="before", labels={"app": "web"}, template=template("app:0")))
    await pair.agree(size(2))
    await pair.create(deployment(2))
    await pair.agree(both(replicasets(2), complete("app:1", 2)))


async def test_releases_replicaset(pair: Pair) -> None:
    """A ReplicaSet that loses the label is let go, and another is made, which has to be called something else."""
    await pair.create(deployment(2))
    view = await pair.agree(complete("app:1", 2))
    assert len(view.raw["replicasets"]) == 1

    async def relabel(side: Side) -> None:
        found = (await side.look("none")).raw["replicasets"][0]["metadata"]["name"]
        body = {"metadata": {"labels": {"app": "stray"}}}
        await side.merge("replicasets", found, body)

    await pair.without_events().each(relabel)
    await pair.without_events().agree(both(replicasets(2), status(collisionCount=1, updatedReplicas=2)))


async def test_hash_collision(pair: Pair) -> None:
    """Where another object has the new ReplicaSet's name the collision is counted and another name found."""
    await pair.create(deployment(0))
    await pair.agree(replicasets(1))

    async def block(side: Side) -> None:
        name = (await side.look("none")).raw["replicasets"][0]["metadata"]["name"]
        await side.client.request("DELETE", side.url("deployments", "web"))
        await side.until(lambda v: not v.raw["replicasets"])
        labels = {"app": "other"}
        body = replicaset(0, name=name, selector={"matchLabels": labels}, template=template("app:9", labels=labels))
        await side.client.request("POST", side.url("replicasets"), body | {"apiVersion": f"{side.group}/v1"})

    await pair.each(block)
    await pair.create(deployment(2))
    quiet = pair.without_events().without_replicasets()
    await quiet.agree(both(replicasets(2), status(collisionCount=1, availableReplicas=2)))


async def test_foreign_pods(pair: Pair) -> None:
    """Pods that match the Deployment but not its ReplicaSet are left alone."""
    await pair.create(pod("foreign"), deployment(2))
    await pair.agree(both(pods(3), status(availableReplicas=2)))


async def test_orphan_deletion(pair: Pair) -> None:
    """An orphaning deletion leaves the ReplicaSet, which a later Deployment adopts without any new pod."""
    await pair.create(deployment(2))
    await pair.agree(complete("app:1", 2))
    await pair.delete("deployments", "web", "Orphan")
    await pair.agree(both(gone(), replicasets(1), pods(2)))
    await pair.create(deployment(2))
    await pair.agree(both(replicasets(1), complete("app:1", 2)))


async def test_background_deletion(pair: Pair) -> None:
    """The garbage collector takes ReplicaSets and pods."""
    await pair.create(deployment(2))
    await pair.agree(complete("app:1", 2))
    await pair.delete("deployments", "web")
    await pair.agree(both(gone(), gone("replicasets"), gone("pods")))


async def test_foreground_deletion(pair: Pair) -> None:
    """A Deployment that is deleted in the foreground waits for its ReplicaSet, and that for its pods."""
    await pair.create(deployment(2, template=lingering()))
    await pair.agree(complete("app:1", 2))
    await pair.delete("deployments", "web", "Foreground")
    deleting = both(pods(2), lambda v: all("deletionTimestamp" in p["metadata"] for p in v.raw["pods"]))
    await pair.without_events().agree(deleting)
    await pair.let_go()
    await pair.without_events().agree(both(gone(), gone("replicasets"), gone("pods")))


async def test_terminating(pair: Pair) -> None:
    """Pods that take their time to go are counted."""
    await pair.create(deployment(3, template=lingering()))
    await pair.agree(complete("app:1", 3))
    await pair.scale(1)
    await pair.agree(status(replicas=1, terminatingReplicas=2))
    await pair.let_go()
    await pair.agree(complete("app:1", 1))


async def test_autoscaler_above_maximum(pair: Pair) -> None:
    """The autoscaler brings a Deployment back between its bounds, through the scale subresource."""
    await pair.create(deployment(2))
    await pair.agree(complete("app:1", 2))
    await pair.autoscale(minimum=3, maximum=4)
    await pair.agree(complete("app:1", 3))
    await pair.scale(6)
    # The events depend on whether the autoscaler acts before the Deployment's controller has.
    await pair.without_events().agree(complete("app:1", 4))
