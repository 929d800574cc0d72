"""Victims: as few as possible, the least important, budgets spared, and nobody where it would not help."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from operators.core.selectors import parse
from operators.scheduler.extender import Extender
from operators.scheduler.placed import Budget
from operators.scheduler.pod import Pod
from operators.scheduler.preemption import Victims
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import HOSTNAME, ZONE, node, pod, snapshot

WEB = {"app": "web"}
ANTI = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": WEB}}
        ]
    }
}


def preempt(nodes: Snapshot, preemptor: Pod) -> Mapping[str, Victims]:
    """Ask about every node."""
    names = sorted(node.name for node in nodes.nodes.values())
    return Extender(nodes, lambda _: rules(), lambda: 0.0).preempt(preemptor, names)


@pytest.mark.parametrize(
    ("placed", "want_victims"),
    [
        pytest.param((pod("x", node="a", cpu="4", priority=5),), ["x"], id="the one that is there"),
        pytest.param((pod("x", node="a", cpu="4", priority=10),), None, id="nobody of the same priority"),
        pytest.param(
            (pod("x", node="a", cpu="2", priority=1), pod("y", node="a", cpu="2", priority=2)),
            ["x"],
            id="the less important of two",
        ),
        pytest.param(
            (
                pod("x", node="a", cpu="2", started="2026-01-01T00:00:00Z"),
                pod("y", node="a", cpu="2", started="2026-01-02T00:00:00Z"),
            ),
            ["y"],
            id="the younger of two that are equal",
        ),
        pytest.param(
            (
                pod("x", node="a", cpu="3", priority=1),
                pod("y", node="a", cpu="500m", priority=3),
                pod("z", node="a", cpu="500m", priority=2),
            ),
            ["x"],
            id="one that is enough, though small ones are there",
        ),
    ],
)
def test_victims_of_one_node(placed: tuple[Pod, ...], want_victims: list[str] | None) -> None:
    """A node of 4 CPU for a pod of 2 CPU and priority 10."""
    got = preempt(snapshot(node("a"), placed=placed), pod(cpu="2", priority=10))
    want = {} if want_victims is None else {"a": Victims([f"uid-{name}" for name in want_victims], 0)}
    assert got == want


@pytest.mark.parametrize(
    ("budget", "want"),
    [
        pytest.param(Budget(parse({"matchLabels": WEB}), 0, frozenset()), Victims(["uid-y"], 0), id="spared"),
        pytest.param(Budget(parse({"matchLabels": WEB}), 1, frozenset()), Victims(["uid-x"], 0), id="one may go"),
        pytest.param(Budget(parse({}), 0, frozenset()), Victims(["uid-x"], 0), id="an empty selector protects nobody"),
        pytest.param(Budget(None, 0, frozenset()), Victims(["uid-x"], 0), id="nor does none"),
        pytest.param(
            Budget(parse({"matchLabels": WEB}), 0, frozenset({"x"})), Victims(["uid-x"], 0), id="counted already"
        ),
    ],
)
def test_budgets(budget: Budget, want: Victims) -> None:
    """A pod whose eviction would break a budget stays if another can go, even a more important one."""
    nodes = snapshot(
        node("a"),
        placed=(pod("x", node="a", cpu="2", labels=WEB, priority=1), pod("y", node="a", cpu="2", priority=2)),
    )
    nodes.budgets["default"]["b"] = budget
    assert preempt(nodes, pod(cpu="2", priority=10)) == {"a": want}


def test_a_broken_budget_is_counted() -> None:
    """Where nothing else helps it is said how many budgets break, so that another node can be preferred."""
    nodes = snapshot(
        node("a"), node("b"), placed=tuple(pod(f"on-{n}", node=n, cpu="4", labels={"app": n}) for n in ("a", "b"))
    )
    nodes.budgets["default"]["b"] = Budget(parse({"matchLabels": {"app": "a"}}), 0, frozenset())
    got = preempt(nodes, pod(cpu="2", priority=10))
    assert {name: victims.violations for name, victims in got.items()} == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    "refusing",
    [
        pytest.param(node("a", unschedulable=True), id="cordoned"),
        pytest.param(node("a", taints=[{"key": "k", "effect": "NoSchedule"}]), id="tainted"),
        pytest.param(node("a", labels={HOSTNAME: "other"}), id="another host"),
    ],
)
def test_nobody_goes_where_it_would_not_help(refusing: dict[str, object]) -> None:
    """What is wrong with the node itself, no eviction mends; kube-scheduler does not know that by itself."""
    nodes = snapshot(refusing, placed=(pod("x", node="a", cpu="4"),))
    assert preempt(nodes, pod(cpu="2", priority=10, nodeSelector={HOSTNAME: "a"})) == {}


def test_room_is_not_all() -> None:
    """A pod that keeps the other away goes as well, though there would be room without."""
    keeper = pod("keeper", node="a", cpu="100m", affinity=ANTI, priority=1)
    nodes = snapshot(node("a"), placed=(keeper, pod("x", node="a", cpu="3", priority=2)))
    assert preempt(nodes, pod(cpu="2", labels=WEB, priority=10)) == {"a": Victims(["uid-x", "uid-keeper"], 0)}


@pytest.mark.parametrize(
    ("named", "want_victims"),
    [
        pytest.param({}, {}, id="room enough: for nobody"),
        pytest.param({"a": ["uid-x"]}, {"a": Victims(["uid-x"], 0)}, id="whom kube-scheduler names"),
        pytest.param({"a": ["uid-gone"]}, {}, id="not for one who is gone already"),
        pytest.param({"a": ["uid-high"]}, {}, id="not for one who is as important"),
    ],
)
def test_whom_kube_scheduler_names_goes_too(named: dict[str, list[str]], want_victims: dict[str, Victims]) -> None:
    """Its own plugins may want a pod gone, which has a volume that only one may have, for instance."""
    placed = (pod("x", node="a", cpu="1"), pod("high", node="a", cpu="1", priority=10))
    nodes = snapshot(node("a"), placed=placed)
    asked = Extender(nodes, lambda _: rules(), lambda: 0.0)
    assert asked.preempt(pod(cpu="1", priority=10), ["a"], named) == want_victims


def test_who_is_named_makes_room() -> None:
    """Another one, though less important, stays if that is enough."""
    placed = (pod("x", node="a", cpu="2", priority=2), pod("y", node="a", cpu="2", priority=1))
    asked = Extender(snapshot(node("a"), placed=placed), lambda _: rules(), lambda: 0.0)
    assert asked.preempt(pod(cpu="2", priority=10), ["a"], {"a": ["uid-x"]}) == {"a": Victims(["uid-x"], 0)}


def test_spread_decides_too() -> None:
    """A zone that has too many of a kind takes another only in the place of one of them."""
    hard = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": WEB},
    }
    placed = (
        pod("web", node="a", cpu="1", labels=WEB, priority=2),
        pod("other", node="a", cpu="3", priority=1),
        pod("full", node="b", cpu="4", priority=20),
    )
    nodes = snapshot(node("a", zone="1"), node("b", zone="2"), placed=placed)
    got = preempt(nodes, pod(cpu="1", labels=WEB, priority=10, topologySpreadConstraints=[hard]))
    assert got == {"a": Victims(["uid-web"], 0)}


def test_what_is_nominated_keeps_its_room() -> None:
    """Who waits for a node with as much right as this pod has room there that nobody else is given."""
    placed = (pod("x", node="a", cpu="1"), pod("y", node="a", cpu="2", started="2026-01-02T00:00:00Z"))
    nodes = snapshot(node("a"), placed=placed)
    waiting = pod("w", cpu="1", priority=10)
    nodes.put_pod(replace(waiting, nominated="a"))
    assert preempt(nodes, pod(cpu="2", priority=10)) == {"a": Victims(["uid-y"], 0)}


def test_nothing_is_changed() -> None:
    """Asking about victims leaves the snapshot as it was."""
    nodes = snapshot(node("a"), placed=(pod("x", node="a", cpu="4", labels=WEB, affinity=ANTI),))
    before = (nodes.requested["cpu"].tolist(), nodes.pods_on.tolist())
    for labels in ({}, WEB):
        preempt(nodes, pod(cpu="2", labels=labels, priority=10))
    assert (nodes.requested["cpu"].tolist(), nodes.pods_on.tolist()) == before
    kept = list(nodes.anti_affinity.about(pod("p", labels=WEB), {}))
    assert [carried.pods for carried in kept] == [1]
