"""Which nodes each predicate leaves, and what it says about the others."""

from typing import Any

import pytest

from operators.scheduler import feed, placement, preemption
from operators.scheduler.pod import Pod
from operators.scheduler.rules import rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import HOSTNAME, ZONE, node, pod, rows, snapshot

WEB = {"app": "web"}
TERM = {"topologyKey": ZONE, "labelSelector": {"matchLabels": WEB}}


def required(kind: str, *terms: dict[str, Any]) -> dict[str, Any]:
    """Build a required affinity to pods, or anti-affinity."""
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


def selecting(*expressions: dict[str, Any]) -> dict[str, Any]:
    """Build a required node affinity of one term."""
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


def hard(key: str, **more: Any) -> dict[str, Any]:
    """Build a hard spread constraint with maxSkew 1."""
    constraint = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"}
    return {"topologySpreadConstraints": [{**constraint, "labelSelector": {"matchLabels": WEB}, **more}]}


def with_port(name: str = "p", on: str = "", address: str = "") -> Pod:
    """Build a pod with a host port."""
    port = {"containerPort": 80, "hostPort": 80, **({"hostIP": address} if address else {})}
    return pod(name, node=on, containers=[{"name": "c", "ports": [port]}])


ZONES = snapshot(
    node("a", zone="1"), node("b", zone="2"), node("c", zone="2"), node("d"), placed=(pod("x", node="a", labels=WEB),)
)
TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}


def fitting(nodes: Snapshot, one: Pod) -> list[str]:
    """Return the nodes that a pod fits on."""
    return [nodes.names[row] for row in placement.fit(one, nodes, rules(), rows(nodes)).rows]


@pytest.mark.parametrize(
    ("nodes", "one", "want_nodes"),
    [
        pytest.param(ZONES, pod(), "abcd", id="nothing asked"),
        pytest.param(ZONES, pod(node="c"), "c", id="node name"),
        pytest.param(snapshot(node("a", unschedulable=True), node("b")), pod(), "b", id="cordoned"),
        pytest.param(
            snapshot(node("a", unschedulable=True)),
            pod(tolerations=[{"operator": "Exists"}]),
            "a",
            id="tolerates cordon",
        ),
        pytest.param(snapshot(node("a", taints=[TAINT]), node("b")), pod(), "b", id="taint"),
        pytest.param(
            snapshot(node("a", taints=[TAINT])), pod(tolerations=[{"key": "k", "value": "v"}]), "a", id="tolerated"
        ),
        pytest.param(ZONES, pod(nodeSelector={ZONE: "2"}), "bc", id="node selector"),
        pytest.param(
            ZONES, pod(**selecting({"key": ZONE, "operator": "NotIn", "values": ["2"]})), "ad", id="NotIn without label"
        ),
        pytest.param(
            snapshot(*(node(n, labels={"gen": v}) for n, v in (("a", "9"), ("b", "10"), ("c", "x")))),
            pod(**selecting({"key": "gen", "operator": "Gt", "values": ["9"]})),
            "b",
            id="Gt compares numbers",
        ),
        pytest.param(
            snapshot(node("a"), node("b"), placed=(with_port("x", "a", "10.0.0.1"),)),
            with_port(),
            "b",
            id="any address",
        ),
        pytest.param(
            snapshot(node("a"), placed=(with_port("x", "a", "10.0.0.1"),)),
            with_port(address="10.0.0.2"),
            "a",
            id="port at another address",
        ),
        pytest.param(
            snapshot(node("a", cpu="1"), placed=(pod("x", node="a", cpu="600m"),)), pod(cpu="0.4"), "a", id="just fits"
        ),
        pytest.param(
            snapshot(node("a", cpu="1"), placed=(pod("x", node="a", cpu="600m"),)), pod(cpu="401m"), "", id="too large"
        ),
        pytest.param(snapshot(node("a", gpu="1"), node("b")), pod(gpu="1"), "a", id="extended resource"),
        pytest.param(
            snapshot(node("a", room="1"), node("b"), placed=(pod("x", node="a"),)), pod(), "b", id="too many pods"
        ),
        pytest.param(
            snapshot(node("a", cpu="1"), node("b", cpu="2")),
            pod(cpu="500m", overhead={"cpu": "501m"}),
            "b",
            id="overhead counts",
        ),
        pytest.param(ZONES, pod(**required("podAffinity", TERM)), "a", id="pod affinity"),
        pytest.param(ZONES, pod(**required("podAntiAffinity", TERM)), "bcd", id="pod anti-affinity"),
        pytest.param(
            snapshot(node("a", zone="1"), node("b")),
            pod(labels=WEB, **required("podAffinity", TERM)),
            "a",
            id="the first of a group goes where the topology exists",
        ),
        pytest.param(
            snapshot(
                node("a", zone="1"),
                node("b", zone="2"),
                placed=(pod("x", node="a", **required("podAntiAffinity", TERM)),),
            ),
            pod(labels=WEB),
            "b",
            id="anti-affinity of a pod that is there",
        ),
        pytest.param(ZONES, pod(labels=WEB, **hard(ZONE)), "bc", id="spread"),
        pytest.param(ZONES, pod(labels=WEB, **hard(ZONE, minDomains=3)), "bc", id="spread: too few domains count as 0"),
        pytest.param(
            ZONES, pod(labels=WEB, nodeSelector={HOSTNAME: "a"}, **hard(ZONE)), "a", id="spread honors node selector"
        ),
        pytest.param(
            snapshot(node("a", labels={"n": "3"}), node("b", labels={"n": "9" * 30}), node("c", labels={"n": "x"})),
            pod(**selecting({"key": "n", "operator": "Gt", "values": ["2"]})),
            "a",
            id="a number of more than 64 bits is none",
        ),
    ],
)
def test_fitting_nodes(nodes: Snapshot, one: Pod, want_nodes: str) -> None:
    """The pod fits on these nodes and no others."""
    assert "".join(fitting(nodes, one)) == want_nodes


