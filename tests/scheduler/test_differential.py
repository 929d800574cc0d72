"""Generated pods on generated nodes: the same nodes and the same scores as the real default kube-scheduler.

KOPFWERK_SCHEDULER_PODS says how many, KOPFWERK_SCHEDULER_SEED from which seed; it is printed.
"""

import os
import random
from collections.abc import Iterator

import pytest

from operators.cluster.api import MERGE, Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.scheduler import pod as pods
from tests.scheduler import generate
from tests.scheduler.oracle import Oracle, Scores, oracle, scores

PODS = int(os.environ.get("KOPFWERK_SCHEDULER_PODS", "300"))
SEED = int(os.environ.get("KOPFWERK_SCHEDULER_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
NODES = 14
ROUND = 60
"""Pods after which the nodes are emptied, for later ones would fit nowhere."""
NAMESPACES = ("left", "right")
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster of which nobody but this test uses the scheduler; its nodes have no kubelet, and need none."""
    without = ("node-lifecycle-controller",)
    settings = Settings(
        name="scheduler", nodes=1, operator=False, scheduler=DEFAULT_SCHEDULER, without_controllers=without
    )
    with Cluster(settings) as started:
        yield started


async def test_equal_to_the_default_scheduler(cluster: Cluster) -> None:
    """Every pod has the same feasible nodes, and each of them the same score from every rule."""
    print(f"KOPFWERK_SCHEDULER_SEED={SEED}")
    rng = random.Random(SEED)  # noqa: S311 - repeats what a seed draws
    want: dict[str, Scores] = {}
    with cluster.api() as api:
        api.request("DELETE", "/api/v1/nodes/node-1")
        for number in range(NODES):
            node = generate.node(rng, number)
            name = api.request("POST", "/api/v1/nodes", node)["metadata"]["name"]
            # Admission taints every new node as not ready, and nobody here would take that off.
            api.request("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": node["spec"]["taints"]}}, MERGE)
        for namespace in NAMESPACES:
            api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            account = {"metadata": {"name": "default"}, "automountServiceAccountToken": False}
            api.request(
                "PATCH",
                f"/api/v1/namespaces/{namespace}/serviceaccounts/default?fieldManager=test&force=true",
                {"apiVersion": "v1", "kind": "ServiceAccount", **account},
                "application/apply-patch+yaml",
            )
            service = {"metadata": {"name": "a"}, "spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}
            api.request("POST", f"/api/v1/namespaces/{namespace}/services", service)
        differing: list[str] = []
        async with oracle(cluster) as both:
            for number in range(PODS):
                await _compare(api, both, rng, f"p{number}", differing)
                if number % ROUND == ROUND - 1:
                    for namespace in NAMESPACES:
                        api.request("DELETE", f"/api/v1/namespaces/{namespace}/pods")
                    await both.emptied(Api(f"https://127.0.0.1:{cluster.layout.ports.scheduler}", cluster.layout.pki))
        log = cluster.folder / "logs" / "kube-scheduler.log"
        for namespace in NAMESPACES:
            want |= scores(log, namespace)
    assert differing == []
    for name, seen in both.seen.items():
        if len(seen.theirs) > 1:
            got = {plugin: part for plugin, part in seen.scores.items() if part}
            assert got == {plugin: part for plugin, part in want[name].items() if part}, f"{name}, seed {SEED}"
    assert len(both.seen) > PODS / 2


async def _compare(api: Api, both: Oracle, rng: random.Random, name: str, differing: list[str]) -> None:
    """Create a pod, wait for what becomes of it, and delete it where it fits nowhere."""
    namespace = rng.choice(NAMESPACES)
    api.request("POST", f"/api/v1/namespaces/{namespace}/pods", generate.pod(rng, name))
    obj = await both.settled(namespace, name)
    seen = both.seen.get(name)
    if seen is None:
        fit = both.ours(pods.parse(obj))
        if len(fit):
            differing.append(f"{name}: fits nowhere, ours {[both.snapshot.names[row] for row in fit]}: {obj['spec']}")
    elif seen.theirs != seen.ours:
        differing.append(f"{name}: {sorted(seen.theirs)}, ours {sorted(seen.ours)}: {obj['spec']}")
    if not obj["spec"].get("nodeName"):
        api.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}")
