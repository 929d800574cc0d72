"""The pods of a group are placed together or not at all: what the extender says to each, and when each is bound."""

from collections.abc import Callable
from typing import Any

import pytest

from operators.core.objects import Obj
from operators.scheduler import feed
from operators.scheduler import node as nodes
from operators.scheduler import pod as pods
from operators.scheduler.extender import NO_GANGS, Answer, Extender
from operators.scheduler.gangs import GRACE, Wait
from operators.scheduler.group import EARLY_FOR
from operators.scheduler.pod import Pod
from operators.scheduler.rules import Rules, rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import HOSTNAME, member, node, pod_object, snapshot

FEW = "node(s) wait for group g: fewer than its 5 pods are there to be placed"
FULL = "node(s) have no room for group g: fewer than its 5 pods fit at once"
LATE = "node(s) wait for group g: not all of its 5 pods came in time"


class World:
    """An extender, what it was told, and what was bound."""

    def __init__(self, *objects: Obj, in_part: bool = False) -> None:
        self.nodes = snapshot(*objects)
        self.in_part = in_part
        self.now = 1000.0
        self.objects: dict[str, Obj] = {}
        self.waits: dict[str, Wait] = {}
        self.failing: set[str] = set()
        """Pods for which a rule raises."""
        self._machines = objects
        self.extender = self._extender(self.nodes)

    def _extender(self, found: Snapshot) -> Extender:
        return Extender(found, self._rules, lambda: self.now, in_part=self.in_part)

    def _rules(self, pod: Pod) -> Rules:
        if pod.name in self.failing:
            raise RuntimeError("a rule of one's own")
        return rules()

    def restart(self) -> None:
        """Have another extender in the place of this one, which knows what the watch says and nothing else."""
        self.nodes = snapshot(*self._machines)
        self.extender = self._extender(self.nodes)
        for obj in self.objects.values():
            self.nodes.put_pod(pods.parse(obj))

    def tell(self, *objects: Obj) -> None:
        """Have the watch tell of pods."""
        for obj in objects:
            self.objects[obj["metadata"]["name"]] = obj
            self.nodes.put_pod(pods.parse(obj))

    def group(self, name: str = "g", size: int = 5, minimum: int = 5, **more: Any) -> list[str]:
        """Have the watch tell of a group of pods that each take a CPU; return their names."""
        names = [f"{name}{number}" for number in range(size)]
        self.tell(*(member(one, name, minimum, **({"cpu": "1"} | more)) for one in names))
        return names

    def ask(self, name: str, names: list[str] | None = None) -> Answer:
        """Ask where a pod goes."""
        return self.extender.filter(pods.parse(self.objects[name]), names)

    def where(self, name: str) -> str:
        """Return the node that a pod is let through to, or why to none."""
        answer = self.ask(name)
        return answer.nodes[0] if answer.nodes else self._reason(answer)

    @staticmethod
    def _reason(answer: Answer) -> str:
        assert not answer.failed, "no pod is to be evicted for one of a group"
        [reason] = set(answer.unresolvable.values())
        return reason

    def binds(self, name: str, machine: str = "") -> bool:
        """Have a pod come to be bound where it was let through to, or elsewhere; whether it need not wait."""
        placed = self.nodes.placed(f"uid-{name}")
        wait = self.extender.gangs.arrive(f"uid-{name}", machine or (self.nodes.names[placed.row] if placed else "?"))
        if wait is not None:
            self.waits[name] = wait
        return wait is None

    def why_not(self, name: str) -> str | None:
        """Return what a pod is told that has waited to be bound."""
        return self.extender.gangs.why_not(f"uid-{name}", self.waits[name])

    def bind(self, name: str) -> None:
        """Have a pod bound, and the watch tell of it."""
        assert self.binds(name)
        placed = self.nodes.placed(f"uid-{name}")
        assert placed is not None
        self.extender.bound(f"uid-{name}")
        self.put(name, self.nodes.names[placed.row])

    def put(self, name: str, machine: str) -> None:
        """Have the watch tell that a pod is on a node."""
        obj = self.objects[name]
        self.tell(obj | {"spec": obj["spec"] | {"nodeName": machine}})

    def remove(self, name: str) -> None:
        """Have the watch tell that a pod is gone."""
        del self.objects[name]
        self.nodes.remove_pod(f"uid-{name}")

    @property
    def room(self) -> int:
        """How many CPUs are free."""
        found = self.nodes
        return int((found.allocatable["cpu"] - found.requested["cpu"])[found.alive].sum()) // 1000


