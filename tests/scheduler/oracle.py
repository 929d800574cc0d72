"""The real kube-scheduler as the one that knows: which nodes it finds feasible, and its score of each.

An extender behind its default plugins sees what they left over; its log has each plugin's weighted score. In the same
moment, while kube-scheduler waits for the extender's answer, ours decides on what the watch has told it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
from aiohttp import web

from operators.cluster.cluster import Cluster
from operators.core.objects import PODS, Obj
from operators.runtime.client import Client
from operators.runtime.informer import Informer
from operators.scheduler import feed, placement, preemption, wire
from operators.scheduler import pod as pods
from operators.scheduler.priorities.scale import Rows
from operators.scheduler.profiles import Profiles, read
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.upstream import Scores, Upstream

NO_PROFILES: Final[Mapping[str, Obj]] = MappingProxyType({})


@dataclass(slots=True)
class Seen:
    """What both said about one pod."""

    theirs: set[str]
    ours: set[str]
    profile: str
    scores: Scores = field(default_factory=dict)


class Oracle:
    """Both schedulers on one apiserver."""

    def __init__(self, client: Client, upstream: Upstream, profiles: Profiles) -> None:
        self.client = client
        self.upstream = upstream
        self.profiles = profiles
        self.snapshot = Snapshot()
        self.seen: dict[str, Seen] = {}
        self.victims: dict[str, tuple[Obj, Obj]] = {}
        """By pod, whom upstream and we would evict from each node, and how many budgets that would break."""
        self._raw: Informer[Obj] = Informer(client, PODS, lambda obj: obj, {})
        self.informers: list[Informer[Any]] = [*feed.informers(client, self.snapshot), self._raw]
        self._changed = asyncio.Event()
        for informer in self.informers:  # after the snapshot, which has it by then
            informer.subscribe(lambda *_: self._changed.set())

    async def handle(self, request: web.Request) -> web.Response:
        """Compare what default plugins left over with what our predicates do, and let it pass."""
        body = await request.read()
        pod, names = wire.arguments(body)
        assert names is not None
        fit = self.ours(pod)
        found = Seen(set(names), {self.snapshot.names[row] for row in fit}, pod.profile)
        if found.theirs == found.ours:
            rules = self.profiles.of(pod)
            scores = placement.score(pod, self.snapshot, rules, fit)
            found.scores = {
                plugin: {
                    self.snapshot.names[row]: int(score) * rules.priorities[plugin][1]
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
        rules = self.profiles.of(pod)
        fit = placement.fit(pod, self.snapshot, rules, np.flatnonzero(self.snapshot.alive))
        promising = [node.name for row, node in self.snapshot.nodes.items() if not fit.why(row)[1]]
        ours = preemption.victims(pod, self.snapshot, rules, promising)
        self.victims[pod.name] = (
            orjson.loads(body)["NodeNameToMetaVictims"],
            orjson.loads(wire.preempted(ours))["NodeNameToMetaVictims"],
        )
        return web.Response(body=b'{"NodeNameToMetaVictims": {}}', content_type="application/json")

    def ours(self, pod: pods.Pod) -> Rows:
        """Return the rows that our predicates find."""
        return placement.fit(pod, self.snapshot, self.profiles.of(pod), np.flatnonzero(self.snapshot.alive)).rows

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
            await self.changed()

    def known(self, namespace: str, name: str) -> bool:
        """Whether a pod is there."""
        return self._raw.get((namespace, name)) is not None

    async def changed(self) -> None:
        """Wait until anything has happened that the watches tell."""
        self._changed.clear()
        await self._changed.wait()

    async def left_with(self, nodes: set[str]) -> None:
        """Wait until both know these nodes and no others, and no pod on any or waiting for one."""
        while {node.name for node in self.snapshot.nodes.values()} != nodes or self.snapshot.pods_on.any():
            await self.changed()
        while (known := await self.upstream.known()).nodes != nodes or known.pods or known.waiting:
            pass


@asynccontextmanager
async def oracle(cluster: Cluster, profiles: Mapping[str, Obj] = NO_PROFILES) -> AsyncIterator[Oracle]:
    """Restart the cluster's kube-scheduler with its defaults and the recording extender.

    Of the profiles, which both have beside the default one, a pod chooses one of theirs by the scheduler's name and one
    of ours by its annotation.
    """
    async with await Client.connect(str(cluster.kubeconfig)) as client:
        found = Oracle(client, Upstream(cluster), read({"profiles": profiles}))
        following = [asyncio.create_task(informer.run()) for informer in found.informers]
        for informer in found.informers:
            await informer.synced.wait()
        application = web.Application(client_max_size=1 << 24)
        application.add_routes([web.post("/filter", found.handle), web.post("/preempt", found.preempt)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.upstream.restart(int(runner.addresses[0][1]), profiles)
        try:
            yield found
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            await runner.cleanup()
