"""Which nodes a DaemonSet's pods belong on."""

from typing import Any

import pytest

from operators.core import pods
from operators.core.daemonset import Placement
from operators.core.daemonset.placement import pinned, tolerations
from tests.support.daemons import node

RUN, STAY, NO = (True, True), (False, True), (False, False)


def _required(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"affinity": {"nodeAffinity": required}}


def _label(operator: str, *values: str, key: str = "disk") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def _name(operator: str, *values: str, key: str = "metadata.name") -> dict[str, Any]:
    return {"matchFields": [{"key": key, "operator": operator, "values": list(values)}]}


SSD = node("a", labels={"disk": "ssd", "cores": "8"})


@pytest.mark.parametrize(
    ("spec", "on", "want"),
    [
        pytest.param({}, SSD, RUN, id="without demands every node"),
        pytest.param({"nodeName": "a"}, SSD, RUN, id="the node that is named"),
        pytest.param({"nodeName": "b"}, SSD, NO, id="another node is named"),
        pytest.param({"nodeSelector": {"disk": "ssd"}}, SSD, RUN, id="nodeSelector that fits"),
        pytest.param({"nodeSelector": {"disk": "ssd", "gpu": "1"}}, SSD, NO, id="nodeSelector of which one part fits"),
        pytest.param(_required(_label("In", "hdd", "ssd")), SSD, RUN, id="In"),
        pytest.param(_required(_label("NotIn", "hdd")), SSD, RUN, id="NotIn"),
        pytest.param(_required(_label("NotIn", "hdd", key="gpu")), SSD, RUN, id="NotIn of a label that is missing"),
        pytest.param(_required(_label("Exists")), SSD, RUN, id="Exists"),
        pytest.param(_required(_label("DoesNotExist")), SSD, NO, id="DoesNotExist"),
        pytest.param(_required(_label("Gt", "4", key="cores")), SSD, RUN, id="Gt"),
        pytest.param(_required(_label("Gt", "8", key="cores")), SSD, NO, id="Gt of the same number"),
        pytest.param(_required(_label("Lt", "9", key="cores")), SSD, RUN, id="Lt"),
        pytest.param(_required(_label("Lt", "9")), SSD, NO, id="Lt of what is no number"),
        pytest.param(_required(_label("Gt", "1", "2", key="cores")), SSD, NO, id="Gt of two numbers"),
        pytest.param(_required(_label("In", "hdd"), _label("Exists")), SSD, RUN, id="one of two terms is enough"),
        pytest.param(_required(_label("In", "ssd") | _name("In", "b")), SSD, NO, id="all of a term is needed"),
        pytest.param(_required(_name("In", "a")), SSD, RUN, id="by its name"),
        pytest.param(_required(_name("NotIn", "a")), SSD, NO, id="by its name, not"),
        pytest.param(_required(_name("In", "a", "b")), SSD, NO, id="two names cannot be meant"),
        pytest.param(
            _required(_name("NotIn", "x", key="spec.other")), SSD, RUN, id="a field that no node has is empty"
        ),
        pytest.param(_required({}), SSD, NO, id="an empty term takes none"),
        pytest.param(_required(), SSD, NO, id="no terms take none"),
        pytest.param(_required(_label("Near", "x")), SSD, NO, id="an operator that there is not"),
        pytest.param({}, node("a", taints=("gpu:NoSchedule",)), STAY, id="NoSchedule lets stay"),
        pytest.param({}, node("a", taints=("gpu:NoExecute",)), NO, id="NoExecute does not"),
        pytest.param({}, node("a", taints=("gpu:PreferNoSchedule",)), RUN, id="PreferNoSchedule does not matter"),
        pytest.param({}, node("a", taints=("node.kubernetes.io/unschedulable:NoSchedule",)), RUN, id="cordoned"),
        pytest.param({}, node("a", taints=("node.kubernetes.io/not-ready:NoExecute",)), RUN, id="not ready"),
        pytest.param(
            {}, node("a", taints=("node.kubernetes.io/not-ready:NoSchedule",)), STAY, id="not ready, other effect"
        ),
        pytest.param(
            {}, node("a", taints=("node.kubernetes.io/network-unavailable:NoSchedule",)), STAY, id="no network"
        ),
        pytest.param(
            {"hostNetwork": True},
            node("a", taints=("node.kubernetes.io/network-unavailable:NoSchedule",)),
            RUN,
            id="no network needs none",
        ),
        pytest.param(
            {"tolerations": [{"key": "gpu", "value": "1"}]}, node("a", taints=("gpu=1:NoExecute",)), RUN, id="tolerated"
        ),
        pytest.param(
            {"tolerations": [{"key": "gpu", "value": "2"}]},
            node("a", taints=("gpu=1:NoExecute",)),
            NO,
            id="other value",
        ),
        pytest.param({"tolerations": [{"operator": "Exists"}]}, node("a", taints=("x=1:NoExecute",)), RUN, id="all"),
        pytest.param(
            {"tolerations": [{"key": "n", "operator": "Gt", "value": "0"}]},
            node("a", taints=("n=1:NoSchedule",)),
            STAY,
            id="comparing tolerations are behind a gate that is off",
        ),
        pytest.param({}, node("a", unschedulable=True), RUN, id="being unschedulable counts by its taint alone"),
    ],
)
def test_where_pods_belong(spec: dict[str, Any], on: dict[str, Any], want: tuple[bool, bool]) -> None:
    """A node gets a pod, may keep one that it has, or neither."""
    assert Placement({"spec": spec}).on(on) == want


def test_default_tolerations_replace_equal_ones_and_follow_the_others() -> None:
    """A toleration of the user's that differs in its seconds alone becomes an unlimited one, in its place."""
    own = [
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
        {"key": "gpu", "operator": "Exists"},
    ]
    found = tolerations({"tolerations": own})
    assert found[0] == {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    assert [t["key"].rpartition("/")[2] for t in found[1:]] == [
        "gpu", "not-ready", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable",
    ]  # fmt: skip


def test_pinning_keeps_what_is_preferred() -> None:
    """Only the required node affinity is replaced."""
    preferred = [{"weight": 1, "preference": _label("Exists")}]
    affinity = {"podAffinity": {"x": 1}, "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    affinity["nodeAffinity"] |= _required(_label("Exists"))["affinity"]["nodeAffinity"]
    found = pinned(affinity, "a")
    assert found["podAffinity"] == {"x": 1}
    assert found["nodeAffinity"] == {
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        **_required(_name("In", "a"))["affinity"]["nodeAffinity"],
    }


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        pytest.param({"affinity": pinned(None, "a")}, "a", id="pinned"),
        pytest.param({"affinity": pinned(None, "a"), "nodeName": "b"}, "b", id="on a node"),
        pytest.param(_required(_name("In", "a", "b")), "", id="two names"),
        pytest.param({}, "", id="anywhere"),
    ],
)
def test_a_pods_target_node(spec: dict[str, Any], want: str) -> None:
    """A pod is counted for the node that it is on or, until then, for the one that it is pinned to."""
    meta = {
        "namespace": "ns",
        "name": "p",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2030-01-01T00:00:00Z",
    }
    assert pods.parse({"metadata": meta, "spec": spec}).target_node == want
