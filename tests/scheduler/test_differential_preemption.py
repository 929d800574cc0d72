"""Against upstream: the same victims on the same nodes as the real default kube-scheduler, budgets included.

KOPFWERK_SCHEDULER_PREEMPTORS says how many pods ask, KOPFWERK_SCHEDULER_SEED from which seed; it is printed.
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from operators.cluster.api import MERGE, Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.core.objects import Obj
from operators.scheduler import pod as pods
from tests.scheduler import generate
from tests.scheduler.oracle import Oracle, oracle

PREEMPTORS = int(os.environ.get("KOPFWERK_SCHEDULER_PREEMPTORS", "80"))
SEED = int(os.environ.get("KOPFWERK_SCHEDULER_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
NODES = 8
NAMESPACE = "default"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster in which nobody but this test says what nodes and budgets are like."""
    without = ("node-lifecycle-controller", "disruption-controller", "pod-garbage-collector-controller")
    settings = Settings(
        name="victims", nodes=0, operator=False, scheduler=DEFAULT_SCHEDULER, without_controllers=without
    )
    with Cluster(settings) as started:
        yield started


async def test_equal_victims(cluster: Cluster) -> None:
    """On full nodes, whoever would have to go for a pod is the same, in the same order."""
    print(f"KOPFWERK_SCHEDULER_SEED={SEED}")
    rng = random.Random(SEED)  # noqa: S311 - repeats what a seed draws
    with cluster.api() as api:
        for level in range(4):
            api.request("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", _class(level))
        for number in range(NODES):
            node = generate.node(rng, number)
            name = api.request("POST", "/api/v1/nodes", node)["metadata"]["name"]
            api.request("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": node["spec"]["taints"]}}, MERGE)
            await _fill(api, rng, name, node)
        for app, allowed in zip(generate.APPS, (0, 1, 3), strict=True):
            await _budget(api, app, allowed)
        async with oracle(cluster) as both:
            while both.snapshot.pod_count < len(api.get(PODS)["items"]):
                await both.changed()
            for number in range(PREEMPTORS):
                await _ask(api, both, rng, f"asks-{number}")
            names = {obj["metadata"]["uid"]: obj["metadata"]["name"] for obj in api.get(PODS)["items"]}
    for name, (theirs, ours) in both.victims.items():
        assert _readable(ours, names) == _readable(theirs, names), f"{name}, seed {SEED}"
    assert sum(bool(theirs) for theirs, _ in both.victims.values()) > PREEMPTORS / 5
    counts = [victims["NumPDBViolations"] for theirs, _ in both.victims.values() for victims in theirs.values()]
    assert any(counts)


def _readable(by_node: Obj, names: dict[str, str]) -> Obj:
    """Return the victims by their names."""
    return {
        node: ([names[pod["UID"]] for pod in found["Pods"]], found["NumPDBViolations"])
        for node, found in by_node.items()
    }


def _class(level: int) -> Obj:
    return {"metadata": {"name": f"level-{level}"}, "value": level * 100}


async def _fill(api: Api, rng: random.Random, node: str, obj: Obj) -> None:
    """Put pods on a node until little is left: placed by nobody, and so wherever they want."""
    room = int(float(str(obj["status"]["allocatable"]["cpu"]).replace("3500m", "3.5")) * 1000)
    taken: set[int] = set()
    for number in range(min(14, int(obj["status"]["allocatable"]["pods"]))):
        pod = generate.pod(rng, f"{node}-{number}")
        for key in ("nodeSelector", "initContainers"):
            pod["spec"].pop(key, None)
        first = pod["spec"]["containers"][0]
        numbers = {port["hostPort"] for port in first.get("ports", ())}
        if numbers & taken:  # of two that share a port, which no kubelet lets run, upstream forgets it as one goes
            del first["ports"]
        taken |= numbers
        pod["spec"] |= {"nodeName": node, "priorityClassName": f"level-{rng.randrange(3)}"}
        room -= pods.parse({**pod, "metadata": {**pod["metadata"], "namespace": NAMESPACE}}).requests.get("cpu", 0)
        if room < 0:
            return
        api.request("POST", PODS, pod)
        if number:  # of two that have not started, upstream takes whichever it met first
            started = {"startTime": f"2026-01-01T00:{rng.randrange(60):02}:{number:02}Z", "phase": "Running"}
            api.request("PATCH", f"{PODS}/{node}-{number}/status", {"status": started}, MERGE)


async def _budget(api: Api, app: str, allowed: int) -> None:
    """Protect the pods of an app: none has two budgets, of which upstream would ask either one first, by chance."""
    selector = {"matchLabels": {"app": app}}
    api.request("POST", BUDGETS, {"metadata": {"name": app}, "spec": {"minAvailable": 1, "selector": selector}})
    status: dict[str, Any] = {"disruptionsAllowed": allowed, "observedGeneration": 1}
    status |= dict.fromkeys(("currentHealthy", "desiredHealthy", "expectedPods"), 1)
    api.request("PATCH", f"{BUDGETS}/{app}/status", {"status": status}, MERGE)


async def _ask(api: Api, both: Oracle, rng: random.Random, name: str) -> None:
    """Have a pod placed that fits nowhere, if it can be helped, and take it away again."""
    pod = generate.pod(rng, name)
    pod["spec"].pop("resources", None)
    pod["spec"]["priorityClassName"] = f"level-{rng.randint(1, 3)}"
    pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = rng.choice(("900m", "1500m", "3"))
    api.request("POST", PODS, pod)
    await both.settled(NAMESPACE, name)
    api.request("DELETE", f"{PODS}/{name}")
    while both.known(NAMESPACE, name):
        await both.changed()
