"""Services in a world where anything may happen at any moment: pods, slices, and others with their names."""

import logging
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from operators.core import objects
from operators.core.endpointslice import ENDPOINTSLICES, MANAGERS
from operators.core.endpointslice.observed import MANAGED_BY, SERVICE_NAME
from operators.core.nodes import NODES as NODE
from operators.core.objects import KOPFWERK, PODS, Obj, key
from operators.core.service import SERVICES
from tests.properties import rights
from tests.properties.conftest import PROFILE
from tests.properties.listing import ListingRules
from tests.properties.store import OURS
from tests.properties.trouble import MOMENTS, PICK, Trouble
from tests.properties.world import NODES

NAMES = st.sampled_from(["web", "web", "api"])
APPS = st.sampled_from(["web", "web", "api"])
PORTS = st.sampled_from([
    [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    [{"port": 80, "protocol": "TCP", "targetPort": "http"}],
    [{"port": 80, "protocol": "TCP", "targetPort": 80}, {"port": 81, "protocol": "TCP", "targetPort": "http"}],
])  # fmt: skip
DISTRIBUTIONS = st.sampled_from([None, None, "PreferSameZone", "PreferSameNode"])
NUMBERS = st.sampled_from([None, 8080, 8080, 9090])
OTHERS = st.sampled_from([None, "somebody.example.com", "endpointslice-controller.k8s.io"])
UNASKED = (
    ("", "services", "get"),  # where the answer to the creation of one is lost
    ("kopfwerk.dev", "services", "get"),  # nobody is adopted
    ("discovery.k8s.io", "endpointslices", "get"),  # where an answer is lost for good
)


class Listing(Trouble):
    """Services of ours, and everything that befalls them."""

    judge = ListingRules

    @initialize(ports=PORTS, pods=st.lists(NUMBERS, max_size=4))
    def begin(self, ports: list[Obj], pods: list[int | None]) -> None:
        """Create the nodes, a Service and some pods."""
        for number, node in enumerate(NODES):
            labels = {"topology.kubernetes.io/zone": f"zone-{number}"}
            self.world.store.create(NODE, {"metadata": {"name": node, "labels": labels}, "spec": {}})
        self.made = 0
        self.service_comes("web", "web", ports, None, 0)
        for port in pods:
            self.pod_comes("web", port, 0)

    @rule(name=NAMES, app=APPS, ports=PORTS, distribution=DISTRIBUTIONS, seconds=MOMENTS)
    def service_comes(self, name: str, app: str, ports: list[Obj], distribution: str | None, seconds: float) -> None:
        """Somebody creates a Service, or changes the one that there is."""
        spec: Obj = {"type": "ClusterIP", "selector": {"app": app}, "ports": ports}
        if distribution:
            spec["trafficDistribution"] = distribution
        if ("ns", name) in self.world.store.objects[OURS]:
            self.world.store.patch(OURS, ("ns", name), {"spec": {"trafficDistribution": None, **spec}})
        else:
            self.world.store.create(OURS, {"metadata": {"namespace": "ns", "name": name}, "spec": spec})
        self.after(seconds)

    @rule(pick=PICK, published=st.booleans(), label=st.sampled_from([None, "x", "y"]), seconds=MOMENTS)
    def service_changes(self, pick: int, label: str | None, seconds: float, *, published: bool) -> None:
        """Somebody changes what it publishes, and its labels."""
        if (ours := self.some(OURS, pick)) is not None:
            change = {"metadata": {"labels": {"team": label}}, "spec": {"publishNotReadyAddresses": published}}
            self.world.store.patch(OURS, key(ours), change)
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def service_goes(self, pick: int, seconds: float) -> None:
        """Somebody deletes a Service; the garbage collector comes when it comes."""
        if (ours := self.some(OURS, pick)) is not None:
            self.world.store.remove(OURS, key(ours))
        self.after(seconds)

    @rule(pick=PICK, how=st.sampled_from(["deleted", "selector", "port", "label"]), seconds=MOMENTS)
    def core_service_is_tampered_with(self, pick: int, how: str, seconds: float) -> None:
        """Somebody deletes a core Service, or changes it."""
        changes: dict[str, Obj] = {
            "selector": {"spec": {"selector": {"app": "other"}}},
            "port": {"spec": {"ports": [{"port": 1, "protocol": "TCP"}]}},
            "label": {"metadata": {"labels": {"cloud": "x", "team": "z"}}},
        }
        core = self.some(SERVICES, pick)
        if core is not None and how == "deleted":
            self.world.store.remove(SERVICES, key(core))
        elif core is not None and objects.controller_of(core) is not None:
            self.world.store.patch(SERVICES, key(core), changes[how])
        self.after(seconds)

    @rule(name=NAMES, seconds=MOMENTS)
    def somebody_takes_the_name(self, name: str, seconds: float) -> None:
        """Somebody has a core Service of that name, where it is free."""
        if ("ns", name) not in self.world.store.objects[SERVICES]:
            self.world.store.create(SERVICES, {"metadata": {"namespace": "ns", "name": name}, "spec": {"ports": []}})
        self.after(seconds)

    @rule(pick=PICK, how=st.sampled_from(["deleted", "emptied", "doubled", "given"]), manager=OTHERS, seconds=MOMENTS)
    def slice_is_tampered_with(self, pick: int, how: str, manager: str | None, seconds: float) -> None:
        """Somebody deletes a slice, empties it, copies it, or takes it over."""
        store, found = self.world.store, self.some(ENDPOINTSLICES, pick)
        if found is not None and how == "deleted":
            store.remove(ENDPOINTSLICES, key(found))
        elif found is not None and how == "emptied":
            store.patch(ENDPOINTSLICES, key(found), {"endpoints": []})
        elif found is not None and how == "given":
            store.patch(ENDPOINTSLICES, key(found), {"metadata": {"labels": {MANAGED_BY: manager}}})
        elif found is not None:
            self.made += 1
            kept = {part: found["metadata"].get(part) for part in ("labels", "ownerReferences", "namespace")}
            store.create(ENDPOINTSLICES, found | {"metadata": kept | {"name": f"copy-{self.made}"}})
        self.after(seconds)

    @rule(name=NAMES, manager=OTHERS, seconds=MOMENTS)
    def foreign_slice(self, name: str, manager: str | None, seconds: float) -> None:
        """Somebody keeps a slice of his own for a Service of that name."""
        self.made += 1
        labels = {SERVICE_NAME: name, **({MANAGED_BY: manager} if manager else {})}
        meta = {"namespace": "ns", "name": f"foreign-{self.made}", "labels": labels}
        body: Obj = {"metadata": meta, "addressType": "IPv4", "ports": [], "endpoints": []}
        self.world.store.create(ENDPOINTSLICES, body)
        self.after(seconds)

    @rule(app=APPS, port=NUMBERS, seconds=MOMENTS)
    def pod_comes(self, app: str, port: int | None, seconds: float) -> None:
        """Somebody creates a pod, with a named port or without."""
        self.made += 1
        container: dict[str, Any] = {"name": "app", "image": "app:1"}
        if port is not None:
            container["ports"] = [{"name": "http", "containerPort": port}]
        meta = {"namespace": "ns", "name": f"pod-{self.made}", "labels": {"app": app}}
        self.world.store.create(PODS, {"metadata": meta, "spec": {"containers": [container]}})
        self.after(seconds)

    @rule(
        pick=PICK,
        how=st.sampled_from(["ready", "unready", "unready", "Failed", "deleted", "removed", "relabelled"]),
        seconds=MOMENTS,
    )
    def pod_changes(self, pick: int, how: str, seconds: float) -> None:
        """One pod changes its state or its labels, or somebody deletes it, gently or by force."""
        self.befall(self.some(PODS, pick), how, "api")
        self.after(seconds)


def test_each_pod_is_listed_once_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever befalls Services, slices and the operator: nothing of others is written, and all ends as asked for."""
    caplog.set_level(logging.CRITICAL)
    profile = settings.get_profile(PROFILE)
    fewer = settings(profile, max_examples=profile.max_examples // 4)  # five resources are watched
    run_state_machine_as_test(Listing, settings=fewer)
    assert MANAGERS[KOPFWERK] != MANAGERS[""]
    rights.check("service", "endpointslice", unasked=UNASKED)
