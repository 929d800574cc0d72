"""The pods of a group are placed together or not at all: what the extender says to each."""

from collections.abc import Callable
from typing import Any

import pytest

from operators.core.objects import Obj
from operators.scheduler import feed
from operators.scheduler import node as nodes
from operators.scheduler import pod as pods
from operators.scheduler.extender import Answer, Extender
from operators.scheduler.gangs import ASKED_FOR, ELSEWHERE, Memory
from operators.scheduler.group import EARLY_FOR
from operators.scheduler.pod import Pod
from operators.scheduler.rules import Rules, rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import HOSTNAME, member, node, pod_object, snapshot

FEW = "node(s) wait for group g: fewer than its 5 pods are there to be placed"
FULL = "node(s) have no room for group g: fewer than its 5 pods fit at once"
UNTRIED = "node(s) wait for group g: fewer than its 5 pods have a node that would do"


class World:
    """An extender, what it was told, and what was bound."""

    def __init__(self, *objects: Obj, in_part: bool = False) -> None:
        self.nodes = snapshot(*objects)
        self.in_part = in_part
        self.now = 1000.0
        self.objects: dict[str, Obj] = {}
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

    def try_all(self, names: list[str]) -> str:
        """Ask about each; all are refused for the others' sake but the last. Return what is said of that."""
        for name in names[:-1]:
            assert " wait for group " in self.where(name)
        return self.where(names[-1])

    def refuse(self, name: str, why: str) -> None:
        """Have the watch tell of a pod's condition."""
        condition = {"type": "PodScheduled", "status": "False", "message": f"0/1 nodes are available: 1 {why}."}
        self.tell(self.objects[name] | {"status": {"conditions": [condition]}})

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
        pytest.param({"minimum": "many"}, id="that makes no sense"),
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
    for number in (4, 0, 1, 2):
        assert world.extender.filter(pods.parse(built[number]), None).nodes == []
    assert world.extender.filter(pods.parse(built[3]), None).nodes == ["n"]


def test_the_whole_group_is_placed_once_all_have_been_tried() -> None:
    """Nothing is held before. Then nobody else gets what is held for the others, and each of them is let through."""
    world = World(node("a", cpu="4"), node("b", cpu="2"))
    names = world.group()
    world.tell(pod_object("other", cpu="2"))
    assert {world.where(name) for name in names[:4]} == {UNTRIED}
    assert world.room == 6
    placed = [world.where("g4")]
    assert world.room == 1
    assert world.ask("other").nodes == []
    placed += [world.where(name) for name in names[:4]]
    assert sorted(placed) == ["a", "a", "a", "a", "b"]
    assert world.room == 1
    assert world.extender.gangs.held == 0


def test_room_for_a_part_is_none() -> None:
    """Nothing is held, and every pod is told the same."""
    world = World(node("a", cpu="2"), node("b", cpu="2"))
    names = world.group()
    assert world.try_all(names) == FULL
    assert {world.where(name) for name in names} == {FULL}
    assert world.room == 4
    world.nodes.put_node(nodes.parse(node("c", cpu="1")))
    assert world.where("g4") in ("a", "b", "c")
    assert world.room == 0


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(UNTRIED, "n", id="for the sake of its group"),
        pytest.param(FULL, "n", id="with its group, as a whole"),
        pytest.param('persistentvolumeclaim "v" not found', UNTRIED, id="by kube-scheduler itself"),
        pytest.param(UNTRIED.replace("group g", "group h"), UNTRIED, id="for the sake of another group"),
    ],
)
def test_what_its_condition_says_of_a_pod_counts(status: str, want: str) -> None:
    """It was tried long ago, perhaps before the extender started; nobody wakes it before others are bound."""
    world = World(node("n", cpu="5"))
    names = world.group()
    for name in names[:4]:
        world.refuse(name, status)
    assert world.where("g4") == want


def test_that_a_pod_was_asked_about_counts_for_a_while() -> None:
    """As long as it may take until its condition says so."""
    world = World(node("n", cpu="5"))
    names = world.group()
    for name in names[:4]:
        world.ask(name)
    world.now += ASKED_FOR
    assert world.where("g4") == UNTRIED
    assert world.try_all(names[:4]) == "n"


