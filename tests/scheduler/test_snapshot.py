"""The snapshot after any events is the one that is built anew, and what is assumed is never placed twice."""

import asyncio
import contextlib
import random
from dataclasses import replace
from typing import Any

import pytest

from operators.core.objects import PODS
from operators.core.selectors import parse
from operators.scheduler import feed, placement
from operators.scheduler import node as nodes
from operators.scheduler.assumed import ASSUMED_FOR, BOUND_FOR
from operators.scheduler.extender import Extender
from operators.scheduler.pod import Pod
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot
from tests.runtime.scripted import Scripted
from tests.scheduler.building import HOSTNAME, node, pod, rows, snapshot

RUNNING = pod("p1", node="a", cpu="1")
WEB = parse({"matchLabels": {"app": "web"}})
ANTI = {
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "web"}}}
            ]
        }
    }
}


def extender(nodes_: Snapshot, now: list[float]) -> Extender:
    """Build an extender with the default rules and a clock that the test sets."""
    return Extender(nodes_, lambda _: rules(), lambda: now[0])


def view(found: Snapshot) -> dict[str, Any]:
    """Return all that rules can see of each node."""
    probe = pod("probe", labels={"app": "web"}, cpu="1", **ANTI)
    fits = (
        {found.names[row] for row in placement.fit(probe, found, rules(), rows(found)).rows} if found.nodes else set()
    )
    return {
        name: (
            int(found.requested["cpu"][row]),
            int(found.scored_memory[row]),
            int(found.pods_on[row]),
            int(found.count("default", WEB)[row]),
            int(found.allocatable["cpu"][row]),
            name in fits,
        )
        for name, row in found.rows.items()
    }


@pytest.mark.parametrize("seed", range(8))
def test_events_give_what_a_list_gives(seed: int) -> None:
    """After 600 events, of more nodes than there was room for, every array is that of a fresh snapshot."""
    rng = random.Random(seed)  # noqa: S311 - repeats what a seed draws
    changed, pods, there = Snapshot(), dict[str, Pod](), dict[str, dict[str, Any]]()
    changed.count("default", WEB)
    for _ in range(600):
        name, on = f"p{rng.randrange(60)}", f"n{rng.randrange(90)}"
        match rng.randrange(5):
            case 0:
                there[on] = node(on, cpu=str(rng.randint(1, 9)))
                changed.put_node(nodes.parse(there[on]))
            case 1:
                changed.remove_node(on)
                there.pop(on, None)
            case 2 if name in pods:
                changed.remove_pod(pods.pop(name).uid)
            case _:
                labels = {"app": rng.choice(("web", "db"))}
                pods[name] = pod(name, node=on, labels=labels, cpu="100m", **rng.choice(({}, ANTI)))
                changed.put_pod(pods[name])
    assert view(changed) == view(snapshot(*there.values(), placed=tuple(pods.values())))


def test_what_is_assumed_takes_room() -> None:
    """Two pods that each need all of the only node: the second fits only once the first's time limit has passed."""
    now = [0.0]
    asked = extender(snapshot(node("a", cpu="1")), now)
    assert asked.filter(pod("p1", cpu="1"), ["a"]).nodes == ["a"]
    assert asked.filter(pod("p2", cpu="1"), ["a"]).failed == {"a": "Insufficient cpu"}
    now[0] = ASSUMED_FOR
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == ["a"]
    assert asked.nodes.expired == 1


def test_asking_again_takes_back_what_was_assumed() -> None:
    """kube-scheduler may ask about a pod anew: its first place is free for it."""
    asked = extender(snapshot(node("a", cpu="1")), [0.0])
    for _ in range(2):
        assert asked.filter(pod("p1", cpu="1"), ["a"]).nodes == ["a"]
    assert asked.nodes.requested["cpu"].sum() == 1000


def test_a_pod_that_the_watch_has_seen_is_not_placed_anew() -> None:
    """kube-scheduler may hear of the binding later than we do, and ask once more: the pod stays where it runs."""
    asked = extender(snapshot(node("a", cpu="1"), node("b", cpu="1"), placed=(RUNNING,)), [0.0])
    assert asked.filter(pod("p1", cpu="1"), ["a", "b"]).nodes == ["b"]
    asked.unassume("uid-p1")
    assert asked.nodes.requested["cpu"][rows(asked.nodes)].tolist() == [1000, 0]


