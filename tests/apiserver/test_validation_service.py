"""Services: what the core's apiserver takes is taken in our group, what it refuses is refused at the same field."""

from typing import Any

import pytest

from operators.core.admission.review import Review
from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits, collection, manifest

pytestmark = pytest.mark.cluster

LOCAL: Edits = {"spec.type": "LoadBalancer", "spec.externalTrafficPolicy": "Local"}


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({}, id="the least"),
        pytest.param({"spec.selector": ABSENT}, id="no selector"),
        pytest.param({"spec.ports.0.targetPort": "http"}, id="a named target port"),
        pytest.param({"spec.ports.0.appProtocol": "kubernetes.io/h2c"}, id="appProtocol"),
        pytest.param({"spec.clusterIP": "None", "spec.ports": ABSENT}, id="headless without ports"),
        pytest.param({"spec.type": "NodePort"}, id="NodePort"),
        pytest.param({"spec.type": "NodePort", "spec.ports.0.nodePort": 31999}, id="a port of the nodes"),
        pytest.param(LOCAL, id="LoadBalancer, local"),
        pytest.param({"spec.type": "LoadBalancer", "spec.loadBalancerClass": "x.io/y"}, id="a class"),
        pytest.param({"spec.type": "LoadBalancer", "spec.allocateLoadBalancerNodePorts": False}, id="no node ports"),
        pytest.param({"spec": {"type": "ExternalName", "externalName": "x.io"}}, id="ExternalName"),
        pytest.param({"spec.sessionAffinity": "ClientIP"}, id="affinity"),
        pytest.param({"spec.internalTrafficPolicy": "Local"}, id="internalTrafficPolicy"),
        pytest.param({"spec.trafficDistribution": "PreferSameNode"}, id="trafficDistribution"),
        pytest.param({"spec.publishNotReadyAddresses": True}, id="publishNotReadyAddresses"),
        pytest.param({"spec.ipFamilyPolicy": "PreferDualStack"}, id="both families if there are"),
        pytest.param({"spec.externalIPs": ["192.0.2.1"]}, id="external addresses"),
        pytest.param({"metadata.name": "1web"}, id="a name that begins with a digit"),
    ],
)
async def test_taken(client: Client, edits: Edits) -> None:
    """What the apiserver takes as its own is taken."""
    await validation.compare_taken(client, "Service", edits)


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({"spec.ports": ABSENT}, id="no ports"),
        pytest.param({"spec.ports": [{"port": 80}, {"port": 81}]}, id="two ports without names"),
        pytest.param({"spec.ports.0.port": 0}, id="port 0"),
        pytest.param({"spec.ports.0.port": 70000}, id="a port that there is not"),
        pytest.param({"spec.ports.0.targetPort": "-"}, id="a target port that is no name"),
        pytest.param({"spec.ports.0.nodePort": 31999}, id="a port of the nodes for a ClusterIP"),
        pytest.param({"spec.ports.0.protocol": "ICMP"}, id="unknown protocol"),
        pytest.param({"spec.type": "Other"}, id="unknown type"),
        pytest.param({"spec.type": "ExternalName"}, id="ExternalName without a name"),
        pytest.param({"spec.type": "NodePort", "spec.clusterIP": "None"}, id="headless NodePort"),
        pytest.param({"spec.clusterIP": "192.0.2.1"}, id="an address out of range"),
        pytest.param({"spec.clusterIP": "here"}, id="no address"),
        pytest.param({"spec.selector": {"app": "-"}}, id="a selector of no labels"),
        pytest.param({"spec.sessionAffinity": "Cookie"}, id="unknown affinity"),
        pytest.param({"spec.externalIPs": ["127.0.0.1"]}, id="external loopback"),
        pytest.param({"spec.loadBalancerClass": "x.io/y"}, id="a class without a load balancer"),
        pytest.param({"spec.trafficDistribution": "Anywhere!"}, id="unknown distribution"),
        pytest.param({"spec.ipFamilyPolicy": "RequireDualStack"}, id="both families where there are not"),
        pytest.param({"metadata.name": "-web"}, id="a name that DNS does not take"),
        pytest.param({"metadata.name": "web.example"}, id="a name with a dot"),
        pytest.param({"spec.unknown": 1}, id="unknown field"),
    ],
)
async def test_refused(client: Client, edits: Edits) -> None:
    """What the apiserver refuses as its own is refused, at the same field."""
    await validation.compare_refused(client, "Service", edits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"clusterIP": "10.96.99.1"}, {"clusterIP": "10.96.99.2"}, id="the address"),
        pytest.param({"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv6"]}, id="the family"),
        pytest.param(
            {"type": "LoadBalancer", "loadBalancerClass": "x.io/y"}, {"loadBalancerClass": "x.io/z"}, id="the class"
        ),
        pytest.param({"type": "LoadBalancer"}, {"loadBalancerClass": "x.io/z"}, id="a class where there was none"),
    ],
)
@pytest.mark.parametrize("group", ["", KOPFWERK])
async def test_what_never_changes(client: Client, group: str, before: Obj, after: Obj) -> None:
    """It is refused without a webhook, in upstream's words where those do not speak of what was allocated."""
    url = collection("Service", group)
    edits = {f"spec.{field}": value for field, value in before.items()}
    await client.request("POST", url, manifest("Service", group, edits))
    try:
        with pytest.raises(ApiError, match=r"may not change once set|expected an IPv6 value"):
            await client.request("PATCH", f"{url}/web", {"spec": after}, content_type=MERGE_PATCH)
    finally:
        await client.request("DELETE", f"{url}/web")


async def test_what_it_has_is_its_own(client: Client) -> None:
    """An update may repeat the address and the port of the nodes that are taken: it is the Service that has them."""
    held: dict[str, Any] = {"spec.type": "NodePort", "spec.clusterIP": "10.96.99.9", "spec.ports.0.nodePort": 31998}
    core = collection("Service", "")
    await client.request("POST", core, manifest("Service", "", held))
    try:
        old = manifest("Service", KOPFWERK, held)
        new = manifest("Service", KOPFWERK, {**held, "spec.sessionAffinity": "ClientIP"})
        assert await validation.updated(client, Review("UPDATE", new, old)) is None
        wrong = manifest("Service", KOPFWERK, {**held, "spec.ports.0.port": 0})
        assert "spec.ports[0].port" in str(await validation.updated(client, Review("UPDATE", wrong, old)))
    finally:
        await client.request("DELETE", f"{core}/web")


async def test_the_allocated_address_stays(client: Client) -> None:
    """Another than the one that is in the status is refused, in upstream's words."""
    old = manifest("Service", KOPFWERK, {}) | {"status": {"clusterIP": "10.96.99.5"}}
    new = manifest("Service", KOPFWERK, {"spec.clusterIP": "10.96.99.6"})
    said = await validation.updated(client, Review("UPDATE", new, old))
    assert said == (
        'Service.kopfwerk.dev "web" is invalid: '
        'spec.clusterIPs[0]: Invalid value: ["10.96.99.6"]: may not change once set'
    )
