"""EndpointSlices of our Services beside those that kube-controller-manager keeps for core ones: which pods, and how."""

import asyncio
from typing import Any

import pytest

from operators.core.objects import Obj
from tests.parity.slices import Seen, Slices, endpoints, every, listed, ready, sizes

pytestmark = pytest.mark.cluster

TWO_PORTS: list[Obj] = [{"name": "web", "port": 80, "targetPort": "http"}, {"name": "more", "port": 81}]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="a number"),
        pytest.param({"ports": [{"port": 80, "targetPort": "http"}]}, id="a named target port"),
        pytest.param({"ports": [{"port": 80, "targetPort": "none"}]}, id="a target port that no pod has"),
        pytest.param({"ports": TWO_PORTS}, id="two ports"),
        pytest.param({"ports": [{"port": 53, "protocol": "UDP", "targetPort": "http"}]}, id="another protocol"),
        pytest.param({"ports": [{"port": 80, "appProtocol": "kubernetes.io/h2c"}]}, id="appProtocol"),
        pytest.param({"clusterIP": "None"}, id="headless"),
        pytest.param({"clusterIP": "None", "ports": None}, id="headless without ports"),
        pytest.param({"type": "NodePort", "externalTrafficPolicy": "Local"}, id="NodePort, local"),
        pytest.param({"type": "LoadBalancer"}, id="LoadBalancer without one"),
        pytest.param({"sessionAffinity": "ClientIP", "internalTrafficPolicy": "Local"}, id="affinity and policy"),
        pytest.param({"trafficDistribution": "PreferSameZone"}, id="prefer the zone"),
        pytest.param({"trafficDistribution": "PreferSameNode"}, id="prefer the node"),
        pytest.param({"trafficDistribution": "PreferClose"}, id="prefer what is close"),
    ],
)
async def test_create(slices: Slices, spec: dict[str, Any]) -> None:
    """Pods of three nodes, one of them not ready, as endpoints of each kind of Service."""
    await slices.pods("a", node="node-1")
    await slices.pods("b", node="node-2")
    await slices.pods("c", node="node-3", sim={"ready": "false"})
    await slices.service(meta={"labels": {"team": "x"}}, **spec)
    await slices.agree(every(listed(3, ready=2), sizes(3)))


async def test_no_pods(slices: Slices) -> None:
    """A slice without endpoints holds the place, and is filled."""
    await slices.service()
    await slices.agree(sizes(0))
    await slices.pods("a")
    await slices.agree(ready("a"))
    await slices.delete_pods("a")
    await slices.agree(sizes(0))


async def test_no_selector(slices: Slices) -> None:
    """Its slices are somebody else's affair, and nobody touches those."""
    await slices.foreign("hand-made", None)
    await slices.pods("a")
    await slices.service(selector=None)
    await slices.agree(sizes(1))


async def test_external_name(slices: Slices) -> None:
    """There is nothing to list."""
    await slices.pods("a")
    await slices.service(type="ExternalName", externalName="example.com", ports=None)
    await asyncio.sleep(1)
    await slices.agree(sizes())


async def test_readiness_that_comes_and_goes(slices: Slices) -> None:
    """A pod that is not ready stays listed, and is not ready there."""
    await slices.pods("a", "b")
    await slices.service()
    await slices.agree(ready("a", "b"))
    await slices.simulate("a", ready="false")
    await slices.agree(every(ready("b"), listed(2)))
    await slices.simulate("a", ready=None)
    await slices.agree(ready("a", "b"))


async def test_publish_not_ready_addresses(slices: Slices) -> None:
    """All are ready, whatever they are; and no longer, once it is taken back."""
    await slices.pods("a", "b", sim={"ready": "false"})
    await slices.service(publishNotReadyAddresses=True)
    await slices.agree(ready("a", "b"))
    await slices.edit(publishNotReadyAddresses=False)
    await slices.agree(every(ready(), listed(2)))


