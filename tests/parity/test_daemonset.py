"""DaemonSets, ours beside upstream's: which nodes get a pod, and what becomes of it."""

from typing import Any

import pytest

from tests.parity.fleet import Fleet
from tests.parity.manifests import pod, quota
from tests.parity.pair import Pair, Want
from tests.parity.wanted import both, counts, gone, images, phase, pods, size, status

pytestmark = pytest.mark.cluster


def daemons_are(desired: int, *, ready: int | None = None, misscheduled: int = 0, updated: int | None = None) -> Want:
    """Say that so many nodes should have a pod and, unless told otherwise, have a ready one of the newest template."""
    ready = desired if ready is None else ready
    return status(
        "daemonsets",
        desiredNumberScheduled=desired,
        numberReady=ready,
        numberMisscheduled=misscheduled,
        updatedNumberScheduled=desired if updated is None else updated,
    )


async def test_create(daemons: Pair, fleet: Fleet) -> None:
    """A pod on each node, pinned to it, with the default tolerations; a revision; the status; the events."""
    await fleet.join("a", "b", "c")
    made = fleet.daemonset()
    made["metadata"]["annotations"] = {"example.com/note": "kept"}
    await daemons.create(made)
    await daemons.agree(both(size(3), daemons_are(3), counts("controllerrevisions", 1)))


async def test_a_template_that_fits_no_node(daemons: Pair, fleet: Fleet) -> None:
    """Nothing is wanted, and that is reported."""
    await daemons.create(fleet.daemonset(pod_spec={"nodeSelector": {"example.com/own": "none"}}))
    await daemons.agree(both(pods(0), daemons_are(0), counts("controllerrevisions", 1)))


async def test_nodes_join(daemons: Pair, fleet: Fleet) -> None:
    """A node that joins gets a pod."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(1))
    await fleet.join("b", "c")
    await daemons.agree(both(size(3), daemons_are(3)))


async def test_a_node_leaves(daemons: Pair, fleet: Fleet) -> None:
    """Its pod goes with it, and is missed by nobody."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await fleet.leave(fleet.name("b"))
    await daemons.without_events().agree(both(size(1), daemons_are(1)), patience=90)


async def test_a_node_is_cordoned(daemons: Pair, fleet: Fleet) -> None:
    """Daemons stay on it, and one that is deleted comes back."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await fleet.cordon("a")
    await daemons.delete_pods(2)
    await daemons.agree(both(size(2), daemons_are(2)))


async def test_a_label_that_comes_and_goes(daemons: Pair, fleet: Fleet) -> None:
    """The pod follows the nodeSelector."""
    await fleet.join("a", "b")
    await fleet.label("a", disk="ssd")
    made = fleet.daemonset()
    made["spec"]["template"]["spec"]["nodeSelector"]["disk"] = "ssd"
    await daemons.create(made)
    await daemons.agree(both(size(1), daemons_are(1)))
    await fleet.label("b", disk="ssd")
    await daemons.agree(both(size(2), daemons_are(2)))
    await fleet.label("a", disk=None)
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_a_taint_that_lets_stay(daemons: Pair, fleet: Fleet) -> None:
    """The pod stays, misscheduled, until it is deleted; when the taint goes, there is one again."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await fleet.taint("a", "example.com/gpu")
    await fleet.join("c")  # upstream counts when it next has reason to, and who knows of this knows of the taint
    await daemons.agree(both(size(3), daemons_are(2, misscheduled=1)))
    await daemons.delete_pods(3)
    await daemons.agree(both(size(2), daemons_are(2)))
    await fleet.taint("a")
    await daemons.agree(both(size(3), daemons_are(3)))


