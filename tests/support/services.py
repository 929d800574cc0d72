"""Services, their pods and slices for tests."""

from typing import Any

from operators.core import nodes, pods
from operators.core.endpointslice import Observed
from operators.core.endpointslice.observed import MANAGED_BY, SERVICE_NAME
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Patch, Plan
from operators.core.pods import Pod
from tests.support.builders import NOW, ago, metadata

MANAGER = "endpointslice-controller.kopfwerk.dev"
PORT: Obj = {"port": 80, "protocol": "TCP", "targetPort": 80}


def core(name: str = "web", *, owner: Obj | None = None, meta: Obj | None = None, **spec: Any) -> Obj:
    """Return a core Service as the apiserver shows it: with one port and an address, unless told otherwise."""
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ipFamilies": ["IPv4"], "ports": [PORT], **spec}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name, owner=owner) | (meta or {}),
        "spec": {field: value for field, value in spec.items() if value is not None},
        "status": {"loadBalancer": {}},
    }


def service(name: str = "web", *, meta: Obj | None = None, status: Obj | None = None, **spec: Any) -> Obj:
    """Return a Service of ours that selects app=web."""
    spec = {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80, "protocol": "TCP"}], **spec}
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Service",
        "metadata": metadata(name) | (meta or {}),
        "spec": {field: value for field, value in spec.items() if value is not None},
        "status": status or {},
    }


def worker(name: str, zone: str, cpu: str = "4", *, ready: bool = True, labels: Obj | None = None) -> Obj:
    """Return a node as the cache has it, in a zone unless that is empty."""
    meta = metadata(name, labels={**({nodes.ZONE: zone} if zone else {}), **(labels or {})})
    status = {"conditions": [{"type": "Ready", "status": str(ready)}], "allocatable": {"cpu": cpu} if cpu else {}}
    return nodes.trim({"metadata": meta, "status": status})


def backend(
    name: str = "a",
    *ips: str,
    ready: bool = True,
    phase: str = "Running",
    deleting: bool = False,
    node: str = "node-1",
    since: float = 30,
    **spec: Any,
) -> Pod:
    """Return a pod with an address, drawn from its name unless it is given."""
    number = sum(ord(letter) * 7**place for place, letter in enumerate(name)) % 60000
    addresses = ips or (f"10.0.{number // 250}.{number % 250 + 1}",)
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(since)}
    return pods.parse(
        {
            "metadata": metadata(name, labels={"app": "web"}, deleting=deleting),
            "spec": {"nodeName": node, "containers": [{"name": "app"}], **spec},
            "status": {"phase": phase, "conditions": [condition], "podIPs": [{"ip": ip} for ip in addresses]},
        }
    )


def endpoint(pod: Pod, **changes: Any) -> Obj:
    """Return the endpoint that a ready or unready pod of a node without a zone makes."""
    made = {
        "addresses": list(pod.ips),
        "conditions": {"ready": pod.ready, "serving": pod.ready, "terminating": False},
        "nodeName": pod.node,
        "targetRef": {"kind": "Pod", "namespace": "ns", "name": pod.name, "uid": pod.uid},
    }
    return made | changes


def slice_(name: str, *endpoints: Obj, of: Obj, family: str = "IPv4", **changes: Any) -> Obj:
    """Return a slice of a core Service that we keep."""
    made: Obj = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata(name, owner=of, labels={SERVICE_NAME: "web", MANAGED_BY: MANAGER}),
        "addressType": family,
        "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
        "endpoints": list(endpoints),
    }
    return made | changes


def seen(service: Obj, *backends: Pod, slices: tuple[Obj, ...] = (), **more: Any) -> Observed:
    """Return what is observed of a core Service, all of whose pods' nodes are known."""
    known = {pod.node: worker(pod.node, "") for pod in backends}
    fields: dict[str, Any] = {"selector": {"app": "web"}, "nodes": known, "manager": MANAGER, "now": NOW, **more}
    return Observed(service, pods=backends, slices=slices, **fields)


def kinds(plan: Plan) -> list[str]:
    """Return what a plan does, in order."""
    return [type(step).__name__.lower() for step in plan.steps]


def after(plan: Plan, *before: Obj) -> list[Obj]:
    """Return the slices as a plan leaves them."""
    steps = {step.target.name: step for step in plan.steps if isinstance(step, Patch | Delete)}
    kept = []
    for old in before:
        step = steps.get(old["metadata"]["name"])
        if isinstance(step, Patch):
            kept.append(old | {part: value for part, value in step.body.items() if part != "metadata"})
        elif step is None:
            kept.append(old)
    return [*kept, *(step.body for step in plan.steps if isinstance(step, Create))]
