"""Rollouts, ours beside upstream's."""

import pytest

from tests.parity.manifests import deployment, lingering, template
from tests.parity.pair import Pair
from tests.parity.wanted import both, complete, condition, pods, replicasets, sizes, status

pytestmark = pytest.mark.cluster

ROLLBACK = "deprecated.deployment.rollback.to"
STUCK = {"sim.kopfwerk.dev/ready": "false"}


async def _running(pair: Pair, count: int = 3, **spec: object) -> None:
    await pair.create(deployment(count, **spec))  # type: ignore[arg-type]
    await pair.agree(complete("app:1", count))


async def test_rolling_update(pair: Pair) -> None:
    """A change of image rolls out, and the old ReplicaSet stays as history."""
    await _running(pair, 4)
    pair = pair.numbers_aside()
    await pair.image("app:2")
    await pair.agree(both(complete("app:2", 4), replicasets(2)))


@pytest.mark.parametrize(
    ("count", "surge", "unavailable", "want"),
    [
        pytest.param(10, "25%", "25%", (5, 8), id="a quarter of ten: up and down"),
        pytest.param(3, "34%", "34%", (3, 2), id="a third of three"),
        pytest.param(4, 0, 1, (1, 3), id="no surge"),
        pytest.param(4, 1, 0, (1, 4), id="none unavailable"),
        pytest.param(1, "1%", "99%", (1, 1), id="of one"),
        pytest.param(2, "0%", "1%", (1, 1), id="both fall to nothing: one is unavailable"),
        pytest.param(3, "100%", "0%", (3, 3), id="all at once"),
        pytest.param(2, 0, "100%", (2, 0), id="all unavailable"),
    ],
)
async def test_fenceposts(
    pair: Pair, count: int, surge: int | str, unavailable: int | str, want: tuple[int, int]
) -> None:
    """With new pods that never become ready a rollout stops where rounding puts its fenceposts."""
    await _running(pair, count, surge=surge, unavailable=unavailable)
    await pair.numbers_aside().image("app:2", **STUCK)
    await pair.numbers_aside().agree(sizes(*want))


async def test_unknown_image(pair: Pair) -> None:
    """A rollout that is stuck goes back when the template does, and the old ReplicaSet gets a new revision."""
    await _running(pair, 3)
    await pair.image("app:unknown", **STUCK)
    await pair.agree(both(sizes(1, 3), status(unavailableReplicas=1)))
    await pair.edit(template={"metadata": {"annotations": None}, "spec": template()["spec"]})
    await pair.agree(complete("app:1", 3))


async def test_proportional_scaling(pair: Pair) -> None:
    """Scaling in the middle of a rollout goes to both ReplicaSets in proportion."""
    await _running(pair, 10, surge=3, unavailable=2)
    pair = pair.numbers_aside()
    await pair.image("app:2", **STUCK)
    await pair.agree(sizes(5, 8))
    await pair.scale(15)
    await pair.agree(status(replicas=18))
    await pair.scale(7)
    await pair.agree(status(replicas=10))


async def test_rollover(pair: Pair) -> None:
    """A second change in the middle of a rollout leaves the first behind."""
    await _running(pair, 4, surge=1, unavailable=1)
    pair = pair.numbers_aside()
    await pair.image("app:2", **STUCK)
    await pair.agree(sizes(2, 3))
    await pair.image("app:3", **{"sim.kopfwerk.dev/ready": "true"})
    await pair.agree(both(complete("app:3", 4), replicasets(3)))


async def test_unhealthy_old_first(pair: Pair) -> None:
    """Old pods that are not ready go before any that is."""
    await _running(pair, 4, surge=0, unavailable=2)
    await pair.annotate_pods(2, ready="false")
    await pair.agree(status(readyReplicas=2))
    await pair.numbers_aside().image("app:2", **STUCK)
    await pair.numbers_aside().agree(both(sizes(2, 2), status(readyReplicas=2)))


async def test_recreate(pair: Pair) -> None:
    """All old pods go before the first new one comes."""
    await _running(pair, 3, strategy={"type": "Recreate"})
    await pair.image("app:2")
    await pair.agree(both(complete("app:2", 3), replicasets(2)))


async def test_recreate_waits(pair: Pair) -> None:
    """Recreate waits for old pods that take their time."""
    await _running(pair, 2, strategy={"type": "Recreate"}, template=lingering())
    await pair.image("app:2")
    await pair.agree(both(replicasets(1), status(terminatingReplicas=2)))
    await pair.let_go()
    await pair.agree(complete("app:2", 2))


async def test_change_of_strategy(pair: Pair) -> None:
    """A Deployment changes from rolling to recreating without a rollout."""
    await _running(pair, 2, surge=1)
    await pair.edit(strategy={"type": "Recreate", "rollingUpdate": None})
    await pair.agree(complete("app:1", 2))