def test_pods_that_are_too_few_wait() -> None:
    """Nothing is held for four of five."""
    world = World(node("n", cpu="8"))
    world.group(size=4)
    assert {world.where(f"g{number}") for number in range(4)} == {FEW}
    assert world.room == 8


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"schedulingGates": [{"name": "quota"}]}, id="gated"),
        pytest.param({"schedulerName": "another"}, id="of another scheduler"),
        pytest.param({"deleting": True}, id="being deleted"),
    ],
)
def test_pods_that_cannot_come_do_not_count(others: Any) -> None:
    """Room for them would be held in vain."""
    world = World(node("n", cpu="8"))
    world.group(size=4)
    world.tell(member("g4", cpu="1", **others))
    assert world.where("g0") == FEW


def test_pods_that_were_asked_about_are_known_before_the_watch_tells_of_them() -> None:
    """The last of them is not asked about again: it has to find the others. One that never comes to be is forgotten."""
    world = World(node("n", cpu="8"))
    built = [member(f"g{number}", cpu="1") for number in range(5)]
    for obj in built[:4]:
        assert world.extender.filter(pods.parse(obj), None).nodes == []
    world.now += EARLY_FOR
    assert world.extender.filter(pods.parse(built[4]), None).nodes == []
    for obj in built[:3]:
        assert world.extender.filter(pods.parse(obj), None).nodes == []
    assert world.extender.filter(pods.parse(built[3]), None).nodes == ["n"]


def test_the_whole_group_is_placed_with_its_first_pod() -> None:
    """What is held for the others nobody else gets, and each of them is let through to it."""
    world = World(node("a", cpu="4"), node("b", cpu="2"))
    names = world.group()
    world.tell(pod_object("other", cpu="2"))
    assert world.where("g3") in ("a", "b")
    assert world.room == 1
    assert world.ask("other").nodes == []
    assert sorted(world.where(name) for name in names) == ["a", "a", "a", "a", "b"]
    assert world.room == 1


def test_room_for_a_part_is_none() -> None:
    """Nothing is held, and every pod is told the same."""
    world = World(node("a", cpu="2"), node("b", cpu="2"))
    names = world.group()
    assert {world.where(name) for name in names} == {FULL}
    assert world.room == 4
    world.nodes.put_node(nodes.parse(node("c", cpu="1")))
    assert world.where("g4") in ("a", "b", "c")
    assert world.room == 0


COMING = pod_object("high", cpu="1", priority=10)
NEAR_PROD = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "topologyKey": HOSTNAME,
                "labelSelector": {},
                "namespaceSelector": {"matchLabels": {"stage": "prod"}},
            }
        ]
    }
}


def has_labels(world: World, labels: dict[str, str]) -> None:
    """Have the watch tell of the labels of the namespace that all pods are in."""
    feed.fill(world.nodes, feed.NAMESPACES, [{"metadata": {"name": "default", "labels": labels}}])


def stands_for_devices(world: World) -> None:
    """Have the watch tell that a resource that no node has stands for devices."""
    of_class = {"metadata": {"name": "gpus"}, "spec": {"extendedResourceName": "example.com/gpu"}}
    feed.fill(world.nodes, feed.CLASSES, [of_class])


