"""How a pod becomes an endpoint, and which ports it has there."""

from datetime import timedelta
from typing import Any

import pytest

from operators.core import nodes
from operators.core.endpointslice.endpoints import belongs, endpoint, is_same, ports
from operators.core.endpointslice.observed import families
from operators.core.endpointslice.trigger import Triggers, trigger
from operators.core.objects import Obj
from operators.core.pods import Pod
from tests.support.builders import NOW
from tests.support.services import backend, core, worker

HTTP = {"name": "http", "containerPort": 8080}


@pytest.mark.parametrize(
    ("pod", "spec", "want"),
    [
        pytest.param(backend(), {}, (True, True, False), id="ready"),
        pytest.param(backend(ready=False), {}, (False, False, False), id="not ready"),
        pytest.param(backend(deleting=True), {}, (False, True, True), id="serving until its end"),
        pytest.param(backend(ready=False, deleting=True), {}, (False, False, True), id="ending, and no more"),
        pytest.param(backend(ready=False), {"publishNotReadyAddresses": True}, (True, False, False), id="published"),
        pytest.param(backend(deleting=True), {"publishNotReadyAddresses": True}, (True, True, True), id="to its end"),
    ],
)
def test_conditions(pod: Pod, spec: dict[str, Any], want: tuple[bool, bool, bool]) -> None:
    """Ready is who is to be connected to, serving who would answer, terminating who is about to go."""
    made = endpoint(pod, None, core(**spec), "IPv4")
    assert made is not None
    assert tuple(made["conditions"].values()) == want
    assert list(made["conditions"]) == ["ready", "serving", "terminating"]


@pytest.mark.parametrize(
    ("ips", "family", "want"),
    [
        pytest.param(("10.0.0.1",), "IPv4", ["10.0.0.1"], id="IPv4"),
        pytest.param(("10.0.0.1",), "IPv6", None, id="none of the family"),
        pytest.param(("10.0.0.1", "fd00::1"), "IPv4", ["10.0.0.1"], id="the first of both"),
        pytest.param(("10.0.0.1", "fd00::1"), "IPv6", ["fd00::1"], id="the second of both"),
        pytest.param(("010.000.0.01",), "IPv4", ["10.0.0.1"], id="leading zeros"),
        pytest.param(("FD00:0::1",), "IPv6", ["fd00::1"], id="written otherwise"),
        pytest.param(("::ffff:10.0.0.1",), "IPv4", ["10.0.0.1"], id="mapped"),
        pytest.param(("nonsense",), "IPv4", None, id="no address"),
    ],
)
def test_addresses(ips: tuple[str, ...], family: str, want: list[str] | None) -> None:
    """A slice has addresses of one family, as they are properly written."""
    made = endpoint(backend("a", *ips), None, core(), family)
    assert (made and made["addresses"]) == want


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(backend(), True, id="running"),
        pytest.param(backend(ready=False), True, id="not ready"),
        pytest.param(backend(deleting=True), True, id="ending"),
        pytest.param(backend(phase="Succeeded"), False, id="succeeded"),
        pytest.param(backend(phase="Failed"), False, id="failed"),
        pytest.param(backend("a", ""), False, id="without an address"),
    ],
)
def test_membership(pod: Pod, *, want: bool) -> None:
    """What has an address and has not ended is an endpoint."""
    assert belongs(pod) is want


def test_where_it_is() -> None:
    """Its node, its zone, itself; and its hostname where its subdomain is the Service."""
    pod = backend("a", node="n1", hostname="first", subdomain="web")
    made = endpoint(pod, worker("n1", "east"), core(), "IPv4")
    assert made is not None
    assert (made["nodeName"], made["zone"], made["hostname"]) == ("n1", "east", "first")
    assert made["targetRef"] == {"kind": "Pod", "namespace": "ns", "name": "a", "uid": "uid-a"}
    elsewhere = endpoint(pod, worker("n1", ""), core("other"), "IPv4")
    assert elsewhere is not None
    assert not {"zone", "hostname"} & elsewhere.keys()


