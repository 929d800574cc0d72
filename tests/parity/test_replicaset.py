"""ReplicaSets, ours beside upstream's."""

import pytest

from tests.parity.manifests import deployment, lingering, pod, quota, replicaset, template
from tests.parity.pair import Pair
from tests.parity.wanted import both, condition, gone, pods, replicasets, size, status

pytestmark = pytest.mark.cluster

RS = "replicasets"
COST = "controller.kubernetes.io/pod-deletion-cost"


async def test_create_and_scale(pair: Pair) -> None:
    """Pods come and go as asked, down to none and up again."""
    await pair.create(replicaset(3))
    await pair.agree(size(3))
    await pair.scale(5, plural=RS)
    await pair.agree(size(5))
    await pair.scale(0, plural=RS)
    await pair.agree(both(pods(0), status(RS, replicas=0)))
    await pair.scale(2, plural=RS)
    await pair.agree(size(2))


async def test_one_replica_by_default(pair: Pair) -> None:
    """A ReplicaSet that does not say how many wants one."""
    rs = replicaset()
    del rs["spec"]["replicas"]
    await pair.create(rs)
    await pair.agree(size(1))


async def test_deleted_pod_is_replaced(pair: Pair) -> None:
    """A pod that somebody deletes is made anew."""
    await pair.create(replicaset(3))
    await pair.agree(size(3))
    await pair.delete_pods(1)
    await pair.agree(size(3))


async def test_failed_and_finished_pods_are_replaced(pair: Pair) -> None:
    """A pod that has ended does not count, and stays."""
    await pair.create(replicaset(2))
    await pair.agree(size(2))
    await pair.end_pods(1, "Failed")
    await pair.agree(both(pods(3), status(RS, readyReplicas=2)))
    await pair.end_pods(1, "Succeeded", skip=1)
    await pair.agree(both(pods(4), status(RS, readyReplicas=2)))


async def test_adoption(pair: Pair) -> None:
    """Pods that match and that nobody owns are adopted, and count."""
    await pair.create(pod("one"), pod("two"))
    await pair.agree(pods(2))
    await pair.create(replicaset(3))
    await pair.agree(size(3))


async def test_adoption_of_too_many(pair: Pair) -> None:
    """Of too many adopted pods the surplus goes: here the one that is not ready."""
    await pair.create(pod("good"), pod("bad", ready="false"))
    good = ("name=good ", "ready=True")  # while neither is ready, either may go
    await pair.agree(both(pods(2), lambda v: any(all(part in line for part in good) for line in v.pods)))
    await pair.create(replicaset(1))
    await pair.agree(both(size(1), lambda v: v.raw["pods"][0]["metadata"]["name"] == "good"))


async def test_foreign_pods_are_left_alone(pair: Pair) -> None:
    """Pods that match but are another's do not count."""
    await pair.create({**replicaset(2, name="other"), "metadata": {"name": "other"}})
    await pair.agree(size(2))
    await pair.create(replicaset(1))
    await pair.agree(size(3))


async def test_release(pair: Pair) -> None:
    """A pod that loses the label is let go and replaced; with the label back it is adopted, and one too many goes."""
    await pair.create(replicaset(2))
    await pair.agree(size(2))
    await pair.change_pods(1, {"metadata": {"labels": {"app": "debug"}}})
    await pair.agree(size(3))
    await pair.change_pods(1, {"metadata": {"labels": {"app": "web"}}}, "app=debug")
    await pair.agree(size(2))


async def test_deletion_cost(pair: Pair) -> None:
    """The pods of the lowest deletion cost go first."""
    await pair.create(replicaset(4))
    await pair.agree(size(4))
    for skip, cost in enumerate(("100", "-5", "7", "0")):
        body = {"metadata": {"annotations": {COST: cost}, "labels": {"mark": f"c{cost}".replace("-", "m")}}}
        await pair.change_pods(1, body, "app=web,!mark")
        assert skip < 4
    await pair.agree(size(4))  # whose watch is behind does not know what the pods cost
    await pair.scale(2, plural=RS)
    view = await pair.agree(size(2))
    assert {p["metadata"]["annotations"][COST] for p in view.raw["pods"]} == {"100", "7"}


async def test_unready_pods_go_first(pair: Pair) -> None:
    """Of two pods the one that is not ready goes."""
    await pair.create(replicaset(3))
    await pair.agree(size(3))
    await pair.annotate_pods(2, ready="false")
    await pair.change_pods(2, {"metadata": {"labels": {"mark": "unready"}}})
    await pair.agree(status(RS, readyReplicas=1))
    await pair.scale(1, plural=RS)
    await pair.agree(size(1))


async def test_spread_over_nodes(pair: Pair) -> None:
    """A Deployment's pods go from the nodes that have the most of them; upstream looks at no others' nodes."""
    await pair.create(*(pod(f"a{n}", node="node-1") for n in range(4)), pod("b", node="node-2"))
    await pair.agree(pods(5))  # whose watch is behind makes one pod too many, and deletes one: upstream's may be
    await pair.create(replicaset(5, labels={"app": "web"}))
    await pair.agree(size(5))
    await pair.create(deployment(5))
    await pair.agree(status(availableReplicas=5))
    await pair.scale(2)
    view = await pair.without_events().without_pods().agree(size(2))
    assert {p["spec"]["nodeName"] for p in view.raw["pods"]} == {"node-1", "node-2"}


