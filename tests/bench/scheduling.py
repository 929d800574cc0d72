"""The scheduler against the default kube-scheduler on one apiserver: pods from creation to bound, by turns.

python -m tests.bench.scheduling [--nodes N] [--pods N] [--runs N]
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Final, TypeVar

import click
import yaml
from rich.console import Console
from rich.table import Table

from operators.cluster import arguments, readiness
from operators.cluster.api import Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.core.objects import PODS, Obj
from operators.runtime.client import Client, path
from operators.runtime.informer import Informer
from operators.scheduler.configuration import ARGUMENTS, ENVIRONMENT, Extender, configuration
from tests.bench import usage

T = TypeVar("T")

DEFAULT: Final = "default"
OURS: Final = {
    "kopfwerk": Extender(),
    "kopfwerk all nodes": Extender(looks_at="all"),
    "kopfwerk binds": Extender(binds=True),
}
"""What kube-scheduler asks of the extender: as by default a part of the nodes and no more than that, or otherwise."""
SIDES: Final = (DEFAULT, *OURS)
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
ZONES: Final = 3
_IN_FLIGHT: Final = 32
_NAMESPACE: Final = "default"
_PATIENCE: Final = 600.0
_SELECTOR: Final[Obj] = {"labelSelector": {"matchLabels": {"app": "bench"}}}
CASES: Final[dict[str, Obj]] = {
    "plain": {},
    "topology spread": {
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", **_SELECTOR}
        ]
    },
    "pod anti-affinity": {
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": HOSTNAME, **_SELECTOR}]
            }
        }
    },
}


@dataclass(slots=True)
class Bound:
    """What the benchmark's own watch saw: when each pod was created and when it was on a node."""

    created: dict[str, float] = field(default_factory=dict)
    bound: dict[str, float] = field(default_factory=dict)
    nodes: Counter[str] = field(default_factory=Counter)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, _: Obj | None, new: Obj | None) -> None:
        """Take note of a pod's change."""
        if new is None:
            self.changed.set()
            return
        name, now = new["metadata"]["name"], time.perf_counter()
        self.created.setdefault(name, now)
        if (node := new["spec"].get("nodeName")) and name not in self.bound:
            self.bound[name] = now
            self.nodes[node] += 1
            self.changed.set()


@dataclass(frozen=True, slots=True)
class Run:
    """One case with one scheduler."""

    case: str
    side: str
    wall: float
    latencies: list[float]
    cpu: float
    memory: float
    """MB of the extender at the peak, 0 where there is none."""


@click.command()
@click.option("--nodes", default=5000, type=click.IntRange(min=ZONES), show_default=True)
@click.option("--pods", default=1000, show_default=True)
@click.option("--runs", default=3, show_default=True, help="How often each side runs each case.")
@click.option("--only", default=",".join(CASES), show_default=True, help="The cases, separated by commas.")
@click.option("--sides", default=",".join(SIDES), show_default=True, help="The schedulers, separated by commas.")
def main(*, nodes: int, pods: int, runs: int, only: str, sides: str) -> None:
    """Compare how fast the default kube-scheduler and Kopfwerk's bind pods. The nodes are objects and nothing more."""
    console = Console(highlight=False, width=120)
    cases, chosen = only.split(","), sides.split(",")
    # Nobody is to taint nodes that have no kubelet, to delete their pods, or to annotate 5,000 nodes meanwhile.
    without = (
        "node-lifecycle-controller",
        "pod-garbage-collector-controller",
        "taint-eviction-controller",
        "ttl-controller",
    )
    settings = Settings(
        name="scheduling", nodes=0, operator=False, scheduler=DEFAULT_SCHEDULER, without_controllers=without
    )
    with Cluster(settings, progress=lambda text: console.print(f"  {text}", style="dim")) as cluster:
        turns = [(case, side) for case in cases for _ in range(runs) for side in chosen]
        done = asyncio.run(_all(cluster, nodes, pods, turns, console))
    table = Table(
        "case", "scheduler", "wall s", "pods/s", "p50 s", "p99 s", "CPU s", "MB", title=f"{pods} pods, {nodes} nodes"
    )
    for case in cases:
        for side in chosen:
            table.add_row(*_row([run for run in done if (run.case, run.side) == (case, side)], pods))
    console.print(table)


def _row(runs: list[Run], pods: int) -> Iterable[str]:
    """Yield the medians of the runs of one case and side."""
    wall = median(run.wall for run in runs)
    latencies = [sorted(run.latencies) for run in runs]
    yield from (runs[0].case, runs[0].side, f"{wall:.2f}", f"{pods / wall:.0f}")
    yield f"{median(each[len(each) // 2] for each in latencies):.2f}"
    yield f"{median(each[len(each) * 99 // 100] for each in latencies):.2f}"
    yield f"{median(run.cpu for run in runs):.2f}"
    yield f"{max(run.memory for run in runs):.0f}" if runs[0].memory else ""


async def _all(
    cluster: Cluster, nodes: int, pods: int, turns: Iterable[tuple[str, str]], console: Console
) -> list[Run]:
    """Run each case with each side, as they come."""
    done = []
    cluster.processes["kube-scheduler"].stop()
    async with await Client.connect(str(cluster.kubeconfig)) as client:
        console.print(f"  creating {nodes} nodes", style="dim")
        await _each(range(nodes), lambda number: _create_node(client, number))
        for case, side in turns:
            run = await _one(cluster, client, case, side, pods)
            console.print(f"  {case} {side:21} {run.wall:.2f} s, CPU {run.cpu:.2f} s")
            done.append(run)
    return done


