"""Explanations: who won by what, what is in the way on each node, and what would make the pod fit there."""

import pytest

from operators.core.objects import Obj
from operators.scheduler.explaining import explain
from operators.scheduler.pod import Pod, parse
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.profiles import read
from operators.scheduler.rules import Rules, rules
from operators.scheduler.snapshot import Snapshot
from operators.scheduler.telling import tell
from tests.scheduler.building import HOSTNAME, MIB, ZONE, member, node, pod, snapshot

TAINT = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
ALONE = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "web"}}}
HARD = {
    "maxSkew": 1,
    "topologyKey": ZONE,
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": {"app": "web"}},
}


@pytest.mark.parametrize(
    ("refusing", "asking", "want_reason", "want_remedies"),
    [
        pytest.param(
            node("a", cpu="4"),
            pod(cpu="6"),
            "Insufficient cpu",
            ["it had 6 cpu free (it has 3500m of 4)"],
            id="cpu",
        ),
        pytest.param(
            node("a", memory="8Gi"),
            pod(memory="20Gi"),
            "Insufficient memory",
            ["it had 20Gi memory free (it has 8192Mi of 8192Mi)"],
            id="memory",
        ),
        pytest.param(node("a", room="1"), pod(), "Too many pods", ["it took more than 1 pod"], id="pods"),
        pytest.param(
            node("a", taints=[TAINT]),
            pod(),
            "node(s) had taints that the pod didn't tolerate",
            ["the pod tolerated dedicated=db:NoSchedule"],
            id="taint",
        ),
        pytest.param(
            node("a", taints=[{"key": "dedicated", "effect": "NoExecute"}]),
            pod(),
            "node(s) had taints that the pod didn't tolerate",
            ["the pod tolerated dedicated:NoExecute"],
            id="taint without a value",
        ),
        pytest.param(
            node("a", unschedulable=True), pod(), "node(s) were unschedulable", ["it were uncordoned"], id="cordoned"
        ),
        pytest.param(
            node("a"),
            pod(nodeSelector={"disk": "ssd"}),
            "node(s) didn't match Pod's node affinity/selector",
            ["it had the label disk=ssd"],
            id="selector",
        ),
        pytest.param(
            node("a"),
            pod(topologySpreadConstraints=[HARD]),
            "node(s) didn't match pod topology spread constraints (missing required label)",
            [f"it had the label {ZONE}"],
            id="no zone",
        ),
    ],
)
def test_what_is_in_the_way(refusing: Obj, asking: Pod, want_reason: str, want_remedies: list[str]) -> None:
    """A node with a pod of half a CPU says why it refuses, and what would have to be different."""
    nodes = snapshot(refusing, placed=(pod("there", node="a", cpu="500m"),))
    [refused] = explain(asking, nodes, rules())["refused"]
    assert (refused["reason"], refused["wouldFitIf"]) == (want_reason, want_remedies)


def test_a_rule_of_ones_own_may_use_our_words() -> None:
    """It refuses for want of something that is no resource: there is nothing more to say about it."""

    def refuse(_: Pod, nodes: Snapshot) -> list[Refusal]:
        return [Refusal(nodes.alive, "Insufficient bandwidth")]

    found = explain(pod(), snapshot(node("a")), Rules({"Bandwidth": refuse}, {}))
    assert found["refused"] == [
        {"node": "a", "reason": "Insufficient bandwidth", "unresolvable": False, "wouldFitIf": []}
    ]


def test_a_placed_pod_is_explained_as_if_it_were_to_be_placed() -> None:
    """It does not stand in its own way, is not held to be where it is, and the best comes first."""
    images = [{"names": ["app:latest"], "sizeBytes": 900 * MIB}]
    placed = pod("p", node="full", cpu="4")
    nodes = snapshot(node("empty", cpu="8", images=images), node("full", cpu="4"), placed=(placed,))

    got = explain(placed, nodes, rules())

    assert (got["on"], [one["node"] for one in got["nodes"]]) == ("full", ["empty", "full"])
    assert got["chosen"] == "empty"
    assert all(one["total"] == sum(one["scores"].values()) for one in got["nodes"])
    assert nodes.pods_on.sum() == 1


def test_victims_are_named() -> None:
    """A pod that fits nowhere says whom it could have evicted."""
    nodes = snapshot(node("a"), placed=(pod("small", node="a", cpu="4"),))
    assert explain(pod("p", cpu="2", priority=5), nodes, rules())["victims"] == {"a": ["default/small"]}


def test_told() -> None:
    """The text has the table, the difference, and the refused nodes by reason."""
    nodes = snapshot(
        node("a", cpu="8"), node("b"), node("c", taints=[TAINT]), placed=(pod("other", node="b", cpu="2"),)
    )
    lines = list(tell(explain(pod("p", cpu="1", memory="1Gi"), nodes, rules()), 10))

    assert lines[:2] == ["default/p is not placed.", "As the cluster is now, it fits on 2 of 3 nodes; the best is a."]
    assert lines[3].split()[:3] == ["NODE", "TOTAL", "TaintToleration"]
    assert [line.split()[0] for line in lines[4:6]] == ["a", "b"]
    assert lines[7].startswith("a is better than b by ")
    assert "NodeResourcesFit +" in lines[7]
    assert lines[-2:] == [
        "  node(s) had taints that the pod didn't tolerate: 1",
        "    c: would fit if the pod tolerated dedicated=db:NoSchedule",
    ]


