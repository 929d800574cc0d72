"""The real default kube-scheduler as the one that knows: which nodes it finds feasible, and its score of each.

An extender behind its default plugins sees what they left over; at -v=10 its log has each plugin's weighted score. In
the same moment, while kube-scheduler waits for the extender's answer, ours decides on what the watch has told it.
"""

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import yaml
from aiohttp import web

from operators.cluster import arguments
from operators.cluster.api import Api
from operators.cluster.cluster import Cluster
from operators.core.objects import PODS, Obj
from operators.runtime.client import Client
from operators.runtime.informer import Informer
from operators.scheduler import feed, placement, preemption, wire
from operators.scheduler import pod as pods
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot

_SCORE = re.compile(
    r'"Plugin scored node for pod" pod="(?P<pod>[^"]+)" plugin="(?P<plugin>[^"]+)"'
    r' node="(?P<node>[^"]+)" score=(?P<score>-?\d+)'
)
_EMPTY = re.compile(r'^scheduler_cache_size{type="pods"} 0$', re.MULTILINE)
Scores = dict[str, dict[str, int]]
"""By plugin and node, weighted; what scores nothing is left out."""


@dataclass(slots=True)
class Seen:
    """What both said about one pod."""

    theirs: set[str]
    ours: set[str]
    scores: Scores = field(default_factory=dict)


class Oracle:
    """Both schedulers on one apiserver."""

    def __init__(self, client: Client) -> None:
        self.snapshot = Snapshot()
        self.rules = rules()
        self.seen: dict[str, Seen] = {}
        self.informers: list[Informer[Any]] = feed.informers(client, self.snapshot)
        self.victims: dict[str, tuple[Obj, Obj]] = {}
        """By pod, whom upstream and we would evict from each node, and how many budgets that would break."""
        self._raw: Informer[Obj] = Informer(client, PODS, lambda obj: obj, {})
        self._changed = asyncio.Event()
        self._raw.subscribe(lambda *_: self._changed.set())
        self.informers.append(self._raw)

    async def handle(self, request: web.Request) -> web.Response:
        """Compare what default plugins left over with what our predicates do, and let it pass."""
        body = await request.read()
        pod, names = wire.arguments(body)
        assert names is not None
        fit = self.ours(pod)
        found = Seen(set(names), {self.snapshot.names[row] for row in fit})
        if found.theirs == found.ours:
            scores = placement.score(pod, self.snapshot, self.rules, fit)
            found.scores = {
                plugin: {
                    self.snapshot.names[row]: int(score) * self.rules.priorities[plugin][1]
                    for row, score in zip(fit.tolist(), part.tolist(), strict=True)
                    if score
                }
                for plugin, part in scores.parts.items()
            }
        self.seen[pod.name] = found
        return web.Response(body=orjson.dumps({"NodeNames": names}), content_type="application/json")

    async def preempt(self, request: web.Request) -> web.Response:
        """Compare upstream's victims with ours, and have nobody evicted."""
        body = await request.read()
        pod, *_ = wire.candidates(body)
        fit = placement.fit(pod, self.snapshot, self.rules, np.flatnonzero(self.snapshot.alive))
        promising = [node.name for row, node in self.snapshot.nodes.items() if not fit.why(row)[1]]
        ours = preemption.victims(pod, self.snapshot, self.rules, promising)
        self.victims[pod.name] = (
            orjson.loads(body)["NodeNameToMetaVictims"],
            orjson.loads(wire.preempted(ours))["NodeNameToMetaVictims"],
        )
        return web.Response(body=b'{"NodeNameToMetaVictims": {}}', content_type="application/json")

    def ours(self, pod: pods.Pod) -> Rows:
        """Return the rows that our predicates find."""
        return placement.fit(pod, self.snapshot, self.rules, np.flatnonzero(self.snapshot.alive)).rows

    async def settled(self, namespace: str, name: str) -> Obj:
        """Wait until a pod is placed, and our snapshot knows, or is found not to fit anywhere."""
        while True:
            obj = self._raw.get((namespace, name))
            if obj is not None:
                conditions = obj.get("status", {}).get("conditions") or ()
                refused = any(c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable" for c in conditions)
                placed = self.snapshot.placed(obj["metadata"]["uid"]) is not None
                if refused or (obj["spec"].get("nodeName") and placed):
                    return obj
            await self.changed(0.05)

    def known(self, namespace: str, name: str) -> bool:
        """Whether a pod is there."""
        return self._raw.get((namespace, name)) is not None

    async def changed(self, at_most: float = 0.2) -> None:
        """Wait until anything happens to a pod, or for that many seconds."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._changed.wait()

    async def emptied(self, scheduler: Api) -> None:
        """Wait until neither our snapshot nor kube-scheduler's cache has a pod on any node."""
        while self.snapshot.pods_on.any() or not _EMPTY.search(scheduler.get("/metrics")):
            await self.changed()


@asynccontextmanager
async def oracle(cluster: Cluster) -> AsyncIterator[Oracle]:
    """Restart the cluster's kube-scheduler with its defaults and the recording extender."""
    async with await Client.connect(str(cluster.kubeconfig)) as client:
        found = Oracle(client)
        following = [asyncio.create_task(informer.run()) for informer in found.informers]
        for informer in found.informers:
            await informer.synced.wait()
        application = web.Application(client_max_size=1 << 24)
        application.add_routes([web.post("/filter", found.handle), web.post("/preempt", found.preempt)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _restart(cluster, int(runner.addresses[0][1]))
        try:
            yield found
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            await runner.cleanup()


def _restart(cluster: Cluster, port: int) -> None:
    config = cluster.folder / "recording.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "clientConnection": {"kubeconfig": str(cluster.layout.kubeconfig("kube-scheduler"))},
                "leaderElection": {"leaderElect": False},
                "percentageOfNodesToScore": 100,
                "extenders": [
                    {
                        "urlPrefix": f"http://127.0.0.1:{port}",
                        "filterVerb": "filter",
                        "preemptVerb": "preempt",
                        "nodeCacheCapable": True,
                        "httpTimeout": "120s",  # the test that asks the apiserver meanwhile keeps it waiting
                    }
                ],
            }
        )
    )
    command = arguments.scheduler(cluster.layout, [f"--config={config}", "-v=10"])
    cluster.restart("kube-scheduler", [cluster.program("kube-scheduler"), *command])


def scores(log: Path, namespace: str) -> dict[str, Scores]:
    """Read kube-scheduler's scores by pod from its log."""
    found: dict[str, Scores] = defaultdict(dict)
    with log.open() as lines:
        for line in lines:
            if (match := _SCORE.search(line)) and match["pod"].startswith(f"{namespace}/"):
                by_node = found[match["pod"].partition("/")[2]].setdefault(match["plugin"], {})
                if int(match["score"]):
                    by_node[match["node"]] = int(match["score"])
    return found