async def _one(cluster: Cluster, client: Client, case: str, side: str, pods: int) -> Run:
    """Start a scheduler, have it place one pod, then all of them, and stop it."""
    processes = await asyncio.to_thread(_start, cluster, side)
    seen = Bound()
    informer: Informer[Obj] = Informer(client, PODS, lambda obj: obj, {})
    informer.subscribe(seen.see)
    watching = asyncio.create_task(informer.run())
    try:
        await informer.synced.wait()
        await _create_pod(client, "warm-up", {})
        await _until(seen, lambda: len(seen.bound) == 1)
        before, began = _cpu(cluster, processes), time.perf_counter()
        await _each(range(pods), lambda number: _create_pod(client, f"p{number}", CASES[case]))
        await _until(seen, lambda: len(seen.bound) == pods + 1)
        wall = max(seen.bound.values()) - began
        cpu = _cpu(cluster, processes) - before
        check(case, seen.nodes)
        extender = cluster.processes.get("scheduler-extender")
        memory = usage.peak_memory(extender.pid) if extender and "scheduler-extender" in processes else 0.0
        await _each(list(seen.bound), lambda name: _delete_pod(client, name))
        await _until(seen, lambda: not informer.keys())
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for name in processes:
            cluster.processes[name].stop()
    latencies = [seen.bound[name] - seen.created[name] for name in seen.bound if name != "warm-up"]
    return Run(case, side, wall, latencies, cpu, memory)


def check(case: str, nodes: Counter[str]) -> None:
    """Fail where what was asked for was not kept: a fast scheduler that errs has not won. `nodes` have so many pods."""
    if case == "pod anti-affinity" and max(nodes.values()) > 1:
        raise AssertionError("two pods that exclude each other are on one node")
    zones = Counter(dict.fromkeys(map(zone, range(ZONES)), 0))
    for node, pods in nodes.items():
        zones[zone(int(node.rpartition("-")[2]))] += pods
    if case == "topology spread" and max(zones.values()) - min(zones.values()) > 1:
        raise AssertionError(f"the pods are not spread evenly: {dict(zones)}")


def zone(number: int) -> str:
    """Return the zone of a node."""
    return f"zone-{number % ZONES}"


def _start(cluster: Cluster, side: str) -> list[str]:
    """Start the processes of a side, and return their names once they are ready."""
    kubeconfig = str(cluster.layout.kubeconfig("kube-scheduler"))
    url = f"http://127.0.0.1:{cluster.layout.ports.scheduler_extender}/scheduler"
    asked = replace(Extender() if side == DEFAULT else OURS[side], url=url)
    config = configuration(asked, kubeconfig)
    if side == DEFAULT:  # all as it is, but for the limit of requests, which is the same for both
        config = {key: config[key] for key in ("apiVersion", "kind", "clientConnection", "leaderElection")}
    file = cluster.folder / f"{side.replace(' ', '-')}.yaml"
    file.write_text(yaml.safe_dump(config))
    names = ["kube-scheduler"]
    if side != DEFAULT:
        command = cluster.scheduler_extender([f"--kubeconfig={cluster.kubeconfig}", *asked.arguments])
        if "scheduler-extender" in cluster.processes:
            cluster.restart("scheduler-extender", command)
        else:
            cluster.run("scheduler-extender", command)
        names.append("scheduler-extender")
        ready = readiness.page(f"http://127.0.0.1:{cluster.layout.ports.scheduler_extender}/readyz")
        readiness.wait(cluster, ready, "the extender is not ready")
    extra = [f"--config={file}", *(ARGUMENTS if side != DEFAULT else ())]
    command = [cluster.program("kube-scheduler"), *arguments.scheduler(cluster.layout, extra)]
    cluster.run("kube-scheduler", command, ENVIRONMENT if side != DEFAULT else None)
    health = Api(f"https://127.0.0.1:{cluster.layout.ports.scheduler}", cluster.layout.pki)
    readiness.wait(cluster, readiness.answers(health, "/healthz"), "kube-scheduler is not ready")
    return names


def _cpu(cluster: Cluster, names: list[str]) -> float:
    return sum(usage.cpu_seconds(cluster.processes[name].pid) for name in names)


async def _until(seen: Bound, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not condition():
            seen.changed.clear()
            await seen.changed.wait()


async def _each(these: Iterable[T], call: Callable[[T], Coroutine[Any, Any, None]]) -> None:
    """Call for each, some at a time."""
    left = iter(these)

    async def work() -> None:
        for one in left:
            await call(one)

    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))


async def _create_node(client: Client, number: int) -> None:
    name = f"node-{number}"
    size = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    labels = {HOSTNAME: name, ZONE: zone(number)}
    node = {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": size, "capacity": size}}
    await client.request("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", **node})
    # Admission taints every new node as not ready.
    merge = "application/merge-patch+json"
    await client.request("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": None}}, content_type=merge)


async def _create_pod(client: Client, name: str, spec: Obj) -> None:
    container = {"name": "c", "image": "app", "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "bench"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }
    await client.request("POST", path(PODS, _NAMESPACE), pod)


async def _delete_pod(client: Client, name: str) -> None:
    await client.request("DELETE", path(PODS, _NAMESPACE, name), {"gracePeriodSeconds": 0})


if __name__ == "__main__":
    main()