async def test_pause_and_resume(pair: Pair) -> None:
    """While paused a change waits; what the deadline is about says so."""
    await _running(pair, 3)
    await pair.edit(paused=True)
    await pair.agree(condition("Progressing", "DeploymentPaused"))
    await pair.image("app:2")
    await pair.agree(replicasets(1))
    await pair.numbers_aside().edit(paused=None)
    await pair.numbers_aside().agree(complete("app:2", 3))


async def test_scale_while_paused(pair: Pair) -> None:
    """A paused Deployment still scales."""
    await _running(pair, 2)
    await pair.edit(paused=True)
    await pair.scale(4)
    await pair.agree(both(pods(4), condition("Progressing", "DeploymentPaused")))


async def test_pause_mid_rollout(pair: Pair) -> None:
    """A rollout that is paused stays where it is, and scales in proportion."""
    await _running(pair, 4, surge=2, unavailable=0)
    await pair.image("app:2", **STUCK)
    await pair.agree(sizes(2, 4))
    await pair.edit(paused=True)
    await pair.agree(condition("Progressing", "DeploymentPaused"))
    await pair.scale(8)
    await pair.agree(status(replicas=10))


async def test_created_paused(pair: Pair) -> None:
    """A Deployment that is created paused makes nothing until it is resumed."""
    await pair.create(deployment(2, paused=True))
    await pair.agree(both(replicasets(0), condition("Progressing", "DeploymentPaused")))
    await pair.edit(paused=None)
    await pair.agree(complete("app:1", 2))


async def test_progress_deadline(pair: Pair) -> None:
    """A rollout that stands still for too long says so, and recovers."""
    await pair.create(deployment(2, progressDeadlineSeconds=4, template=template(ready="false")))
    await pair.agree(condition("Progressing", "ProgressDeadlineExceeded"))
    await pair.annotate_pods(2, ready="true")
    await pair.agree(complete("app:1", 2))


async def test_history_limit(pair: Pair) -> None:
    """No more old ReplicaSets are kept than asked for, and none where that is asked for."""
    await _running(pair, 1, revisionHistoryLimit=1)
    pair = pair.numbers_aside()
    for number in (2, 3):
        await pair.image(f"app:{number}")
        await pair.agree(both(complete(f"app:{number}", 1), replicasets(2)))
    await pair.edit(revisionHistoryLimit=0)
    await pair.agree(replicasets(1))


async def test_template_revert(pair: Pair) -> None:
    """Going back to an old template renumbers its ReplicaSet and notes the revision that it had."""
    await _running(pair, 2)
    pair = pair.numbers_aside()
    await pair.image("app:2")
    await pair.agree(complete("app:2", 2))
    await pair.image("app:1")
    await pair.agree(both(complete("app:1", 2), replicasets(2)))


@pytest.mark.parametrize(
    ("to", "want"),
    [
        pytest.param("0", "app:2", id="the last one"),
        pytest.param("1", "app:1", id="a given one"),
        pytest.param("3", "app:3", id="the current one"),
        pytest.param("9", "app:3", id="one that there never was"),
    ],
)
async def test_rollback_annotation(pair: Pair, to: str, want: str) -> None:
    """The annotation of old API versions rolls back, and is taken off."""
    await _running(pair, 1)
    pair = pair.numbers_aside()
    for number in (2, 3):
        await pair.image(f"app:{number}")
        await pair.agree(complete(f"app:{number}", 1))
    await pair.patch("deployments", "web", {"metadata": {"annotations": {ROLLBACK: to}}})
    await pair.agree(
        both(complete(want, 1), lambda v: ROLLBACK not in v.find("deployments")["metadata"]["annotations"])
    )


async def test_restart(pair: Pair) -> None:
    """The annotation that kubectl rollout restart writes makes a new revision."""
    await _running(pair, 2)
    pair = pair.numbers_aside()
    await pair.image("app:1", **{"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"})
    await pair.agree(both(complete("app:1", 2), replicasets(2)))


async def test_slow_termination(pair: Pair) -> None:
    """Old pods that take their time are counted as terminating, and do not hold up the rollout."""
    await _running(pair, 2, template=lingering())
    pair = pair.numbers_aside()
    await pair.image("app:2")
    await pair.agree(status(updatedReplicas=2, replicas=2, terminatingReplicas=2))
    await pair.let_go()
    await pair.agree(complete("app:2", 2))


async def test_scale_to_zero_mid_rollout(pair: Pair) -> None:
    """A stuck rollout that is scaled to nothing is complete."""
    await _running(pair, 3)
    await pair.image("app:2", **STUCK)
    await pair.agree(sizes(1, 3))
    await pair.numbers_aside().scale(0)
    await pair.numbers_aside().agree(both(pods(0), sizes(0, 0)))