def test_all_that_is_in_the_way_is_told_in_one_sentence() -> None:
    """A node that lacks two things would have to have both."""
    told = list(tell(explain(pod(cpu="6", memory="20Gi"), snapshot(node("a")), rules()), 10))
    assert told[-1] == (
        "    a: would fit if it had 6 cpu free (it has 4 of 4) and it had 20Gi memory free (it has 8192Mi of 8192Mi)"
    )


@pytest.mark.parametrize(
    ("asking", "want"),
    [
        pytest.param(
            pod(cpu="6", nodeSelector={"disk": "ssd"}),
            ["it had the label disk=ssd", "it had 6 cpu free (it has 4 of 4)"],
            id="both are told",
        ),
        pytest.param(
            pod(cpu="6", affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [ALONE]}}),
            [],
            id="nothing is known against one of them",
        ),
    ],
)
def test_a_node_that_several_rules_refuse(asking: Pod, want: list[str]) -> None:
    """It would fit if all of them had nothing against it: to mend the first alone is not enough."""
    nodes = snapshot(node("a"), placed=(pod("there", node="a", labels={"app": "web"}),))
    [refused] = explain(asking, nodes, rules())["refused"]
    assert refused["wouldFitIf"] == want


def test_long_lists_are_cut() -> None:
    """Of many nodes some are shown, and how many there are besides."""
    nodes = snapshot(*(node(f"n{number}") for number in range(5)))
    assert "  and 3 more" in list(tell(explain(pod("p"), nodes, rules()), 2))


@pytest.mark.parametrize(
    ("annotation", "namespace_profile", "want_node"),
    [
        pytest.param("", "default", "empty", id="the namespace spreads"),
        pytest.param("", "packed", "busy", id="the namespace packs"),
        pytest.param("packed", "default", "busy", id="the pod chooses for itself"),
        pytest.param("nosuch", "default", "", id="there is no such profile"),
    ],
)
def test_profiles(annotation: str, namespace_profile: str, want_node: str) -> None:
    """The pod's annotation decides, then its namespace."""
    packed = {"strategy": "MostAllocated", "weights": {"NodeResourcesFit": 10}}
    profiles = read({"profiles": {"packed": packed}, "namespaces": {"default": namespace_profile}})
    nodes = snapshot(node("empty"), node("busy"), placed=(pod("x", node="busy", cpu="2", memory="4Gi"),))
    asking = pod("p", cpu="1", memory="2Gi", annotations={"kopfwerk.dev/scheduler-profile": annotation})

    got = explain(asking, nodes, profiles.of(asking))

    assert got["chosen"] == want_node
    if not want_node:
        assert {one["reason"] for one in got["refused"]} == {
            "node(s) have no part in this: the pod asks for a scheduler profile that there is not"
        }


def gang(*placed: str, waiting: int = 0) -> list[Pod]:
    """Build the pods of a group of five: those that are on nodes, and those that wait, each for a CPU."""
    built = [member(f"p{number}", node=where, cpu="1") for number, where in enumerate(placed)]
    built += [member(f"w{number}", cpu="1") for number in range(waiting)]
    return [parse(obj) for obj in built]


@pytest.mark.parametrize(
    ("pods", "want"),
    [
        pytest.param(gang(waiting=3), "3 of 5 pods exist", id="too few"),
        pytest.param(
            gang(waiting=1) + [parse(member(f"g{n}", cpu="1", schedulingGates=[{"name": "q"}])) for n in range(4)],
            "1 of 5 pods can be placed, the others have gates or are for another scheduler",
            id="gated",
        ),
        pytest.param(gang(waiting=5), "room for 4 of 5 pods", id="no room for all"),
        pytest.param(gang("a", "a", waiting=2), "4 of 5 pods exist", id="too few beside those that are placed"),
        pytest.param(gang("a", "b", waiting=3), "room for 4 of 5 pods", id="no room for the rest"),
        pytest.param(gang("a", "a", "b", "b", "b"), "5 of 5 pods are placed", id="placed"),
    ],
)
def test_a_group_is_explained(pods: list[Pod], want: str) -> None:
    """How many there are, or for how many there is room; nothing is held for it."""
    nodes = snapshot(node("a", cpu="2"), node("b", cpu="2"), placed=tuple(pods))
    asking = next((one for one in pods if not one.node and one.group and not one.group.gated), pods[0])
    before = nodes.requested["cpu"].copy()

    got = explain(asking, nodes, rules())

    assert got["group"]["says"] == want
    assert f"It is placed together with others: group g: {want}." in list(tell(got, 10))
    assert (nodes.requested["cpu"] == before).all()
    assert nodes.assumed_count == 0


def test_for_a_group_nobody_is_evicted() -> None:
    """As the extender has it: that would help one of its pods and not the group."""
    less = pod("less", node="a", cpu="2")
    pods = [parse(member(f"w{number}", cpu="1", priority=5)) for number in range(5)]
    nodes = snapshot(node("a", cpu="2"), placed=(less, *pods))
    assert explain(pods[0], nodes, rules())["victims"] == {}