async def test_terminating(slices: Slices) -> None:
    """A pod that ends serves on, terminating, until it is gone."""
    # The longer of two times that only the annotation's end cuts short: both sides can come to rest meanwhile.
    await slices.pods("a", "b", sim={"terminate-after": "1h"}, terminationGracePeriodSeconds=300)
    await slices.service()
    await slices.agree(ready("a", "b"))
    await slices.delete_pods("a")

    def serves_on(seen: Seen) -> bool:
        (ending,) = [e["conditions"] for e in endpoints(seen) if e["pod"] == "a"] or [{}]
        return bool(ending == {"ready": False, "serving": True, "terminating": True})

    await slices.agree(serves_on)
    await slices.simulate("a", terminate_after=None)
    await slices.agree(every(ready("b"), listed(1)))


async def test_ended(slices: Slices) -> None:
    """A pod that has ended is no endpoint."""
    await slices.pods("a", "b", restartPolicy="Never")
    await slices.service()
    await slices.agree(ready("a", "b"))
    await slices.simulate("b", exit_after="1s")
    await slices.agree(every(ready("a"), listed(1)))


async def test_labels_of_pods(slices: Slices) -> None:
    """Pods come and go by their labels."""
    await slices.pods("a")
    await slices.pods("b", labels={"app": "other"})
    await slices.service()
    await slices.agree(ready("a"))
    await slices.change_pod("b", app="web")
    await slices.agree(ready("a", "b"))
    await slices.change_pod("a", app=None)
    await slices.agree(ready("b"))


async def test_the_selector_changes(slices: Slices) -> None:
    """Others are listed."""
    await slices.pods("a")
    await slices.pods("b", labels={"app": "other"})
    await slices.service()
    await slices.agree(ready("a"))
    await slices.edit(selector={"app": "other"})
    await slices.agree(ready("b"))


async def test_the_ports_change(slices: Slices) -> None:
    """The slice becomes another's, with the same pods."""
    await slices.pods("a", "b")
    await slices.service()
    await slices.agree(ready("a", "b"))
    await slices.edit(ports=TWO_PORTS)
    await slices.agree(every(ready("a", "b"), lambda seen: len(seen[0]["ports"]) == 2))


async def test_a_named_port_that_differs(slices: Slices) -> None:
    """Pods with other numbers are in a slice of their own."""
    await slices.pods("a", "b")
    ports = [{"name": "http", "containerPort": 9090}]
    await slices.pods("c", containers=[{"name": "app", "image": "app:1", "ports": ports}])
    await slices.service(ports=[{"port": 80, "targetPort": "http"}])
    await slices.agree(sizes(1, 2))


async def test_a_named_port_of_a_sidecar(slices: Slices) -> None:
    """A sidecar's port is found; that of an init container is not."""
    sidecar = {"name": "side", "image": "side:1", "ports": [{"name": "side", "containerPort": 15000}]}
    app = {"name": "app", "image": "app:1"}
    await slices.pods("a", containers=[app], initContainers=[{**sidecar, "restartPolicy": "Always"}])
    await slices.pods("b", containers=[app], initContainers=[sidecar])
    await slices.service(ports=[{"port": 80, "targetPort": "side"}])
    await slices.agree(sizes(1, 1))


async def test_hostnames(slices: Slices) -> None:
    """A pod whose subdomain is the Service has its hostname there."""
    await slices.pods("a", hostname="first", subdomain="web")
    await slices.pods("b", hostname="second", subdomain="other")
    await slices.service(clusterIP="None")
    await slices.agree(every(listed(2), lambda seen: sum("hostname" in e for e in endpoints(seen)) == 1))


async def test_labels_of_the_service(slices: Slices) -> None:
    """They are the slices' too, and follow; those that say what a slice is, do not."""
    await slices.pods("a")
    reserved = {"kubernetes.io/service-name": "no", "service.kubernetes.io/headless": "no"}
    await slices.service(meta={"labels": {"team": "x", **reserved}})
    await slices.agree(ready("a"))
    await slices.edit(meta={"labels": {"team": None, "tier": "front"}})
    await slices.agree(lambda seen: seen[0]["labels"] == {"tier": "front", "kubernetes.io/service-name": "web"})


async def test_two_services(slices: Slices) -> None:
    """A pod is listed by each that selects it."""
    await slices.pods("a")
    await slices.service()
    await slices.service("also")
    await slices.agree(every(listed(2), sizes(1, 1)))