def test_pods_that_depend_on_others_of_their_group_are_not_waited_for() -> None:
    """kube-scheduler has nothing to ask about before those are placed."""
    near = {"podAffinity": {REQUIRED: [{"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"lead": ""}}}]}}
    world = World(node("a", cpu="3"), node("b", cpu="1"))
    lead = member("g0", minimum=3, cpu="1")
    lead["metadata"]["labels"]["lead"] = ""
    world.tell(lead, *(member(name, minimum=3, cpu="1", affinity=near) for name in ("g1", "g2")))
    assert [world.where(name) for name in ("g0", "g1", "g2")] == ["a", "a", "a"]


def test_more_pods_than_are_needed() -> None:
    """Those that were tried are placed with the group, the others when they are."""
    world = World(node("n", cpu="7"))
    names = world.group(size=7)
    assert world.try_all(names[:5]) == "n"
    assert world.room == 2
    assert {world.where(name) for name in names} == {"n"}


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
COMING = pod_object("high", cpu="1", priority=10)
NEAR_PROD = {
    "podAffinity": {
        REQUIRED: [
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
    names = world.group(size=2, minimum=2, **({"cpu": "100m"} | asks))
    for name in names:
        world.ask(name)
    assert {world.where(name) for name in names} == {FULL.replace("5", "2")}
    ends(world)
    assert world.where("g0") == "n"


def test_of_two_groups_one_is_whole() -> None:
    """However their pods take turns, neither holds what the other lacks."""
    world = World(node("n", cpu="7"))
    first, second = world.group("g"), world.group("h")
    for one, other in zip(first[:4], second[:4], strict=True):
        assert (world.where(one), world.where(other)) == (UNTRIED, UNTRIED.replace("group g", "group h"))
    assert world.where("h4") == "n"
    assert [world.where(name) for name in ("g4", *first)] == [FULL] * 6
    assert [world.where(name) for name in second] == ["n"] * 5


def test_room_is_given_back_after_the_time_limit() -> None:
    """Where pods of a group do not come again to be placed. They are as if none of theirs had been placed together."""
    world = World(node("n", cpu="5"))
    names = world.group(timeout=30)
    world.tell(pod_object("other", cpu="1"))
    assert world.try_all(names) == "n"
    world.now += 29
    assert world.ask("other").nodes == []
    world.now += 1
    assert world.ask("other").nodes == ["n"]
    assert world.where("g0") == UNTRIED
    assert world.extender.gangs.held == 0


def test_a_pod_that_comes_late_is_placed_beside_the_others() -> None:
    """It is the last one that its group needs."""
    world = World(node("n", cpu="5"))
    names = world.group(timeout=30)
    assert world.try_all(names) == "n"
    assert {world.where(name) for name in names[1:]} == {"n"}
    world.now += 30
    world.extender.gangs.expire()
    assert world.room == 1
    assert world.where("g0") == "n"


def begun(bound: int, *, minimum: int = 5) -> World:
    """Return a world in which an extender died when it had bound so many of a group, for which there is just room."""
    world = World(node("n", cpu="5"))
    world.group(minimum=minimum)
    for number in range(bound):
        world.put(f"g{number}", "n")
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


def test_what_was_begun_comes_second_to_what_matters_more() -> None:
    """kube-scheduler asks about the most important pods first. The others do not get the room either."""
    world = begun(3)
    world.tell(pod_object("high", priority=7), pod_object("other", cpu="1"))
    assert world.where("high") == "n"
    assert "Insufficient cpu" in world.ask("other").failed["n"]
    assert [world.where(name) for name in ("g3", "g4")] == ["n", "n"]


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
    world.now += 60
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
    names = world.group(priority=10)
    assert world.try_all(names) == FULL
    assert world.extender.preempt(pods.parse(world.objects["g0"]), ["n"]) == {}


def test_where_a_rule_fails_nothing_stays_held() -> None:
    """Room that nobody would give back, and pods that would count as placed."""
    world = World(node("n", cpu="5"))
    names = world.group()
    for name in names[:4]:
        world.ask(name)
    world.failing = {"g3"}
    with pytest.raises(RuntimeError):
        world.ask("g4")
    assert world.room == 5
    world.failing = set()
    assert world.where("g0") == "n"


def test_nobody_is_evicted_who_is_nowhere_yet() -> None:
    """kube-scheduler knows nothing of pods for which room is only held, and refuses an answer that names them."""
    world = World(node("n", cpu="6"))
    assert world.try_all(world.group()) == "n"
    world.put("g4", "n")
    world.tell(pod_object("there", node="n", cpu="1"), pod_object("urgent", cpu="2", priority=10))
    preempted = world.extender.preempt(pods.parse(world.objects["urgent"]), ["n"])
    assert {uid for victims in preempted.values() for uid in victims.uids} == {"uid-there", "uid-g4"}
    world.tell(pod_object("large", cpu="3", priority=10))
    assert world.extender.preempt(pods.parse(world.objects["large"]), ["n"]) == {}


def test_the_room_of_a_deleted_pod_is_free() -> None:
    """The one in its place gets room of its own."""
    world = World(node("n", cpu="5"))
    names = world.group()
    assert world.try_all(names) == "n"
    world.remove("g1")
    assert world.room == 1
    world.tell(member("g9", cpu="1"))
    assert {world.where(name) for name in ("g0", "g2", "g9", "g3")} == {"n"}


@pytest.mark.parametrize(
    ("bound", "want"),
    [
        pytest.param(False, FEW, id="no pod of it is on a node"),
        pytest.param(True, "n", id="it is begun"),
    ],
)
def test_one_that_was_let_through_is_deleted(want: str, *, bound: bool) -> None:
    """Its group is too small without it."""
    world = World(node("n", cpu="5"))
    names = world.group()
    assert world.try_all(names) == "n"
    if bound:
        world.put("g0", "n")
    world.remove("g4")
    assert world.where("g1") == want
    assert world.extender.gangs.held == bound


def test_a_group_whose_pods_are_all_gone_holds_nothing() -> None:
    """Nor does it keep a new one of its name waiting."""
    world = World(node("n", cpu="5"))
    names = world.group()
    assert world.try_all(names) == "n"
    for name in names:
        world.remove(name)
    assert world.room == 5
    world.now += ASKED_FOR
    assert world.try_all(world.group()) == "n"


def test_a_node_that_is_lost_to_one_pod_is_exchanged() -> None:
    """What was held there is given back."""
    world = World(node("a", cpu="4"), node("b", cpu="1"))
    names = world.group()
    assert world.try_all(names) in ("a", "b")
    world.nodes.put_node(nodes.parse(node("b", cpu="1", unschedulable=True)))
    world.nodes.put_node(nodes.parse(node("c", cpu="1")))
    assert sorted(world.where(name) for name in names) == ["a", "a", "a", "a", "c"]
    assert world.nodes.pods_of(world.nodes.rows["b"]) == []


def test_a_pod_that_has_lost_its_node_is_left_out() -> None:
    """There is no other. What is held for the rest stays held: some of them may be bound already."""
    world = World(node("a", cpu="4"), node("b", cpu="1"))
    names = world.group()
    assert world.try_all(names) in ("a", "b")
    [lost] = [name for name in names if world.nodes.placed(f"uid-{name}").row == world.nodes.rows["b"]]  # type: ignore[union-attr]
    world.nodes.put_node(nodes.parse(node("b", cpu="1", unschedulable=True)))
    assert world.where(lost) == "node(s) have no room for group g: this pod is one more than fit"
    assert {world.where(name) for name in names if name not in (lost, "g4")} == {"a"}


def test_nodes_that_kube_scheduler_does_not_offer_are_remembered() -> None:
    """Its own plugins may refuse a node, as for a volume: the group is placed without it."""
    world = World(node("a", cpu="1"), node("b", cpu="4"))
    names = world.group(size=2, minimum=2)
    assert world.ask("g0", ["b"]).nodes == []
    for name in reversed(names):
        assert world.ask(name, ["b"]).nodes == ["b"]


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
    assert world.where("g0") == f"node(s) have no part in group g: {want} has to be a whole number from 1 on"


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
    assert world.try_all(world.group(size=2, minimum=2)) == "n"
    world.tell(changed)
    assert world.where("g0") == want
    assert world.room == (4 if want != "n" else 3)


def test_the_minimum_may_be_lowered_while_pods_wait() -> None:
    """The largest that a waiting pod says counts: each is told in its turn."""
    world = World(node("n", cpu="3"))
    names = world.group()
    assert world.try_all(names) == FULL
    for name in names[3:]:
        world.remove(name)
    world.group(size=2, minimum=3)
    assert world.where("g0") == FEW
    world.group(size=3, minimum=3)
    assert world.where("g0") == "n"


def test_a_pod_that_could_not_be_bound_keeps_its_room() -> None:
    """The others of its group are being bound: it is tried again, and its room is there."""
    world = World(node("n", cpu="5"))
    world.tell(pod_object("other", cpu="1"))
    names = world.group()
    assert world.try_all(names) == "n"
    world.extender.unassume("uid-g4")
    assert world.ask("other").nodes == []
    assert {world.where(name) for name in names} == {"n"}


def test_the_room_of_a_single_pod_that_could_not_be_bound_is_free() -> None:
    """Nobody depends on it."""
    world = World(node("n", cpu="5"))
    world.tell(pod_object("other", cpu="5"))
    assert world.ask("other").nodes == ["n"]
    world.extender.unassume("uid-other")
    assert world.room == 5


def test_a_pod_that_is_tried_again_after_all_was_given_back() -> None:
    """It was let through and never bound: it is no more placed than the others."""
    world = World(node("n", cpu="5"))
    names = world.group(timeout=30)
    assert world.try_all(names) == "n"
    world.now += 31
    assert world.where("g4") == UNTRIED
    assert world.room == 5


@pytest.mark.parametrize("in_part", [False, True])
def test_a_place_that_kube_scheduler_does_not_offer_stays_held(*, in_part: bool) -> None:
    """It has perhaps not looked there, or does not know yet where others go, which a spread constraint asks for.

    Nothing wakes the pod when the time is up. An error has it tried again soon.
    """
    world = World(node("a", cpu="1"), node("b", cpu="1"), node("c", cpu="1"), in_part=in_part)
    names = world.group(size=3, minimum=3)
    taken = world.try_all(names)
    assert world.ask("g0", [taken]) == Answer([], {}, {}, ELSEWHERE)
    assert {world.where("g0"), world.where("g1"), taken} == {"a", "b", "c"}


SMALL = [f"small-{number}" for number in range(100)]
REFUSED = FULL.replace("5", "3")


@pytest.mark.parametrize(
    ("in_part", "shown", "want", "want_then"),
    [
        pytest.param(True, SMALL, ELSEWHERE, "large", id="it may not have been looked at"),
        pytest.param(True, SMALL[1:], REFUSED, REFUSED, id="kube-scheduler has refused it, for it looks on for 100"),
        pytest.param(False, SMALL, REFUSED, REFUSED, id="kube-scheduler has refused it, by a rule of its own"),
    ],
)
def test_the_last_one_is_not_offered_its_node(shown: list[str], want: str, want_then: str, *, in_part: bool) -> None:
    """Nobody is let through, and nothing is held."""
    world = World(*(node(name, cpu="500m") for name in SMALL), node("large", cpu="3"), in_part=in_part)
    names = world.group(size=3, minimum=3)
    for name in names[:2]:
        world.ask(name)
    answer = world.ask("g2", shown)
    assert not answer.nodes
    assert {answer.error, *answer.unresolvable.values()} - {""} == {want}
    assert world.extender.gangs.held == 0
    assert world.where("g0") == want_then


@pytest.mark.parametrize("in_part", [False, True])
def test_the_only_node_for_one_is_left_to_it(*, in_part: bool) -> None:
    """Where kube-scheduler has looked at every node, those that it does not offer to a pod are not planned for it."""
    world = World(node("a", cpu="1", memory="64Gi"), node("b", cpu="1"), in_part=in_part)
    world.group(size=2, minimum=2)
    assert not world.ask("g0", ["a"]).nodes
    assert world.where("g1") == "b"
    assert world.ask("g0", ["a"]).nodes == ["a"]


def test_the_one_that_is_asked_about_is_placed_with_the_others() -> None:
    """Though room is looked for first for those that may go to fewer nodes: nobody else would have them tried again."""
    world = World(node("a", cpu="1"), node("c", cpu="1"))
    world.group(size=3, minimum=2)
    for name in ("g0", "g1"):
        assert not world.ask(name, ["a"]).nodes
    world.nodes.put_node(nodes.parse(node("b", cpu="1")))
    world.nodes.put_node(nodes.parse(node("c", cpu="1", unschedulable=True)))
    assert world.where("g2") in ("a", "b")


def test_a_pod_that_is_there_is_not_placed_again() -> None:
    """kube-scheduler may ask about it still, and does not make up for another one."""
    world = World(node("n", cpu="2"))
    for name in world.group(size=3, minimum=3):
        world.refuse(name, UNTRIED)
    asked = world.objects["g0"]
    world.put("g0", "n")
    world.extender.filter(pods.parse(asked), None)
    assert world.where("g2") == REFUSED
    assert world.room == 1


def test_a_pod_that_waits_is_told_the_same_each_time() -> None:
    """Whatever part of the nodes it is asked about: kube-scheduler tries it again when its condition changes."""
    world = World(*(node(name) for name in SMALL), in_part=True)
    world.group(size=4)
    assert world.ask("g0", SMALL[:3]).unresolvable == dict.fromkeys(SMALL[:3], FEW)
    world.refuse("g0", FEW)
    assert world.ask("g0", SMALL[:3]).unresolvable == dict.fromkeys(SMALL, FEW)


def test_pods_that_are_gone_are_forgotten() -> None:
    """A group may live as long as its StatefulSet, and pods of it come and go."""
    memory = Memory(asked={"a": 1.0, "b": 1.0}, nowhere={"a": 1}, barred={"b": frozenset({1})})
    memory.keep({"b", "c"})
    assert memory == Memory(asked={"b": 1.0}, barred={"b": frozenset({1})})