@pytest.mark.parametrize(
    ("asks", "ends"),
    [
        pytest.param({"cpu": "2"}, lambda world: world.remove("high"), id="who was to come is gone"),
        pytest.param({"cpu": "2"}, lambda world: world.tell(COMING), id="who was to come is not any more"),
        pytest.param({"gpu": "1"}, stands_for_devices, id="what no node has stands for devices"),
        pytest.param(
            {"affinity": NEAR_PROD}, lambda world: has_labels(world, {"stage": "prod"}), id="a namespace has a label"
        ),
    ],
)
def test_a_group_is_tried_again_when_something_is_new(asks: Any, ends: Callable[[World], None]) -> None:
    """That there was no room for it is believed only as long as nothing has changed."""
    world = World(node("n", cpu="4"))
    world.tell(COMING | {"status": {"nominatedNodeName": "n"}})
    world.group(size=2, minimum=2, **({"cpu": "100m"} | asks))
    assert world.where("g0") == FULL.replace("5", "2")
    ends(world)
    assert world.where("g0") == "n"


def test_no_pod_is_bound_before_so_many_as_are_needed_have_come() -> None:
    """The last of them opens the way for all."""
    world = World(node("n", cpu="8"))
    names = world.group(size=6)
    for name in names[:4]:
        world.ask(name)
        assert not world.binds(name)
        assert world.why_not(name) != ""
    world.ask("g4")
    assert world.binds("g4")
    assert [world.why_not(name) for name in names[:4]] == [""] * 4
    assert world.binds("g5"), "one more than the minimum"


def test_of_two_groups_one_is_whole() -> None:
    """However their pods take turns, neither holds what the other lacks."""
    world = World(node("n", cpu="7"))
    first, second = world.group("g"), world.group("h")
    said = [(world.where(one), world.where(other)) for one, other in zip(first, second, strict=True)]
    assert said == [("n", FULL.replace("group g", "group h"))] * 5


def test_room_is_given_back_after_the_time_limit() -> None:
    """The pods that came are told so; they do not try again before one comes that did not."""
    world = World(node("n", cpu="5"))
    world.group(timeout=30)
    world.tell(pod_object("other", cpu="1"))
    for name in ("g0", "g1"):
        world.ask(name)
        assert not world.binds(name)
    world.now += 29
    assert world.ask("other").nodes == []
    world.now += 1
    assert world.why_not("g0") == (
        "group g: 2 of 5 pods are placed or have come to be bound, the others did not within 30 s, "
        "and the room for them was given back"
    )
    assert world.why_not("g1") == "the room for its group was given back"
    assert world.room == 5
    assert world.where("g0") == LATE
    assert world.where("g2") == "n"
    assert world.where("g0") == "n"


def test_after_as_long_again_any_pod_may_try() -> None:
    """A pod may have come, and have failed on its way since."""
    world = World(node("n", cpu="5"))
    world.group(timeout=30)
    world.ask("g0")
    world.now += 30 + GRACE
    assert world.where("g0") == LATE
    world.now += 30
    assert world.where("g0") == "n"


def test_room_of_a_group_that_is_not_heard_of_is_given_back() -> None:
    """No pod of it has to say so: its kube-scheduler may be another by now."""
    world = World(node("n", cpu="5"))
    world.group()
    world.tell(pod_object("other", cpu="1"))
    world.ask("g0")
    world.now += 60 + GRACE
    assert world.ask("other").nodes == ["n"]


def test_a_binding_that_comes_too_late_is_refused() -> None:
    """Its room may be another's by now."""
    world = World(node("n", cpu="5"))
    world.group()
    world.ask("g0")
    world.now += 60 + GRACE
    world.extender.gangs.expire()
    assert not world.binds("g0")
    assert world.why_not("g0") == "the room for its group was given back"


def test_what_is_bound_counts_after_a_restart() -> None:
    """The others are placed as soon as they fit, together if they are several."""
    world = World(node("n", cpu="5"))
    names = world.group()
    for name in names:
        world.ask(name)
        world.binds(name)
    world.bind("g0")
    world.bind("g1")
    world.restart()
    assert world.room == 3
    assert not world.binds("g2"), "this extender never placed it"
    for name in ("g2", "g3"):
        assert world.where(name) == "n"
        assert not world.binds(name)
    assert world.where("g4") == "n"
    assert [world.binds(name) for name in ("g4", "g3", "g2")] == [True] * 3


