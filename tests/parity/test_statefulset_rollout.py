"""Rollouts of StatefulSets, ours beside upstream's."""

import pytest

from tests.parity.manifests import rolling, statefulset, template
from tests.parity.pair import Pair
from tests.parity.wanted import both, counts, images, pods, rolled, set_status

pytestmark = pytest.mark.cluster

STUCK = {"sim.kopfwerk.dev/ready": "false"}
READY = {"sim.kopfwerk.dev/ready": "true"}


async def _running(sets: Pair, replicas: int, **spec: object) -> None:
    await sets.create(statefulset(replicas, **spec))  # type: ignore[arg-type]
    await sets.agree(rolled("app:1", replicas))


async def test_rolling_update(sets: Pair) -> None:
    """Every pod is replaced, a second revision is kept, and the new one becomes current."""
    await _running(sets, 3)
    await sets.image("app:2")
    await sets.agree(both(rolled("app:2", 3), counts("controllerrevisions", 2)))


async def test_rolling_update_in_parallel(sets: Pair) -> None:
    """Without order pods are replaced all the same, within maxUnavailable."""
    await _running(sets, 3, parallel=True)
    await sets.image("app:2")
    await sets.agree(rolled("app:2", 3))


async def test_the_highest_first(sets: Pair) -> None:
    """A rollout whose pods do not become ready stops after the highest ordinal."""
    await _running(sets, 3)
    await sets.image("app:2", **STUCK)
    await sets.agree(both(images("app:1", "app:1", "app:2"), set_status(updatedReplicas=1, currentReplicas=2)))


async def test_max_unavailable(sets: Pair) -> None:
    """Two at a time may be missing; they come back one by one."""
    await _running(sets, 4, updateStrategy=rolling(unavailable=2))
    await sets.image("app:2", **STUCK)
    await sets.agree(both(pods(3), images("app:1", "app:1", "app:2"), set_status(updatedReplicas=1)))


async def test_max_unavailable_in_parallel(sets: Pair) -> None:
    """Two at a time may be missing, and come back together."""
    await _running(sets, 4, parallel=True, updateStrategy=rolling(unavailable="50%"))
    await sets.image("app:2", **STUCK)
    await sets.agree(images("app:1", "app:1", "app:2", "app:2"))


async def test_unavailable_old_first_in_parallel(sets: Pair) -> None:
    """Without order, old pods that are not ready are replaced whatever maxUnavailable is."""
    await _running(sets, 4, parallel=True)
    for name in ("web-0", "web-1"):
        await sets.patch("pods", name, {"metadata": {"annotations": STUCK}})
    await sets.agree(set_status(readyReplicas=2))
    await sets.image("app:2", **STUCK)
    await sets.agree(images("app:2", "app:2", "app:1", "app:1"))


async def test_partition(sets: Pair) -> None:
    """Pods below the partition keep the old template, also where they are made anew."""
    await _running(sets, 3, updateStrategy=rolling(partition=2))
    await sets.image("app:2")
    await sets.agree(both(images("app:1", "app:1", "app:2"), set_status(updatedReplicas=1, readyReplicas=3)))
    await sets.delete("pods", "web-0")
    await sets.agree(both(images("app:1", "app:1", "app:2"), set_status(updatedReplicas=1, readyReplicas=3)))
    await sets.edit(updateStrategy={"rollingUpdate": {"partition": 0}})
    await sets.agree(rolled("app:2", 3))


async def test_partition_and_scale(sets: Pair) -> None:
    """Pods that scaling adds are of the revision that the partition gives their ordinals."""
    await _running(sets, 1, updateStrategy=rolling(partition=2))
    await sets.image("app:2")
    await sets.agree(both(images("app:1"), counts("controllerrevisions", 2)))
    await sets.scale(4)
    await sets.agree(both(images("app:1", "app:1", "app:2", "app:2"), set_status(readyReplicas=4)))


async def test_on_delete(sets: Pair) -> None:
    """Pods are replaced as somebody deletes them."""
    await _running(sets, 2, updateStrategy={"type": "OnDelete"})
    await sets.image("app:2")
    await sets.agree(both(images("app:1", "app:1"), counts("controllerrevisions", 2)))
    await sets.delete("pods", "web-0")
    await sets.agree(both(images("app:2", "app:1"), set_status(updatedReplicas=1, readyReplicas=2)))
    await sets.delete("pods", "web-1")
    await sets.agree(rolled("app:2", 2))


async def test_no_parameters(sets: Pair) -> None:
    """A rolling update without parameters rolls as well."""
    await _running(sets, 3, updateStrategy={"type": "RollingUpdate"})
    await sets.image("app:2")
    await sets.agree(rolled("app:2", 3))


