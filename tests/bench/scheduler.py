"""How long the extender takes to decide at 5,000 nodes with 30,000 pods: no cluster, the whole way from bytes to bytes.

python -m tests.bench.scheduler
"""

import gc
import random
import resource
import time
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from operators.core.objects import Obj
from operators.scheduler import node as nodes
from operators.scheduler import pod as pods
from operators.scheduler import wire
from operators.scheduler.extender import Extender
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot

NODES: Final = 5_000
PODS: Final = 30_000
APPS: Final = 300
ASKED: Final = 1_000
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def main() -> None:
    """Print the table."""
    names, console = [f"node-{number}" for number in range(NODES)], Console()
    table = Table("pods", "p50 ms", "p99 ms", "max ms", title=f"filter and scores, {NODES} nodes, {PODS} pods")
    for case, spec in _cases().items():
        took = sorted(_measure(_snapshot(), names, case, spec))
        figures = (took[len(took) // 2], took[len(took) * 99 // 100], took[-1])
        table.add_row(case, *(f"{1000 * figure:.2f}" for figure in figures))
    console.print(table)
    console.print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB resident")


def _measure(snapshot: Snapshot, names: list[str], case: str, spec: Obj) -> list[float]:
    """Decide for pods one after the other, the watch confirming each, and return the seconds of each decision."""
    chosen = rules()
    extender = Extender(snapshot, lambda _: chosen, time.monotonic)
    took = []
    gc.freeze()  # as the command does
    gc.set_threshold(50_000, 20, 50)
    for number in range(ASKED):
        body = orjson.dumps({"Pod": _pod(f"{case}-{number}", "app-1", **spec), "Nodes": None, "NodeNames": names})
        began = time.perf_counter()
        pod, asked = wire.arguments(body, snapshot.node_count)
        answer = orjson.loads(wire.filtered(extender.filter(pod, asked)))
        took.append(time.perf_counter() - began)
        placed = _pod(pod.name, "app-1", answer["NodeNames"][0], **spec)
        snapshot.put_pod(pods.parse(placed))
    return took


def _cases() -> dict[str, Obj]:
    selector = {"labelSelector": {"matchLabels": {"app": "app-1"}}}
    hard = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", **selector}
    soft = {"maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway", **selector}
    anti = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": HOSTNAME, **selector}]}
    return {
        "plain": {},
        "topology spread": {"topologySpreadConstraints": [hard, soft]},
        "pod anti-affinity": {"affinity": {"podAntiAffinity": anti}},
    }


def _snapshot() -> Snapshot:
    rng, found = random.Random(1), Snapshot()  # noqa: S311 - the same cluster each time
    for number in range(NODES):
        found.put_node(nodes.parse(_node(f"node-{number}", f"zone-{number % 3}")))
    for number in range(PODS):
        on, app = f"node-{rng.randrange(NODES)}", f"app-{number % APPS}"
        found.put_pod(pods.parse(_pod(f"pod-{number}", app, on)))
    return found


def _node(name: str, zone: str) -> Obj:
    size = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    return {"metadata": {"name": name, "labels": {HOSTNAME: name, ZONE: zone}}, "status": {"allocatable": size}}


def _pod(name: str, app: str, node: str = "", **spec: Any) -> Obj:
    container = {"name": "c", "image": "app", "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}}}
    meta = {"namespace": "bench", "name": name, "uid": name, "labels": {"app": app}}
    return {"metadata": meta, "spec": {"nodeName": node, "containers": [container], **spec}}


if __name__ == "__main__":
    main()
