"""Generated pods on generated clusters: the same nodes and the same scores as the real kube-scheduler.

KOPFWERK_SCHEDULER_PODS says how many, KOPFWERK_SCHEDULER_SEED from which seed; it is printed.
"""

import asyncio
import os
import random
from collections.abc import Iterator, Sequence

import pytest

from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.core.objects import Obj
from operators.scheduler import pod as pods
from tests.scheduler import generate
from tests.scheduler.oracle import Oracle, oracle

PODS = int(os.environ.get("KOPFWERK_SCHEDULER_PODS", "2000"))
SEED = int(os.environ.get("KOPFWERK_SCHEDULER_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
EACH = (5, 40)
"""How many pods a cluster gets, from and to: more would fit nowhere."""
STRATEGIES = (*("LeastAllocated",) * 2, *("MostAllocated",) * 3, *("RequestedToCapacityRatio",) * 5)
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster of which nobody but these tests uses the scheduler; its nodes have no kubelet, and need none."""
    settings = Settings(
        name="scheduler",
        nodes=0,
        operator=False,
        scheduler=DEFAULT_SCHEDULER,
        apiserver_args=(
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",  # nobody here acts on what they add
            "--delete-collection-workers=4",
        ),
    )
    rng = random.Random(SEED)  # noqa: S311 - repeats what a seed draws
    with Cluster(settings) as started:
        for name in ("kwok", "kube-controller-manager"):  # they watch every pod, and have nothing to do
            started.processes[name].stop()
        with started.api() as api:
            for name in generate.NAMESPACES:
                api.request("POST", "/api/v1/namespaces", generate.namespace(rng, name))
                for service in generate.services(rng):
                    api.request("POST", f"/api/v1/namespaces/{name}/services", service)
        yield started


async def test_equal_to_the_default_scheduler(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Every pod has the same feasible nodes, and each of them the same score from every rule."""
    rng = random.Random(SEED)  # noqa: S311 - repeats what a seed draws
    await _equal(cluster, rng, PODS, {}, capsys)


async def test_equal_by_any_strategy(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """So it is where profiles say otherwise how resources are scored, and what the rules weigh."""
    rng = random.Random(SEED + 1)  # noqa: S311
    profiles = {f"profile-{number}": generate.profile(rng, name) for number, name in enumerate(STRATEGIES)}
    await _equal(cluster, rng, PODS // 5, profiles, capsys)


async def _equal(
    cluster: Cluster, rng: random.Random, count: int, profiles: dict[str, Obj], capsys: pytest.CaptureFixture[str]
) -> None:
    """Compare as many pods, each of one of the profiles, if there are any, on as many clusters as they fill."""
    seed = f"KOPFWERK_SCHEDULER_SEED={SEED}"
    print(seed, profiles)
    differing: list[str] = []
    clusters, done = 0, 0
    async with oracle(cluster, profiles) as both:
        while done < count:
            await _new_nodes(both, rng)
            clusters, last = clusters + 1, min(done + rng.randint(*EACH), count)
            for number in range(done, last):
                await _compare(both, rng, f"p{number}", [*profiles], differing)
            await _empty(both)
            done = last
        want = both.upstream.scores()
    assert differing == []
    for name, seen in both.seen.items():
        if len(seen.theirs) > 1:
            got = {plugin: part for plugin, part in seen.scores.items() if part}
            whose = f"{name} {seen.profile}, seed {SEED}"
            assert got == {plugin: part for plugin, part in want[name].items() if part}, whose
    assert len(both.seen) > count / 2
    with capsys.disabled():
        print(f"\n{seed}: {count} pods on {clusters} clusters")


async def _new_nodes(both: Oracle, rng: random.Random) -> None:
    nodes = [generate.node(rng, number) for number in range(rng.randint(3, 16))]
    await asyncio.gather(*(both.client.request("POST", "/api/v1/nodes", node) for node in nodes))
    await both.left_with({node["metadata"]["name"] for node in nodes})


async def _empty(both: Oracle) -> None:
    """Delete every pod and node."""
    paths = [f"/api/v1/namespaces/{namespace}/pods" for namespace in generate.NAMESPACES]
    await asyncio.gather(*(both.client.request("DELETE", path) for path in (*paths, "/api/v1/nodes")))
    await both.left_with(set())


async def _compare(both: Oracle, rng: random.Random, name: str, profiles: Sequence[str], differing: list[str]) -> None:
    """Create a pod, wait for what becomes of it, and delete it where it fits nowhere."""
    namespace = rng.choice(generate.NAMESPACES)
    pod = generate.pod(rng, name)
    if profiles:
        profile = rng.choice(profiles)
        pod["spec"]["schedulerName"] = profile
        pod["metadata"]["annotations"] = {pods.PROFILE: profile}
    await both.client.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    obj = await both.settled(namespace, name)
    seen = both.seen.get(name)
    if seen is None:
        fit = both.ours(pods.parse(obj))
        if len(fit):
            differing.append(f"{name}: fits nowhere, ours {[both.snapshot.names[row] for row in fit]}: {obj['spec']}")
    elif seen.theirs != seen.ours:
        differing.append(f"{name}: {sorted(seen.theirs)}, ours {sorted(seen.ours)}: {obj['spec']}")
    if not obj["spec"].get("nodeName"):
        await both.client.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}")