async def test_min_ready_seconds(pair: Pair) -> None:
    """Pods are ready at once and available later."""
    await pair.create(replicaset(2, minReadySeconds=3600))
    await pair.agree(status(RS, readyReplicas=2, availableReplicas=0))
    await pair.patch(RS, "web", {"spec": {"minReadySeconds": 8}})
    await pair.agree(status(RS, readyReplicas=2, availableReplicas=2))


async def test_readiness_comes_and_goes(pair: Pair) -> None:
    """The counts follow the pods' readiness."""
    await pair.create(replicaset(3, template=template(ready="false")))
    await pair.agree(both(pods(3), status(RS, replicas=3, readyReplicas=0)))
    await pair.annotate_pods(2, ready="true")
    await pair.agree(status(RS, readyReplicas=2, availableReplicas=2))
    await pair.annotate_pods(2, ready="false")
    await pair.agree(status(RS, readyReplicas=0))


async def test_fully_labeled(pair: Pair) -> None:
    """Pods without all labels of the template count, but not as fully labelled."""
    labels = {"app": "web", "tier": "front"}
    await pair.create(pod("plain"))
    await pair.agree(pods(1))
    await pair.create(replicaset(2, template=template(labels=labels)))
    await pair.agree(both(size(2), status(RS, fullyLabeledReplicas=1)))


async def test_terminating(pair: Pair) -> None:
    """Pods that take their time to go are counted as terminating, and replaced meanwhile."""
    await pair.create(replicaset(3, template=lingering()))
    await pair.agree(size(3))
    await pair.delete_pods(1)
    await pair.agree(status(RS, replicas=3, terminatingReplicas=1))
    await pair.let_go()
    await pair.agree(both(size(3), status(RS, terminatingReplicas=0)))


async def test_quota(pair: Pair) -> None:
    """Without room for all pods ReplicaFailure says why, and goes with the quota."""
    await pair.create(quota(2))
    await pair.used_quota()
    await pair.create(replicaset(4))
    await pair.agree(both(size(2), condition("ReplicaFailure", "FailedCreate", RS)))
    await pair.delete_quota()
    await pair.agree(both(size(4), condition("ReplicaFailure", None, RS)))


async def test_template_edit_changes_new_pods_only(pair: Pair) -> None:
    """A ReplicaSet does not replace pods when its template changes."""
    await pair.create(replicaset(2))
    await pair.agree(size(2))
    await pair.patch(RS, "web", {"spec": {"template": template("app:2")}})
    await pair.agree(size(2))
    await pair.scale(3, plural=RS)
    await pair.agree(size(3))


async def test_finalizers_and_annotations_of_the_template(pair: Pair) -> None:
    """What a template says of metadata is in the pods."""
    made = template(finalizers=["example.com/hold"], start_after="0s")
    await pair.create(replicaset(2, template=made))
    await pair.agree(size(2))
    await pair.change_pods(2, {"metadata": {"finalizers": None}})
    await pair.agree(size(2))


async def test_selector_of_expressions(pair: Pair) -> None:
    """Expressions select as labels do."""
    expressions = [
        {"key": "app", "operator": "In", "values": ["web", "www"]},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    await pair.create(pod("mine", labels={"app": "www"}), pod("old", labels={"app": "web", "old": "yes"}))
    await pair.agree(pods(2))
    await pair.create(replicaset(2, selector={"matchExpressions": expressions}))
    await pair.agree(size(3))


async def test_orphan_deletion(pair: Pair) -> None:
    """An orphaning deletion leaves the pods, which a later ReplicaSet adopts."""
    await pair.create(replicaset(2))
    await pair.agree(size(2))
    await pair.delete(RS, "web", "Orphan")
    await pair.agree(both(gone(RS), lambda v: len(v.raw["pods"]) == 2))
    await pair.create(replicaset(2))
    await pair.agree(both(replicasets(1), lambda v: all(p["metadata"].get("ownerReferences") for p in v.raw["pods"])))


async def test_background_deletion(pair: Pair) -> None:
    """The garbage collector deletes the pods of what is gone."""
    await pair.create(replicaset(2))
    await pair.agree(size(2))
    await pair.delete(RS, "web")
    await pair.agree(both(gone(RS), gone("pods")))


async def test_foreground_deletion(pair: Pair) -> None:
    """A ReplicaSet that is deleted in the foreground waits for its pods, and makes none anew."""
    await pair.create(replicaset(2, template=lingering()))
    await pair.agree(size(2))
    await pair.delete(RS, "web", "Foreground")
    await pair.agree(both(pods(2), replicasets(1), status(RS, terminatingReplicas=2)))
    await pair.let_go()
    await pair.agree(both(gone(RS), gone("pods")))


async def test_unschedulable(pair: Pair) -> None:
    """Pods that fit nowhere stay pending, and count."""
    made = template()
    made["spec"]["nodeSelector"] = {"no": "node"}
    await pair.create(replicaset(2, template=made))
    await pair.agree(both(pods(2), status(RS, replicas=2, readyReplicas=0)))