def test_confirmed_pods_do_not_expire() -> None:
    """What the watch has seen on its node stays there, and counts once."""
    now = [0.0]
    asked = extender(snapshot(node("a", cpu="1")), now)
    asked.filter(pod("p1", cpu="1"), ["a"])
    asked.nodes.put_pod(pod("p1", node="a", cpu="1"))
    now[0] = 10 * ASSUMED_FOR
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == []
    assert asked.nodes.requested["cpu"].sum() == 1000


def test_pending_update_keeps_what_is_assumed() -> None:
    """A status patch that arrives before the binding does not free the room."""
    asked = extender(snapshot(node("a", cpu="1")), [0.0])
    asked.filter(pod("p1", cpu="1"), ["a"])
    asked.nodes.put_pod(pod("p1", cpu="1"))
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == []


def test_deletion_frees_what_is_assumed() -> None:
    """A pod that is deleted before it is bound takes no room."""
    asked = extender(snapshot(node("a", cpu="1")), [0.0])
    asked.filter(pod("p1", cpu="1"), ["a"])
    asked.nodes.remove_pod("uid-p1")
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == ["a"]


def test_never_overcommitted() -> None:
    """5,000 pods of many sizes on 40 nodes that cannot take them all: none gets more than it has."""
    rng = random.Random(1)  # noqa: S311 - repeats what a seed draws
    found = snapshot(*(node(f"n{number}", cpu="64", room="110") for number in range(40)))
    asked, names = extender(found, [0.0]), [f"n{number}" for number in range(40)]
    placed = sum(
        len(asked.filter(pod(f"p{number}", cpu=f"{rng.randint(100, 3000)}m"), names).nodes) for number in range(5000)
    )
    assert 1500 < placed < 5000
    assert (found.requested["cpu"] <= found.allocatable["cpu"]).all()
    assert (found.pods_on <= found.allocatable["pods"]).all()


def test_nominated_room_is_kept() -> None:
    """Room that a more important pod is about to take is not given to a lesser one."""
    found = snapshot(node("a", cpu="1"))
    waiting = pod("high", cpu="1", priority=10)
    found.put_pod(replace(waiting, nominated="a"))
    assert extender(found, [0.0]).filter(pod("low", cpu="1"), ["a"]).nodes == []
    assert extender(found, [0.0]).filter(pod("higher", cpu="1", priority=20), ["a"]).nodes == ["a"]


def test_what_is_bound_is_believed_for_longer() -> None:
    """Once the apiserver has bound it, a pod keeps its room though the watch is late, but not for ever."""
    now = [0.0]
    asked = extender(snapshot(node("a", cpu="1")), now)
    asked.filter(pod("p1", cpu="1"), ["a"])
    asked.bound("uid-p1")
    now[0] = ASSUMED_FOR
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == []
    now[0] = BOUND_FOR
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == ["a"]


def test_a_refused_binding_frees_the_room_at_once() -> None:
    """Nobody has to wait for the time limit."""
    asked = extender(snapshot(node("a", cpu="1")), [0.0])
    asked.filter(pod("p1", cpu="1"), ["a"])
    asked.unassume("uid-p1")
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == ["a"]


def test_late_news_of_a_predecessor_takes_no_room_back() -> None:
    """A pod of a StatefulSet is placed before the watch has told the end of the one that had its name."""
    old = pod("web-0", node="a", cpu="1")
    asked = extender(snapshot(node("a", cpu="1"), node("b", cpu="1"), placed=(old,)), [0.0])
    assert asked.filter(replace(pod("web-0", cpu="1"), uid="new"), ["a", "b"]).nodes == ["b"]

    asked.nodes.put_pod(replace(old, terminating=True))
    asked.nodes.remove_pod(old.uid)

    assert asked.filter(pod("p2", cpu="1"), ["b"]).nodes == []
    assert asked.filter(pod("p3", cpu="1"), ["a"]).nodes == ["a"]


async def test_pods_that_have_ended_are_not_listed() -> None:
    """They are none of the scheduler's business, and may be many."""
    client = Scripted()
    [informer] = [one for one in feed.informers(client, Snapshot()) if one.resource == PODS]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(informer.run(), 0.01)
    assert client.sent[0].params["fieldSelector"] == "status.phase!=Succeeded,status.phase!=Failed"