@pytest.mark.parametrize(
    ("wanted", "spec", "want"),
    [
        pytest.param({"targetPort": 8080}, {}, [8080], id="a number"),
        pytest.param({"targetPort": "http"}, {"containers": [{"ports": [HTTP]}]}, [8080], id="a name"),
        pytest.param({"targetPort": "x"}, {"containers": [{"ports": [HTTP]}]}, [], id="a name that it has not"),
        pytest.param(
            {"targetPort": "http", "protocol": "UDP"}, {"containers": [{"ports": [HTTP]}]}, [], id="another protocol"
        ),
        pytest.param(
            {"targetPort": "http"},
            {"containers": [{}], "initContainers": [{"name": "side", "ports": [HTTP], "restartPolicy": "Always"}]},
            [8080],
            id="a sidecar's",
        ),
        pytest.param(
            {"targetPort": "http"}, {"containers": [{}], "initContainers": [{"ports": [HTTP]}]}, [], id="of a start"
        ),
        pytest.param(
            {"targetPort": "http"},
            {"containers": [{"ports": [HTTP]}, {"ports": [HTTP | {"containerPort": 9}]}]},
            [8080],
            id="the first of two",
        ),
    ],
)
def test_ports(wanted: Obj, spec: dict[str, Any], want: list[int]) -> None:
    """A named port is looked up in each pod."""
    service = core(ports=[{"port": 80, "protocol": "TCP", **wanted}])
    assert [port["port"] for port in ports(service, backend(**spec))] == want


def test_what_a_port_says() -> None:
    """Name, number, protocol, and the protocol of the application where there is one."""
    port = {"name": "web", "port": 80, "protocol": "TCP", "targetPort": 8080, "appProtocol": "kubernetes.io/h2c"}
    assert ports(core(ports=[port]), backend()) == [
        {"name": "web", "port": 8080, "protocol": "TCP", "appProtocol": "kubernetes.io/h2c"}
    ]


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        pytest.param({"ipFamilies": ["IPv4"]}, ("IPv4",), id="one"),
        pytest.param({"ipFamilies": ["IPv6", "IPv4"]}, ("IPv6", "IPv4"), id="both"),
        pytest.param({"ipFamilies": None}, ("IPv4",), id="of its address"),
        pytest.param({"ipFamilies": None, "clusterIP": "fd00::7"}, ("IPv6",), id="of its other address"),
        pytest.param({"ipFamilies": None, "clusterIP": "None"}, ("IPv4", "IPv6"), id="headless and not said"),
    ],
)
def test_families(spec: dict[str, Any], want: tuple[str, ...]) -> None:
    """A Service has slices of the families of its addresses."""
    assert families(core(**spec)) == want


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"hints": {"forZones": []}}, True, id="hints, which are set later"),
        pytest.param({"nodeName": "n2"}, False, id="the node"),
        pytest.param({"zone": "west"}, False, id="the zone"),
        pytest.param({"conditions": {"ready": False}}, False, id="a condition"),
        pytest.param(
            {"targetRef": {"kind": "Pod", "name": "a", "uid": "1", "resourceVersion": "7"}}, True, id="version"
        ),
        pytest.param({"targetRef": {"kind": "Pod", "name": "a", "uid": "2"}}, False, id="another of its name"),
    ],
)
def test_sameness(change: Obj, *, want: bool) -> None:
    """What makes it necessary to write an endpoint anew."""
    before = {
        "addresses": ["10.0.0.1"],
        "conditions": {"ready": True},
        "nodeName": "n1",
        "zone": "east",
        "targetRef": {"kind": "Pod", "name": "a", "uid": "1"},
    }
    assert is_same(before, before | change) is want


@pytest.mark.parametrize(
    ("known", "since", "want"),
    [
        pytest.param(None, 10, 60, id="first, its making"),
        pytest.param({"a": 30}, 30, None, id="nothing new"),
        pytest.param({"a": 30}, 10, 10, id="a pod that changed"),
        pytest.param({}, 10, 10, id="a pod that is new"),
        pytest.param({"a": 10}, 30, None, id="a pod that went back"),
    ],
)
def test_trigger(known: dict[str, float] | None, since: float, want: float | None) -> None:
    """A change is dated by what led to it."""
    before = None
    if known is not None:
        moments = {name: NOW - timedelta(seconds=seconds) for name, seconds in known.items()}
        before = Triggers(NOW - timedelta(seconds=60), moments)
    moment, after = trigger(before, core(), [backend(since=since)])
    assert (NOW - moment).total_seconds() == want if moment is not None else want is None
    assert after.pods == {"a": NOW - timedelta(seconds=since)}


def test_what_is_kept_of_a_node() -> None:
    """Zone and CPU survive the trimming of the cache."""
    node = worker("n1", "east", "3900m")
    assert (nodes.zone(node), nodes.allocatable_cpu(node)) == ("east", "3900m")