async def test_slices_of_others(slices: Slices) -> None:
    """Nobody touches them, and they count for nothing."""
    await slices.foreign("hand-made", None)
    await slices.foreign("somebodys", "controller.example.com")
    await slices.pods("a")
    await slices.service()
    await slices.agree(every(sizes(1, 1, 1), ready("a")))


async def test_slices_are_tampered_with(slices: Slices) -> None:
    """They become again what they have to be."""
    await slices.pods("a", "b")
    await slices.service()
    await slices.agree(ready("a", "b"))
    await slices.tamper({"endpoints": [{"addresses": ["192.0.2.9"], "conditions": {"ready": True}}]})
    await slices.agree(every(ready("a", "b"), listed(2)))


async def test_slices_are_deleted(slices: Slices) -> None:
    """They come again."""
    await slices.pods("a")
    await slices.service()
    await slices.agree(ready("a"))
    await slices.lose()
    await slices.agree(ready("a"))


async def test_traffic_distribution_changes(slices: Slices) -> None:
    """Hints come, become others, and go."""
    await slices.pods("a", node="node-1")
    await slices.pods("b", node="node-2")
    await slices.service()
    await slices.agree(lambda seen: listed(2)(seen) and all("hints" not in e for e in endpoints(seen)))
    await slices.edit(trafficDistribution="PreferSameNode")
    await slices.agree(lambda seen: all("forNodes" in e.get("hints", {}) for e in endpoints(seen)))
    await slices.edit(trafficDistribution="PreferSameZone")
    await slices.agree(lambda seen: all(list(e.get("hints", {})) == ["forZones"] for e in endpoints(seen)))
    await slices.edit(trafficDistribution=None)
    await slices.agree(lambda seen: all("hints" not in e for e in endpoints(seen)))


async def test_topology_mode_with_too_few(slices: Slices) -> None:
    """Fewer endpoints than zones cannot be spread: there are no hints."""
    await slices.pods("a", "b")
    await slices.service(meta={"annotations": {"service.kubernetes.io/topology-mode": "Auto"}})
    await slices.agree(lambda seen: ready("a", "b")(seen) and all("hints" not in e for e in endpoints(seen)))


async def test_the_service_is_deleted(slices: Slices) -> None:
    """Its slices go with it; others of its name stay."""
    await slices.foreign("hand-made", None)
    await slices.pods("a")
    await slices.service()
    await slices.agree(every(ready("a"), sizes(1, 1)))
    await slices.delete()
    await slices.agree(sizes(1))


async def test_the_service_comes_again(slices: Slices) -> None:
    """What has its name by then has slices of its own."""
    await slices.pods("a")
    await slices.service()
    await slices.agree(ready("a"))
    await slices.delete()
    await slices.agree(sizes())
    await slices.service()
    await slices.agree(every(ready("a"), sizes(1)))


async def test_it_becomes_an_external_name(slices: Slices) -> None:
    """What was listed is left behind, and taken up again."""
    await slices.pods("a")
    await slices.service()
    await slices.agree(ready("a"))
    await slices.edit(type="ExternalName", externalName="example.com")
    await slices.agree(sizes(1))
    await slices.pods("b")
    await slices.edit(type="ClusterIP", externalName=None)
    await slices.agree(ready("a", "b"))


@pytest.mark.xdist_group("many pods")
async def test_more_than_fit_into_a_slice(slices: Slices) -> None:
    """A hundred at most are in each, and each pod is in one, whatever comes and goes."""
    names = [f"p{number}" for number in range(120)]
    for number in range(1, 7):
        await slices.pods(*names[number - 1 :: 6], node=f"node-{number}")
    await slices.service()
    await slices.agree(listed(120, ready=120), in_company=False)
    await slices.delete_pods(*names[:30])
    await slices.agree(listed(90, ready=90), in_company=False)
    await slices.pods(*names[:20])
    await slices.agree(listed(110, ready=110), in_company=False)
    for namespace in slices.namespaces:
        assert all(len(slice_["endpoints"]) <= 100 for slice_ in await slices.own_slices(namespace))
