"""Groups whose pods are asked about, bound, deleted and forgotten at random: a group is placed whole or not at all.

The extender is tried here, between a kube-scheduler that asks about pods in any order, on some of the nodes or all, and
binds side by side, a watch that tells late, bindings that fail, and other extenders that take its place.
"""

from dataclasses import dataclass
from random import Random

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from operators.core.objects import Obj
from operators.scheduler import node as nodes
from operators.scheduler import pod as pods
from operators.scheduler.assumed import ASSUMED_FOR
from operators.scheduler.extender import Extender
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot
from tests.properties.conftest import PROFILE
from tests.scheduler.building import member, node, pod_object

TIMEOUT = 30


@dataclass(slots=True)
class One:
    """A pod as it really is, and where kube-scheduler is with it."""

    obj: Obj
    group: str = ""
    node: str = ""
    binds_on: str = ""
    """Where it is about to be bound."""
    asked: bool = False
    """Whether this extender was asked about it."""


@dataclass(slots=True)
class Whole:
    """A group: how many of its pods it takes, and whether something happened after which it may be a part."""

    minimum: int
    excused: bool = False
    decided: float | None = None
    """When the first of its pods was let through."""


class Gangs(RuleBasedStateMachine):
    """A few small nodes, for which groups and single pods compete. Each pod takes one CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.machines: dict[str, int] = {}
        self.pods: dict[str, One] = {}
        self.groups: dict[str, Whole] = {}
        self.untold: list[tuple[str, Obj]] = []
        self.made = 0
        self.ghosts: dict[str, str] = {}
        """The groups of pods that were asked about and are gone, of which the extender has not been told."""
        self.told = self.now
        """When the extender had last been told of everything."""
        self._start()

    def _start(self) -> None:
        self.snapshot = Snapshot()
        self.extender = Extender(self.snapshot, lambda _: rules(), lambda: self.now)

    @initialize(sizes=st.lists(st.integers(1, 6), min_size=2, max_size=4))
    def begin(self, sizes: list[int]) -> None:
        """Have the first nodes."""
        for size in sizes:
            self.add_a_node(size)

    @rule(size=st.integers(1, 4))
    def add_a_node(self, size: int) -> None:
        """Have one more node, which is told of at once."""
        if len(self.machines) < 6:
            name = f"n{len(self.machines)}"
            self.machines[name] = size
            self.snapshot.put_node(nodes.parse(node(name, cpu=str(size))))

    @rule(minimum=st.integers(2, 6), more=st.integers(-1, 2), told=st.booleans())
    def make_a_group(self, minimum: int, more: int, *, told: bool) -> None:
        """Have a group of about as many pods as it takes."""
        if len(self.groups) < 4:
            name = f"g{len(self.groups)}"
            self.groups[name] = Whole(minimum)
            for _ in range(minimum + more):
                self._make(name)
            if told:
                self.tell(len(self.untold))

    @rule(data=st.data())
    def make_another_of_a_group(self, data: st.DataObject) -> None:
        """Have one pod more."""
        if self.groups and len(self.pods) < 40:
            self._make(data.draw(st.sampled_from(sorted(self.groups))))

    @rule()
    def make_a_single_pod(self) -> None:
        """Have a pod that is in no group."""
        if len(self.pods) < 40:
            self._make("")

    def _make(self, group: str) -> None:
        name = f"p{self.made}"
        self.made += 1
        if group:
            obj = member(name, group, self.groups[group].minimum, timeout=TIMEOUT, cpu="1")
        else:
            obj = pod_object(name, cpu="1")
        self.pods[name] = One(obj, group)
        self.untold.append(("put", obj))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete a pod, but none of a group that is bound: those that are left would be too few by rights."""
        found = [name for name, one in self.pods.items() if not (one.group and one.node)]
        if found:
            name = data.draw(st.sampled_from(found))
            self._excuse(self.pods[name].group)
            one = self.pods.pop(name)
            self.untold.append(("remove", one.obj))
            if one.asked and one.group:
                self.ghosts[one.obj["metadata"]["uid"]] = one.group

    @rule(most=st.sampled_from([1, 3, 100]))
    def tell(self, most: int) -> None:
        """Let the watch say some of what has happened."""
        for what, obj in self.untold[:most]:
            if what == "put":
                self.snapshot.put_pod(pods.parse(obj))
            else:
                self.snapshot.remove_pod(obj["metadata"]["uid"])
                self.ghosts.pop(obj["metadata"]["uid"], None)
        del self.untold[:most]
        if not self.untold:
            self.told = self.now

    @rule(
        order=st.randoms(use_true_random=False),
        most=st.sampled_from([1, 4, 40]),
        fails=st.booleans(),
        in_part=st.booleans(),
    )
    def go_on(self, order: Random, most: int, *, fails: bool, in_part: bool) -> None:
        """Have some pods go on, in any order: they are asked about, or bound, which may be refused."""
        names = [name for name, one in self.pods.items() if not one.node]
        order.shuffle(names)
        for name in names[:most]:
            if not self.pods[name].binds_on:
                shown = sorted(self.machines)
                self._ask(name, order.sample(shown, order.randint(1, len(shown))) if in_part else shown)
            if self.pods[name].binds_on and order.random() < 0.7:
                self._bind(name, fails=fails and order.random() < 0.3)

    @rule(order=st.randoms(use_true_random=False))
    def all_go_on(self, order: Random) -> None:
        """Have all pods go on, of which the extender has been told."""
        self.tell(len(self.untold))
        self.go_on(order, 40, fails=False, in_part=False)

    def _ask(self, name: str, shown: list[str]) -> None:
        one = self.pods[name]
        one.asked = True
        answer = self.extender.filter(pods.parse(one.obj), shown)
        if not answer.nodes:
            return
        [one.binds_on] = answer.nodes
        assert one.binds_on in shown
        if one.group:
            group = self.groups[one.group]
            come = sum(other.asked or other.node != "" for other in self.pods.values() if other.group == one.group)
            believed = come + sum(gone == one.group for gone in self.ghosts.values())
            assert believed >= group.minimum or group.excused, "let through before so many had come"
            group.excused |= believed > come  # room may be held for one that is gone, and another left out for it
            if group.decided is None:
                group.decided = self.now

    def _bind(self, name: str, *, fails: bool = False) -> None:
        """Have kube-scheduler bind a pod. That it cannot, it says to nobody, and asks again; or the extender binds."""
        one = self.pods[name]
        if not fails:
            one.node = one.binds_on
            one.obj = one.obj | {"spec": one.obj["spec"] | {"nodeName": one.node}}
            self.untold.append(("put", one.obj))
        elif len(self.pods) % 2:
            self.extender.unassume(f"uid-{name}")
        one.binds_on = ""

    @rule(seconds=st.sampled_from([1, 2, 10, 40]))
    def wait(self, seconds: int) -> None:
        """Let time pass. A binding that is under way has ended before, and the watch is late by a minute at most."""
        for name in [name for name, one in self.pods.items() if one.binds_on]:
            self._bind(name)
        if self.now + seconds >= self.told + ASSUMED_FOR:
            self.tell(len(self.untold))
        self.now += seconds
        for name, group in self.groups.items():
            if group.decided is not None and self.now >= group.decided + TIMEOUT:
                self._excuse(name)

    @rule()
    def start_another_extender(self) -> None:
        """Have it forget whatever it did not bind. Others may take the room then of a group that is half bound."""
        for name in self.groups:
            self._excuse(name)
        for one in self.pods.values():
            one.binds_on, one.asked = "", False
        self._start()
        for name, size in self.machines.items():
            self.snapshot.put_node(nodes.parse(node(name, cpu=str(size))))
        for one in self.pods.values():
            self.snapshot.put_pod(pods.parse(one.obj))
        self.untold.clear()
        self.ghosts.clear()

    def _excuse(self, group: str) -> None:
        """From now on a group may be a part, if it was decided about and is not whole yet."""
        if group and self.groups[group].decided is not None:
            self.groups[group].excused |= self._bound(group) < self.groups[group].minimum

    def _bound(self, group: str) -> int:
        return sum(one.group == group and one.node != "" for one in self.pods.values())

    @invariant()
    def no_node_has_more_than_fit(self) -> None:
        """Whatever happens."""
        for name, size in self.machines.items():
            assert sum(one.node == name for one in self.pods.values()) <= size

    def teardown(self) -> None:
        """Let everything come to rest: a group is whole or nowhere, and where there is room for it, it is whole."""
        for _ in range(8):
            self.tell(len(self.untold))
            self.now += TIMEOUT / 2
            for name, one in self.pods.items():
                if not one.node:
                    if not one.binds_on:
                        self._ask(name, sorted(self.machines))
                    if one.binds_on:
                        self._bind(name)
        free = sum(self.machines.values()) - sum(one.node != "" for one in self.pods.values())
        for name, group in self.groups.items():
            bound = self._bound(name)
            needed, there = group.minimum - bound, sum(one.group == name for one in self.pods.values()) - bound
            assert bound == 0 or needed <= 0 or group.excused, "placed in part"
            assert needed <= 0 or there < needed or free < needed, "there is room for it"
        for one in self.pods.values():
            assert one.node or one.group or not free, "there is room for a single pod"


def test_a_group_is_placed_whole_or_not_at_all() -> None:
    """Nor is a node ever given more than it has, nor a group forgotten for which there is room."""
    profile = settings.get_profile(PROFILE)
    run_state_machine_as_test(Gangs, settings=settings(profile, max_examples=profile.max_examples // 2))