async def test_no_parameters_and_a_killed_pod(sets: Pair) -> None:
    """Without parameters a pod that the rollout has not come to is made from the old template."""
    await _running(sets, 3, updateStrategy={"type": "RollingUpdate"})
    await sets.image("app:2", **STUCK)
    await sets.agree(images("app:1", "app:1", "app:2"))
    await sets.delete("pods", "web-0")
    await sets.agree(both(images("app:1", "app:1", "app:2"), set_status(readyReplicas=2, currentReplicas=2)))


async def test_stuck_for_ever(sets: Pair) -> None:
    """As upstream, where that is asked for: a corrected template alone does not replace a pod that is never ready."""
    made = statefulset(2)
    made["metadata"]["annotations"] = {"kopfwerk.dev/replace-stuck-pods": "false"}
    await sets.create(made)
    await sets.agree(rolled("app:1", 2))
    await sets.image("app:2", **STUCK)
    await sets.agree(images("app:1", "app:2"))
    await sets.image("app:3", **READY)
    await sets.agree(both(images("app:1", "app:2"), counts("controllerrevisions", 3)))
    await sets.delete("pods", "web-1")
    await sets.agree(rolled("app:3", 2))


async def test_stuck_pod_recovers(sets: Pair) -> None:
    """A rollout goes on once the pod that it waits for is ready."""
    await _running(sets, 2)
    await sets.image("app:2", **STUCK)
    await sets.agree(images("app:1", "app:2"))
    await sets.patch("pods", "web-1", {"metadata": {"annotations": READY}})
    await sets.agree(images("app:2", "app:2"))


async def test_rollover(sets: Pair) -> None:
    """A second change in the middle of a rollout leaves the first behind."""
    await _running(sets, 3, template=template(ready_after="2s"))
    await sets.image("app:2")
    await sets.each(lambda side: side.until(lambda v: any("app:2" in line for line in v.pods)))
    await sets.image("app:3")
    await sets.without_events().agree(both(rolled("app:3", 3), counts("controllerrevisions", 3)))


async def test_going_back(sets: Pair) -> None:
    """An old template that comes back gets its revision back, under a new number."""
    await _running(sets, 2)
    await sets.image("app:2")
    await sets.agree(rolled("app:2", 2))
    await sets.image("app:1")
    view = await sets.agree(both(rolled("app:1", 2), counts("controllerrevisions", 2)))
    assert sorted(obj["revision"] for obj in view.raw["controllerrevisions"]) == [2, 3]


async def test_history_limit(sets: Pair) -> None:
    """No more old revisions are kept than asked for, but all that are in use."""
    await _running(sets, 1, revisionHistoryLimit=1)
    for number in (2, 3, 4):
        await sets.image(f"app:{number}")
        await sets.agree(rolled(f"app:{number}", 1))
    await sets.agree(counts("controllerrevisions", 2))
    await sets.edit(revisionHistoryLimit=0)
    await sets.agree(counts("controllerrevisions", 1))


async def test_scale_mid_rollout(sets: Pair) -> None:
    """Scaling comes before replacing: new pods are of the new template, and those that are too many go first."""
    await _running(sets, 3)
    await sets.image("app:2", **STUCK)
    await sets.agree(images("app:1", "app:1", "app:2"))
    await sets.scale(2)
    await sets.agree(both(images("app:1", "app:2"), set_status(replicas=2, updatedReplicas=1)))


async def test_restart(sets: Pair) -> None:
    """The annotation that kubectl rollout restart writes makes a new revision."""
    await _running(sets, 2)
    await sets.image("app:1", **{"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"})
    await sets.agree(both(rolled("app:1", 2), counts("controllerrevisions", 2)))


async def test_min_ready_seconds(sets: Pair) -> None:
    """A rollout waits for each pod to be available."""
    await _running(sets, 2, minReadySeconds=20)
    await sets.image("app:2")
    await sets.agree(both(images("app:1", "app:2"), set_status(readyReplicas=2, availableReplicas=1)))
    await sets.edit(minReadySeconds=5)
    await sets.agree(rolled("app:2", 2))


async def test_a_change_of_annotations_rolls_nothing(sets: Pair) -> None:
    """What is not in the template makes no revision; the next revision takes it along."""
    await _running(sets, 1)
    await sets.patch("statefulsets", "web", {"metadata": {"annotations": {"a": "1"}, "labels": {"l": "1"}}})
    await sets.agree(counts("controllerrevisions", 1))
    await sets.image("app:2")
    await sets.agree(rolled("app:2", 1))
