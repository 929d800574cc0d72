"""No node is ever given more than it has: 5,000 pods on nearly full nodes, while what the watch says comes late.

kube-scheduler, which by default shows a part of the nodes and binds, and a binding whose outcome is lost, are played.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from operators.core.objects import Obj
from operators.scheduler import node as nodes
from operators.scheduler import pod as pods
from operators.scheduler.assumed import ASSUMED_FOR
from operators.scheduler.extender import Extender
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import node, pod_object

NODES, PODS = 300, 5_000
PART = 250
ROOM = {"cpu": 4000, "memory": 8 << 30}


@dataclass(slots=True)
class World:
    """What is true, and what the extender has been told of it so far."""

    rng: random.Random
    snapshot: Snapshot = field(default_factory=Snapshot)
    bound: dict[str, Obj] = field(default_factory=dict)
    events: list[tuple[str, Obj]] = field(default_factory=list)
    """What the watch has yet to say, in its order."""
    now: float = 0.0

    def used(self) -> dict[str, list[int]]:
        """Return the CPU, the memory and the number of the pods that are bound to each node."""
        found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for obj in self.bound.values():
            pod = pods.parse(obj)
            for at, amount in enumerate((pod.requests["cpu"], pod.requests["memory"], 1)):
                found[pod.node][at] += amount
        return found

    def bind(self, obj: Obj, name: str) -> None:
        """Bind a pod: true at once, and told later."""
        placed = {**obj, "spec": {**obj["spec"], "nodeName": name}}
        self.bound[obj["metadata"]["uid"]] = placed
        self.events.append(("put", placed))

    def delete(self) -> None:
        """Delete a pod: its room is free at once, which is told later too."""
        uid = self.rng.choice(list(self.bound))
        self.events.append(("remove", self.bound.pop(uid)))

    def tell(self, most: int) -> None:
        """Let the watch say some of what it has to."""
        for _ in range(min(most, len(self.events))):
            what, obj = self.events.pop(0)
            pod = pods.parse(obj)
            if what == "put":
                self.snapshot.put_pod(pod)
            else:
                self.snapshot.remove_pod(pod.uid)


@dataclass(slots=True)
class Shown:
    """What kube-scheduler shows of the nodes: so many, and of the next pod the ones after them."""

    size: int
    start: int = 0
    refused: int = 0
    elsewhere: int = 0
    """How often a pod fitted on others only, which is an error: it is tried again with the next ones."""

    def ask(self, extender: Extender, obj: Obj) -> str:
        """Return where a pod goes, empty where nowhere."""
        while True:
            names = [f"n{number % NODES}" for number in range(self.start, self.start + self.size)]
            self.start += self.size
            answer = extender.filter(pods.parse(obj), names)
            if not answer.error:
                self.refused += not answer.nodes
                return answer.nodes[0] if answer.nodes else ""
            self.elsewhere += 1


def _pod(rng: random.Random, number: int) -> Obj:
    cpu, memory = rng.choice(("100m", "300m", "700m")), rng.choice(("128Mi", "512Mi", "1Gi"))
    return pod_object(f"p{number}", cpu=cpu, memory=memory)


@pytest.mark.parametrize(
    ("seed", "in_part"),
    [pytest.param(0, True, id="a part of the nodes"), pytest.param(1, False, id="all nodes, and the extender binds")],
)
def test_no_node_is_overcommitted(seed: int, *, in_part: bool) -> None:
    """Whatever binds, fails, is lost, is deleted or is told late: what is bound to a node never exceeds what it has."""
    rng = random.Random(seed)  # noqa: S311 - repeats what a seed draws
    world = World(rng)
    for number in range(NODES):
        world.snapshot.put_node(nodes.parse(node(f"n{number}", room="12")))
    extender = Extender(world.snapshot, lambda _: rules(), lambda: world.now, in_part=in_part)
    shown = Shown(PART if in_part else NODES)
    for number in range(PODS):
        _place(world, extender, shown, _pod(rng, number), binds=not in_part)
        world.now += 0.02
        if number % 3 == 0 and rng.random() < 0.4:
            world.delete()
        if rng.random() < 0.2:
            world.tell(rng.randrange(30))
        if number % 250 == 0:
            _check(world)
    _check(world)
    assert shown.refused > 100, "the nodes were not nearly full"
    assert bool(shown.elsewhere) == in_part
    assert world.snapshot.expired > 0
    world.tell(len(world.events))
    world.now += ASSUMED_FOR
    world.snapshot.expire(world.now)
    assert world.snapshot.assumed_count == 0
    assert world.snapshot.pods_on.sum() == len(world.bound)


def _place(world: World, extender: Extender, shown: Shown, obj: Obj, *, binds: bool) -> None:
    """Ask where a pod goes, and bind it there, unless that goes wrong."""
    while name := shown.ask(extender, obj):
        fate = world.rng.random()
        if fate > 0.04:
            return world.bind(obj, name)
        if fate > 0.03:  # kube-scheduler has died: nobody says anything about the pod any more
            return None
        if binds:  # it is refused, and the extender is told, as it asked for it
            return extender.unassume(obj["metadata"]["uid"])
        # It is refused, and kube-scheduler, which asked for it, asks about the pod anew.
    return None


def _check(world: World) -> None:
    over = {
        name: used
        for name, used in world.used().items()
        if used[0] > ROOM["cpu"] or used[1] > ROOM["memory"] or used[2] > 12
    }
    assert over == {}
