"""Rollouts of DaemonSets, ours beside upstream's."""

from typing import Any

import pytest

from tests.parity.fleet import Fleet
from tests.parity.manifests import template
from tests.parity.pair import Pair, Want
from tests.parity.test_daemonset import daemons_are
from tests.parity.wanted import both, counts, images, pods, size

pytestmark = pytest.mark.cluster


def _rolling(unavailable: int | str = 1, surge: int | str = 0) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}


BOUNDS = [
    pytest.param(_rolling(), id="one at a time"),
    pytest.param(_rolling(2), id="two at a time"),
    pytest.param(_rolling("50%"), id="half of them"),
    pytest.param(_rolling(0, 1), id="surge of one"),
    pytest.param(_rolling(0, "50%"), id="surge of half"),
]


@pytest.mark.parametrize("strategy", BOUNDS)
async def test_rollout(daemons: Pair, fleet: Fleet, strategy: dict[str, Any]) -> None:
    """Every pod is replaced, within the bounds."""
    await fleet.join("a", "b", "c")
    await daemons.create(fleet.daemonset(updateStrategy=strategy))
    await daemons.agree(daemons_are(3))
    await daemons.image("app:2")
    await daemons.agree(both(size(3), images("app:2", count=3), daemons_are(3), counts("controllerrevisions", 2)))


@pytest.mark.parametrize(
    ("strategy", "want"),
    [
        pytest.param(_rolling(), both(pods(3), daemons_are(3, updated=1, ready=2)), id="one is missing"),
        pytest.param(_rolling(2), both(pods(3), daemons_are(3, updated=2, ready=1)), id="two are missing"),
        pytest.param(_rolling(0, 2), both(pods(5), daemons_are(3, updated=0, ready=3)), id="two are too many"),
    ],
)
async def test_a_rollout_that_is_stuck(daemons: Pair, fleet: Fleet, strategy: dict[str, Any], want: Want) -> None:
    """Pods that do not become ready stop it at the bounds; which nodes they are on is open. A good template ends it."""
    await fleet.join("a", "b", "c")
    await daemons.create(fleet.daemonset(updateStrategy=strategy))
    await daemons.agree(daemons_are(3))
    await daemons.image("app:2", **{"sim.kopfwerk.dev/ready": "false"})
    stuck = daemons.without_events().without_pods()
    await stuck.agree(want)
    await daemons.image("app:3", **{"sim.kopfwerk.dev/ready": "true"})
    await daemons.without_events().agree(both(size(3), images("app:3", count=3), daemons_are(3)))


async def test_on_delete(daemons: Pair, fleet: Fleet) -> None:
    """Only a pod that somebody deletes is replaced by one of the new template."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset(updateStrategy={"type": "OnDelete"}))
    await daemons.agree(daemons_are(2))
    await daemons.image("app:2")
    await daemons.agree(both(images("app:1", count=2), daemons_are(2, updated=0), counts("controllerrevisions", 2)))
    await daemons.delete_pods(2)
    await daemons.agree(both(images("app:2", count=2), daemons_are(2)))


async def test_back_to_an_old_template(daemons: Pair, fleet: Fleet) -> None:
    """Its revision becomes the newest again."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    for image in ("app:2", "app:1"):
        await daemons.image(image)
        await daemons.agree(both(images(image, count=2), size(2), daemons_are(2), counts("controllerrevisions", 2)))


async def test_in_the_middle_of_a_rollout(daemons: Pair, fleet: Fleet) -> None:
    """A third template replaces pods of both others."""
    await fleet.join("a", "b", "c")
    await daemons.create(fleet.daemonset(sim={"ready_after": "1s"}))
    await daemons.agree(daemons_are(3))
    await daemons.image("app:2")
    await daemons.image("app:3")
    await daemons.without_events().without_revisions().agree(both(images("app:3", count=3), daemons_are(3)))


async def test_history_limit(daemons: Pair, fleet: Fleet) -> None:
    """The oldest revisions are forgotten."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset(revisionHistoryLimit=1))
    await daemons.agree(daemons_are(1))
    for number in (2, 3, 4):
        await daemons.image(f"app:{number}")
        await daemons.agree(both(images(f"app:{number}", count=1), size(1), counts("controllerrevisions", 2)))


async def test_from_on_delete_to_rolling(daemons: Pair, fleet: Fleet) -> None:
    """The other strategy takes up what was left."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset(updateStrategy={"type": "OnDelete"}))
    await daemons.agree(daemons_are(2))
    await daemons.image("app:2")
    await daemons.agree(daemons_are(2, updated=0))
    await daemons.edit(updateStrategy=_rolling())
    await daemons.agree(both(images("app:2", count=2), size(2), daemons_are(2)))


async def test_a_template_that_moves(daemons: Pair, fleet: Fleet) -> None:
    """With surge, pods on nodes that the template has left go once there are enough elsewhere."""
    await fleet.join("a", "b")
    await fleet.label("a", disk="ssd")
    made = fleet.daemonset(updateStrategy=_rolling(0, 1))
    made["spec"]["template"]["spec"]["nodeSelector"]["disk"] = "ssd"
    await daemons.create(made)
    await daemons.agree(daemons_are(1))
    await fleet.label("b", disk="hdd")
    await daemons.edit(
        template={"spec": {"nodeSelector": {"disk": "hdd"}, "containers": [{"name": "app", "image": "app:2"}]}}
    )
    await daemons.agree(both(size(1), daemons_are(1)))


async def test_a_rollout_on_a_node_that_falls_silent(daemons: Pair, fleet: Fleet) -> None:
    """Its pod is replaced first, and takes the budget for as long as the node is silent."""
    await fleet.join("a", "b")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(2))
    await fleet.silence("a")
    await daemons.ours.until(daemons_are(1, misscheduled=1))  # so that upstream will have seen it too
    await daemons.edit(revisionHistoryLimit=9)  # upstream counts when it next has reason to
    await daemons.without_events().agree(daemons_are(1, misscheduled=1))
    await daemons.image("app:2")
    await daemons.without_events().agree(both(pods(2), daemons_are(1, misscheduled=1, updated=0)))


async def test_labels_of_the_template(daemons: Pair, fleet: Fleet) -> None:
    """A label that is added to the template makes a new revision, which has it."""
    await fleet.join("a")
    await daemons.create(fleet.daemonset())
    await daemons.agree(daemons_are(1))
    meta = template(labels={"app": "web", "tier": "new"})["metadata"]
    await daemons.edit(template={"metadata": meta})
    await daemons.without_revisions().agree(both(size(1), daemons_are(1), counts("controllerrevisions", 2)))