def begun(bound: int, *, minimum: int = 5) -> World:
    """Return a world in which an extender died when it had bound so many of a group, for which there is just room."""
    world = World(node("n", cpu="5"))
    for name in world.group(minimum=minimum):
        world.ask(name)
        world.binds(name)
    for number in range(bound):
        world.bind(f"g{number}")
    world.restart()
    return world


@pytest.mark.parametrize("bound", [1, 3, 4])
def test_what_was_begun_comes_first_after_a_restart(bound: int) -> None:
    """A pod that is asked about before the group's does not get the room that the dead extender had held for it."""
    world = begun(bound)
    world.tell(pod_object("other", cpu="1"))
    assert "Insufficient cpu" in world.ask("other").failed["n"]
    left = [f"g{number}" for number in range(bound, 5)]
    assert [world.where(name) for name in left] == ["n"] * len(left)
    assert [world.binds(name) for name in left][-1]


def test_what_another_one_began_comes_first() -> None:
    """An extender that led before, and leads again, does not give away what the one between held room for."""
    world = World(node("n", cpu="6"))
    world.tell(pod_object("before", cpu="1"), pod_object("other", cpu="1"))
    assert world.where("before") == "n"
    world.put("before", "n")
    world.group()
    for name in ("g0", "g1", "g2"):
        world.put(name, "n")
    assert "Insufficient cpu" in world.ask("other").failed["n"]
    assert [world.where(name) for name in ("g3", "g4")] == ["n", "n"]


def test_what_was_begun_and_does_not_come_gives_its_room_back() -> None:
    """After the time limit, as ever."""
    world = begun(3)
    world.tell(pod_object("other", cpu="1"))
    assert not world.ask("other").nodes
    world.now += 60 + GRACE
    assert world.where("other") == "n"


@pytest.mark.parametrize(
    ("world", "other"),
    [
        pytest.param(begun(3), {"priority": 7}, id="which matters less than the pod that is asked about"),
        pytest.param(begun(0), {}, id="of which nothing is bound"),
        pytest.param(begun(3, minimum=3), {}, id="which has its minimum"),
        pytest.param(begun(3), {"schedulerName": "another"}, id="of another scheduler"),
    ],
)
def test_a_group_that_does_not_come_first(world: World, other: Any) -> None:
    """It is placed when it is asked about."""
    world.tell(pod_object("other", cpu="1", **other))
    assert world.where("other") == "n"


def test_a_pod_in_place_of_another_is_placed_like_any() -> None:
    """Its group is whole with it. What keeps it off a node is said, and it may preempt."""
    world = World(node("n", cpu="5"))
    world.group(size=4)
    for number in range(4):
        world.put(f"g{number}", "n")
    world.tell(member("g4", cpu="2", priority=10))
    answer = world.ask("g4")
    assert answer.failed == {"n": "Insufficient cpu"}
    assert world.extender.preempt(pods.parse(world.objects["g4"]), ["n"]) != {}


def test_nobody_is_evicted_for_a_group() -> None:
    """The room for one of its pods would help none of them."""
    world = World(node("n", cpu="5"))
    world.tell(pod_object("other", node="n", cpu="3"))
    world.group(priority=10)
    assert world.where("g0") == FULL
    assert world.extender.preempt(pods.parse(world.objects["g0"]), ["n"]) == {}


def test_where_a_rule_fails_nothing_stays_held() -> None:
    """Room that nobody would give back, and pods that would count as placed."""
    world = World(node("n", cpu="5"))
    world.group()
    world.failing = {"g4"}
    with pytest.raises(RuntimeError):
        world.ask("g0")
    assert world.room == 5
    world.failing = set()
    assert not world.binds("g0")
    assert world.where("g0") == "n"


def test_nobody_is_evicted_who_is_nowhere_yet() -> None:
    """kube-scheduler knows nothing of pods for which room is only held, and refuses an answer that names them."""
    world = World(node("n", cpu="6"))
    world.group()
    assert world.where("g0") == "n"
    world.tell(pod_object("there", node="n", cpu="1"), pod_object("urgent", cpu="1", priority=10))
    preempted = world.extender.preempt(pods.parse(world.objects["urgent"]), ["n"])
    assert {uid for victims in preempted.values() for uid in victims.uids} == {"uid-there"}
    world.tell(pod_object("large", cpu="5", priority=10))
    assert world.extender.preempt(pods.parse(world.objects["large"]), ["n"]) == {}