async def test_a_taint_that_drives_out(daemons: Pair, fleet: Fleet) -> None:
    """The pod goes, and comes back with the taint's end."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await fleet.taint("a", "example.com/gpu", "NoExecute")
    await daemons.without_events().agree(both(size(1), daemons_are(1)))
    await fleet.taint("a")
    await daemons.without_events().agree(both(size(2), daemons_are(2)))


async def test_required_affinity(daemons: Pair, fleet: Fleet) -> None:
    """Pods go where the required affinity says; in the pod it is replaced by the node's name."""
    await fleet.join("a", "b", "c")
    await fleet.label("a", cores="8")
    await fleet.label("b", cores="2")
    terms = [{"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["4"]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    await daemons.create(fleet.daemonset(pod_spec={"affinity": affinity}))
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_one_named_node(daemons: Pair, fleet: Fleet) -> None:
    """A template with nodeName is for that node alone."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset(pod_spec={"nodeName": fleet.name("b")}))
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_host_network(daemons: Pair, fleet: Fleet) -> None:
    """Pods on the host's network tolerate a node that has none yet."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset(pod_spec={"hostNetwork": True}))
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_own_tolerations(daemons: Pair, fleet: Fleet) -> None:
    """A toleration that is a default's twin gives way to it, the others stay."""
    await fleet.join("a")
    short = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}
    await daemons.create(fleet.daemonset(pod_spec={"tolerations": [short, {"operator": "Exists"}]}))
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_a_deleted_pod_comes_back(daemons: Pair, fleet: Fleet) -> None:
    """It is made anew at once."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await daemons.delete_pods(1)
    await daemons.agree(both(size(2), daemons_are(2)))


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_ended_pods(daemons: Pair, fleet: Fleet, phase: str) -> None:
    """A pod that has ended is deleted, with an event that says so, and made anew."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(1))
    await daemons.end_pods(1, phase)
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_failing_again_and_again(daemons: Pair, fleet: Fleet) -> None:
    """Each pod that fails on a node waits longer for its deletion than the one before; then it is deleted too."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    for _ in range(6):  # after which the next waits for 32 seconds
        await daemons.agree(both(size(1), daemons_are(1)), quiet_for=0)
        await daemons.end_pods(1, "Failed")
    await daemons.agree(both(size(1), daemons_are(1)), quiet_for=0)
    await daemons.end_pods(1, "Failed")
    await daemons.agree(both(phase("Failed"), daemons_are(1, ready=0)), quiet_for=3)
    await daemons.agree(both(size(1), daemons_are(1)), patience=60)


async def test_a_failed_pod_of_an_old_template(daemons: Pair, fleet: Fleet) -> None:
    """A rollout does not wait for a back-off to end: the pod is of no use to anybody."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    for _ in range(6):  # as above
        await daemons.agree(both(size(1), daemons_are(1)), quiet_for=0)
        await daemons.end_pods(1, "Failed")
    await daemons.agree(both(size(1), daemons_are(1)), quiet_for=0)
    await daemons.end_pods(1, "Failed")
    await daemons.agree(both(phase("Failed"), daemons_are(1, ready=0)), quiet_for=0)
    await daemons.image("app:2")
    await daemons.agree(both(size(1), images("app:2", count=1), daemons_are(1)), patience=12)


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param({"type": "OnDelete"}, id="without surge"),
        pytest.param({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}, id="with surge"),
    ],
)
async def test_several_pods_on_one_node(daemons: Pair, fleet: Fleet, strategy: dict[str, Any]) -> None:
    """Of several that it takes over the oldest stays, at first or for good."""
    await fleet.join("a")
    for number, name in enumerate(("first", "second", "third"), 1):
        await daemons.create(pod(name, node=fleet.name("a")))
        await daemons.agree(size(number))
    await daemons.create(fleet.daemonset(updateStrategy=strategy))
    updated = 0 if strategy["type"] == "OnDelete" else 1
    await daemons.agree(both(size(1), daemons_are(1, updated=updated)))


async def test_one_more_on_a_node(daemons: Pair, fleet: Fleet) -> None:
    """A free pod that comes beside the DaemonSet's own is adopted, and as the younger one deleted."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    await daemons.agree(both(size(1), daemons_are(1)), quiet_for=2)
    await daemons.create(pod("free", node=fleet.name("a")))
    view = await daemons.agree(both(size(1), daemons_are(1)))
    assert any("Deleted pod: free" in line for line in view.events)


async def test_not_ready(daemons: Pair, fleet: Fleet) -> None:
    """Pods that are not ready are counted as such."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset(sim={"ready": "false"}))
    await daemons.agree(both(pods(2), daemons_are(2, ready=0)))
    await daemons.annotate_pods(2, ready="true")
    await daemons.agree(daemons_are(2))


async def test_min_ready_seconds(daemons: Pair, fleet: Fleet) -> None:
    """Ready pods become available after a while."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset(minReadySeconds=4))
    await daemons.agree(status("daemonsets", numberReady=1, numberAvailable=1, numberUnavailable=0))


async def test_adoption(daemons: Pair, fleet: Fleet) -> None:
    """A free pod that the selector takes becomes the DaemonSet's; of an old template, it is replaced."""
    await fleet.join("a")
    await daemons.create(pod("free", node=fleet.name("a")))
    await daemons.agree(size(1))
    await daemons.create(fleet.daemonset(updateStrategy={"type": "OnDelete"}))
    await daemons.agree(both(size(1), daemons_are(1, updated=0)))


async def test_release(daemons: Pair, fleet: Fleet) -> None:
    """A pod that loses its label is let go and replaced."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(1))
    await daemons.change_pods(1, {"metadata": {"labels": {"app": "other"}}})
    await daemons.agree(both(pods(2), daemons_are(1)))


async def test_quota(daemons: Pair, fleet: Fleet) -> None:
    """What a quota refuses is made once it allows it."""
    await fleet.join("a", "b", "c")
    await daemons.create(quota(1))
    await daemons.used_quota()
    await daemons.create(fleet.daemonset())
    await daemons.without_events().without_pods().agree(pods(1))
    await daemons.delete_quota()
    await daemons.without_events().agree(both(size(3), daemons_are(3)))


async def test_delete(daemons: Pair, fleet: Fleet) -> None:
    """Everything goes."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await daemons.delete("daemonsets", "web", "Foreground")
    await daemons.agree(both(gone("daemonsets"), pods(0), counts("controllerrevisions", 0)))


async def test_orphan(daemons: Pair, fleet: Fleet) -> None:
    """Pods and revisions stay, and the next of its name takes them."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await daemons.delete("daemonsets", "web", "Orphan")
    await daemons.agree(both(gone("daemonsets"), size(2), counts("controllerrevisions", 1)))
    await daemons.create(fleet.daemonset())
    await daemons.agree(both(size(2), daemons_are(2), counts("controllerrevisions", 1)))