@pytest.mark.parametrize(
    ("nodes", "one", "want"),
    [
        pytest.param(
            snapshot(node("a", cpu="1", memory="1Gi")),
            pod(cpu="2", memory="2Gi"),
            ("Insufficient cpu, Insufficient memory", True),
            id="never enough",
        ),
        pytest.param(
            snapshot(node("a", cpu="1"), placed=(pod("x", node="a", cpu="1"),)),
            pod(cpu="1"),
            ("Insufficient cpu", False),
            id="enough if others went",
        ),
        pytest.param(
            snapshot(node("a", taints=[TAINT], unschedulable=True)),
            pod(),
            ("node(s) were unschedulable", True),
            id="the first predicate says why",
        ),
    ],
)
def test_reason(nodes: Snapshot, one: Pod, want: tuple[str, bool]) -> None:
    """A refused node has upstream's reason, and is final where evicting pods would not help."""
    assert placement.fit(one, nodes, rules(), rows(nodes)).why(nodes.rows["a"]) == want


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("example.com/gpu", id="that the class names"),
        pytest.param("deviceclass.resource.kubernetes.io/gpus", id="of every class"),
    ],
)
def test_a_resource_that_stands_for_devices(resource: str) -> None:
    """A node that does not say it has it is for whoever claims devices to judge; one that says so may be full."""
    plugin = node("plugin")
    plugin["status"]["allocatable"][resource] = "1"
    nodes = snapshot(plugin, node("claims"), placed=(pod("x", node="plugin", overhead={resource: "1"}),))
    asking = pod("p", overhead={resource: "1"}, priority=10)
    assert fitting(nodes, asking) == []
    feed.fill(
        nodes, feed.CLASSES, [{"metadata": {"name": "gpus"}, "spec": {"extendedResourceName": "example.com/gpu"}}]
    )
    assert fitting(nodes, asking) == ["claims"]
    assert preemption.victims(asking, nodes, rules(), ["claims", "plugin"]) == {
        "plugin": preemption.Victims(["uid-x"], 0)
    }