def test_the_room_of_a_deleted_pod_is_free() -> None:
    """The one in its place gets room of its own, and the group goes on."""
    world = World(node("n", cpu="5"))
    names = world.group()
    for name in names[:4]:
        world.ask(name)
        world.binds(name)
    world.remove("g1")
    assert world.room == 1
    world.tell(member("g9", cpu="1"))
    assert world.where("g4") == "n"
    assert not world.binds("g4")
    assert world.where("g9") == "n"
    assert world.binds("g9")


def test_a_group_whose_pods_are_all_gone_holds_nothing() -> None:
    """Nor does it keep a new one of its name waiting."""
    world = World(node("n", cpu="5"))
    for name in world.group():
        world.ask(name)
        world.remove(name)
    assert world.room == 5
    world.group()
    assert world.where("g0") == "n"


def test_a_node_that_is_lost_to_one_pod_is_exchanged() -> None:
    """What was held there is given back."""
    world = World(node("a", cpu="4"), node("b", cpu="1"))
    names = world.group()
    world.ask("g0")
    world.nodes.put_node(nodes.parse(node("b", cpu="1", unschedulable=True)))
    world.nodes.put_node(nodes.parse(node("c", cpu="1")))
    assert sorted(world.where(name) for name in names) == ["a", "a", "a", "a", "c"]
    assert all(world.nodes.pods_of(world.nodes.rows["b"]) == [] for _ in names)


def test_a_group_that_cannot_be_whole_any_more_is_given_up() -> None:
    """One of its pods has lost its node, and there is no other: nobody holds anything then."""
    world = World(node("a", cpu="4"), node("b", cpu="1"))
    names = world.group()
    places = {name: world.where(name) for name in names}
    [lost] = [name for name, place in places.items() if place == "b"]
    world.nodes.put_node(nodes.parse(node("b", cpu="1", unschedulable=True)))
    assert world.where(lost) == "node(s) have no room for one more pod of group g"
    assert world.room == 5


def test_nodes_that_kube_scheduler_does_not_offer_are_remembered() -> None:
    """Its own plugins may refuse a node, as for a volume: the plan that leaves the node out is the next."""
    world = World(node("a", cpu="1"), node("b", cpu="4"))
    names = world.group(size=2, minimum=2)
    world.ask("g0")
    for name in names:
        assert world.ask(name, ["b"]).nodes == ["b"]
    assert world.nodes.pods_of(world.nodes.rows["a"]) == []


@pytest.mark.parametrize(
    ("minimum", "timeout", "want"),
    [
        pytest.param("many", None, "label kopfwerk.dev/pod-group-min-count", id="no number"),
        pytest.param(0, None, "label kopfwerk.dev/pod-group-min-count", id="none"),
        pytest.param("-1", None, "label kopfwerk.dev/pod-group-min-count", id="less than none"),
        pytest.param(5, "soon", "annotation kopfwerk.dev/pod-group-timeout-seconds", id="no time"),
    ],
)
def test_what_makes_no_sense_is_said(minimum: str, timeout: str | None, want: str) -> None:
    """Such a pod is placed nowhere."""
    world = World(node("n", cpu="8"))
    world.tell(member("g0", minimum=minimum, timeout=timeout))
    assert world.where("g0") == f"node(s) have no part in this: {want} has to be a whole number from 1 on"


@pytest.mark.parametrize(
    ("changed", "want"),
    [
        pytest.param(member("g0", "h", 2, cpu="1"), FEW.replace("group g", "group h").replace("5", "2"), id="another"),
        pytest.param(pod_object("g0", cpu="1"), "n", id="none"),
    ],
)
def test_a_pod_may_be_given_another_group(changed: Obj, want: str) -> None:
    """What was held for it goes with the group that it was in, and it waits for that no more."""
    world = World(node("n", cpu="5"))
    world.group(size=2, minimum=2)
    assert world.where("g0") == "n"
    world.tell(changed)
    assert world.where("g0") == want
    assert world.room == (4 if want != "n" else 3)
    assert want != "n" or world.binds("g0")


