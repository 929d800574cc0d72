"""A simulated world: an apiserver, kubelets, other people, and the real runtime with the real rules over it.

Time is virtual. The operator is the one of operators.runtime with the declarations of operators.controllers; only the
process around it (Kopf, the lease) is left out.
"""

import asyncio
from dataclasses import replace
from typing import Any

from operators.controllers import controllers
from operators.core import nodes, objects, pods
from operators.core.objects import PODS, Obj, format_time, key
from operators.core.plan import Outcome
from operators.runtime.controller import Controller, Loop
from operators.runtime.events import Recorder
from operators.runtime.informer import Informers
from operators.runtime.manager import _informer
from operators.runtime.writer import Writer
from tests.properties.connection import Connection, Network
from tests.properties.rules import Rules
from tests.properties.store import Change, Store
from tests.support.virtual import VirtualLoop

NODES = ("node-a", "node-b")
BAD = "app:bad"
"""The image of which no pod ever becomes ready."""
_GRACE = 30.0


class Operator:
    """One process of the operator, from its start to its sudden end."""

    def __init__(self, world: "World") -> None:
        client = Connection(world.store, world.network)
        self.informers = Informers()
        for resource in world.rules.resources:
            self.informers.add(_informer(client, resource))
        self.loops: list[Loop[Any]] = []
        for controller in world.controllers:
            recorder = Recorder(client, controller.name, world.loop.time, world.store.now)
            writer = Writer(client, recorder, lambda: True)
            self.loops.append(Loop(_noting(controller, world.rules), self.informers, writer, world.store.now))
        self._tasks = [world.loop.create_task(informer.run()) for informer in self.informers]
        self._tasks.append(world.loop.create_task(self._start(client)))

    async def _start(self, client: Connection) -> None:
        await self.informers.synced()
        for loop in self.loops:
            loop.listen()
            loop.start()
        await asyncio.gather(*(loop.beside(client, lambda _say: None) for loop in self.loops))

    async def kill(self) -> None:
        """End wherever it is."""
        tasks = [*self._tasks, *(worker for loop in self.loops for worker in loop._workers)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for loop in self.loops:
            loop.queue.close()

    @property
    def is_idle(self) -> bool:
        """Whether no key waits, is worked on or failed."""
        return not any(q._waiting or q._working or q._failures for q in (loop.queue for loop in self.loops))


def _noting(controller: Controller[Any], rules: Rules) -> Controller[Any]:
    """Let the rules know what each plan rests on."""

    def observe(informers: Informers, parent: Obj, now: Any) -> Any:
        rules.plans_from(parent, informers)
        return controller.observe(informers, parent, now)

    return replace(controller, observe=observe)


class World:
    """Everything there is."""

    def __init__(self, rules: Rules) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self.rules = rules
        self.controllers = self._declared()
        self.network = Network()
        self.store = Store(self._written, self.loop.time)
        self.rules.store = self.store
        self.dead: set[str] = set()
        self.operator = Operator(self)

    def _declared(self) -> list[Controller[Any]]:
        return [c for c in controllers(native=False) if c.name in self.rules.controllers]

    def _written(self, change: Change) -> None:
        self.network.pulse()
        self.rules.check(change)

    def close(self) -> None:
        """End it."""
        self.loop.run_until_complete(self.operator.kill())
        self.loop.close()
        asyncio.set_event_loop(None)

    def run(self, seconds: float) -> None:
        """Let time pass. Raises AssertionError where the operator broke a rule meanwhile."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        assert not self.rules.broken, self.rules.broken

    def restart(self) -> None:
        """Kill the operator wherever it is, and start another that remembers nothing."""
        self.loop.run_until_complete(self.operator.kill())
        self.controllers = self._declared()
        self.operator = Operator(self)

    def set_pod(self, pod: Obj, phase: str, *, ready: bool, node: str | None = None) -> None:
        """Report a pod's state, as its kubelet would."""
        now = format_time(self.store.now())
        if node and not pod["spec"].get("nodeName"):
            self.store.patch(PODS, key(pod), {"spec": {"nodeName": node}})
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": now}
        there = pod["status"].get("conditions") or []
        current: Obj = next((one for one in there if one["type"] == "Ready"), {})
        if current.get("status") == condition["status"]:
            condition = current
        others = [one for one in there if one["type"] != "Ready"]
        status: Obj = {"phase": phase, "conditions": [condition, *others]} | self.rules.reported(pod)
        if node or pod["spec"].get("nodeName"):
            status["podIPs"] = [{"ip": f"10.0.0.{int(objects.uid(pod).removeprefix('uid-')) % 250 + 1}"}]
        self.store.patch(PODS, key(pod), {"status": status})

    def kubelets(self) -> None:
        """Start what is to start, and end what is to end."""
        self.rules.others_act()
        for i, pod in enumerate(self.store.all(PODS)):
            if since := pod["metadata"].get("deletionTimestamp"):
                if (self.store.now() - objects.parse_time(since)).total_seconds() >= _GRACE:
                    self.store.remove(PODS, key(pod))
            elif pod["status"]["phase"] in ("Pending", "Running"):
                image = next((container["image"] for container in pod["spec"]["containers"]), "")
                if node := self._node_of(pod, i):
                    self.set_pod(pod, "Running", ready=image != BAD, node=node)

    def _node_of(self, pod: Obj, number: int) -> str:
        """Return the node that runs a pod: any, or where nodes have names its own, if that works."""
        known = {objects.name(node): node for node in self.store.all(nodes.NODES)}
        if not known:
            alive = [node for node in NODES if node not in self.dead]
            return alive[number % len(alive)]
        wanted = pods.parse(pod).target_node
        return wanted if wanted in known and nodes.is_ready(known[wanted]) else ""

    def kill_node(self, node: str) -> None:
        """Lose a node: its pods are unready, and evicted."""
        self.dead = {node}
        for pod in self.store.all(PODS):
            if pod["spec"].get("nodeName") == node:
                self.set_pod(pod, pod["status"]["phase"], ready=False)
                self.store.delete(PODS, key(pod))

    def quiesce(self) -> None:
        """End all trouble, and let time pass until nothing happens any more. Raises where that never comes."""
        self.network.faults.clear()
        self.network.held.clear()
        self.network.pulse()
        calm = 0
        for _ in range(800):
            version = self.store.version
            self.kubelets()
            self.store.collect_garbage()
            self.run(5)
            calm = calm + 1 if version == self.store.version and self.operator.is_idle else 0
            if calm == 10:
                return
        raise AssertionError("it never comes to rest")

    def check_rest(self) -> None:
        """Check that the caches are right, that nothing is left to do, and that all is as it was asked for."""
        informers = self.operator.informers
        for resource in self.rules.resources:
            want = {k: o["metadata"]["resourceVersion"] for k, o in self.store.objects[resource].items()}
            have = {k: _version(informers[resource].get(k)) for k in informers[resource].keys()}  # noqa: SIM118
            assert have == want, f"the cache of {resource} is wrong"
        for controller in self.controllers:
            for parent in self.store.all(controller.resource):
                observed = controller.observe(informers, parent, self.store.now())
                assert not list(controller.plan(observed).steps), f"{objects.name(parent)}: something is left to do"
                assert controller.report(observed, Outcome()) is None, f"{objects.name(parent)}: the status is wrong"
        self.rules.check_rest()
        self.rules.settle()


def _version(held: Any) -> str:
    return str(held.resource_version if isinstance(held, pods.Pod) else held["metadata"]["resourceVersion"])