def test_a_list_that_shows_a_successor_ends_the_predecessor() -> None:
    """After a gap in the watch a pod of the same name and another UID has taken the place."""
    found, old = snapshot(node("a", cpu="1")), pod("web-0", node="a", cpu="1")
    changed = feed._pods(found)
    changed(None, old)
    changed(old, replace(pod("web-0", cpu="1"), uid="new"))
    assert (found.pod_count, found.pods_on.sum()) == (0, 0)


@pytest.mark.parametrize(
    ("last", "want_room"),
    [
        pytest.param(replace(RUNNING, ended=True), True, id="ended, and still there as an object"),
        pytest.param(replace(RUNNING, terminating=True), False, id="being deleted, and still running"),
    ],
)
def test_room_of_pods_that_end(last: Pod, *, want_room: bool) -> None:
    """What has ended takes no room, what is about to end does until it has."""
    asked = extender(snapshot(node("a", cpu="1"), placed=(RUNNING,)), [0.0])
    asked.nodes.put_pod(last)
    assert bool(asked.filter(pod("p2", cpu="1"), ["a"]).nodes) is want_room


def test_a_node_that_comes_back_under_its_name_has_what_is_on_it() -> None:
    """Pods outlive their node's object for a while, and count again when there is one of that name."""
    found = snapshot(node("a", cpu="1"), placed=(pod("p1", node="a", cpu="1"),))
    asked = extender(found, [0.0])
    found.remove_node("a")
    assert asked.filter(pod("p2", cpu="1"), ["a"]).failed == {"a": "node(s) were not known to the extender"}
    found.put_node(nodes.parse(node("a", cpu="1")))
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == []
    found.remove_pod("uid-p1")
    assert asked.filter(pod("p2", cpu="1"), ["a"]).nodes == ["a"]


def test_what_nodes_had_is_forgotten() -> None:
    """Names and taints of nodes that come and go, or change, do not pile up for the rules to look through."""
    found = snapshot(node("stays", labels={"disk": "ssd"}, taints=[{"key": "stays", "effect": "NoSchedule"}]))
    names = found.label(HOSTNAME)
    for number in range(1000):
        taint = {"key": "to-be-deleted", "value": str(number), "effect": "NoSchedule"}
        found.put_node(nodes.parse(node(f"n{number}", taints=[taint])))
        if number >= 3:
            found.remove_node(f"n{number - 3}")
    assert (len(names.values) < 200, len(found.taints.values) < 200) == (True, True)
    tolerates = {"tolerations": [{"key": "stays", "operator": "Exists"}]}
    assert extender(found, [0.0]).filter(pod("p", **tolerates), None).nodes == ["stays"]
    late = {"tolerations": [{"key": "to-be-deleted", "value": "998"}]}
    wanted = {"nodeSelector": {HOSTNAME: "n998"}}
    assert extender(found, [0.0]).filter(pod("q", **late, **wanted), None).nodes == ["n998"]


def test_what_pods_ask_for_in_vain_is_not_kept() -> None:
    """Whoever may create pods cannot fill the memory with names of labels and resources that no node has."""
    found = snapshot(node("a"))
    first = found.label("first")
    for number in range(1000):
        asking = pod("p", overhead={f"example.com/{number}": "1"}, nodeSelector={f"label-{number}": "x"})
        assert extender(found, [0.0]).filter(asking, None).nodes == []
    assert found.allocatable["example.com/1"] is found.requested["example.com/2"]
    assert found.label("first") is not first


def test_pods_that_come_before_their_node_count() -> None:
    """Watches of different kinds are not in step."""
    found = snapshot()
    found.put_pod(pod("p1", node="a", cpu="1"))
    found.put_node(nodes.parse(node("a", cpu="1")))
    assert extender(found, [0.0]).filter(pod("p2", cpu="1"), ["a"]).nodes == []


def test_nomination_ends_with_the_pod() -> None:
    """Room that is kept for a pod is free once it is deleted, or nominated no more."""
    found = snapshot(node("a", cpu="1"))
    waiting = pod("high", cpu="1", priority=10)
    for deleted in (True, False):
        found.put_pod(replace(waiting, nominated="a"))
        if deleted:
            found.remove_pod("uid-high")
        else:
            found.put_pod(waiting)
        assert extender(found, [0.0]).filter(pod("low", cpu="1"), ["a"]).nodes == ["a"]
        found.remove_pod("uid-low")