def test_the_minimum_may_be_lowered_while_pods_wait() -> None:
    """The largest that a waiting pod says counts: each is told in its turn."""
    world = World(node("n", cpu="3"))
    names = world.group()
    assert world.where("g0") == FULL
    for name in names[3:]:
        world.remove(name)
    world.group(size=2, minimum=3)
    assert world.where("g0") == FEW
    world.group(size=3, minimum=3)
    assert world.where("g0") == "n"


def test_a_pod_that_could_not_be_bound_keeps_its_room() -> None:
    """The others of its group are bound: it is tried again, and its room is there."""
    world = World(node("n", cpu="5"))
    world.tell(pod_object("other", cpu="1"))
    names = world.group()
    for name in names:
        world.ask(name)
        world.binds(name)
    world.extender.unassume("uid-g0")
    assert world.ask("other").nodes == []
    for name in names[1:]:
        world.bind(name)
    assert world.where("g0") == "n"
    world.bind("g0")
    assert world.extender.gangs.held == 0


def test_a_binding_that_only_the_watch_has_told_of_counts() -> None:
    """The apiserver's answer may have been lost."""
    world = World(node("n", cpu="5"))
    names = world.group()
    for name in names:
        world.ask(name)
    world.put("g0", "n")
    for name in names[1:4]:
        assert not world.binds(name)
    assert world.binds("g4")


def test_a_pod_is_bound_nowhere_but_in_its_place() -> None:
    """An answer of long ago may have had another in it, which is somebody else's by now."""
    world = World(node("a", cpu="1"), node("b", cpu="1"))
    names = world.group(size=2, minimum=2)
    places = {name: world.where(name) for name in names}
    assert not world.binds("g0")
    assert not world.binds("g1", machine=places["g0"])
    assert world.why_not("g1") == "the room for its group was given back"
    assert world.binds("g1")


@pytest.mark.parametrize("in_part", [False, True])
def test_a_place_that_kube_scheduler_does_not_offer_stays_held(*, in_part: bool) -> None:
    """It has perhaps not looked there, or does not know yet where others go, which a spread constraint asks for."""
    world = World(node("a", cpu="1"), node("b", cpu="1"), node("c", cpu="1"), in_part=in_part)
    names = world.group(size=3, minimum=3)
    places = {name: world.where(name) for name in names}
    other = next(place for name, place in places.items() if name != "g0")
    answer = world.ask("g0", [other])
    assert answer.unresolvable == {other: "node(s) are not the one that is held for a pod of group g"}
    assert {name: world.where(name) for name in names} == places


@pytest.mark.parametrize(
    ("in_part", "want"),
    [
        pytest.param(True, 1, id="it may not have looked there yet"),
        pytest.param(False, 0, id="it must have refused it, by a rule of its own"),
    ],
)
def test_a_node_that_kube_scheduler_does_not_ask_about(want: int, *, in_part: bool) -> None:
    """Room is held there only where kube-scheduler shows a part of the nodes."""
    world = World(node("small", cpu="500m"), node("large", cpu="3"), in_part=in_part)
    world.group(size=3, minimum=3)
    assert not world.ask("g0", ["small"]).nodes
    assert world.extender.gangs.held == want


def test_groups_are_refused_where_kube_scheduler_binds() -> None:
    """Nothing could keep the first of them from being bound before the last has come. Other pods are placed as ever."""
    nodes = snapshot(node("n", cpu="8"))
    for number in range(2):
        nodes.put_pod(pods.parse(member(f"g{number}", minimum=2, cpu="1")))
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0, binds=False)
    refused = extender.filter(pods.parse(member("g0", minimum=2, cpu="1")), None)
    assert (refused.nodes, refused.unresolvable) == ([], {"n": NO_GANGS})
    assert extender.filter(pods.parse(pod_object("alone", cpu="8")), None).nodes == ["n"], "nothing is held for them"
