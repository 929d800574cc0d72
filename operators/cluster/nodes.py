"""Simulated nodes: how one is described, and how they come, stop, start again and go while the cluster runs.

KWOK plays the kubelet of every node whose label says that its kubelet runs. It watches by that label, so changing the
label ends the heartbeats and whatever the kubelet would do to pods, and changing it back resumes both: what a machine
that loses power and returns looks like from the control plane. (KWOK can select by annotation too, but then it does not
notice when a node no longer matches.)
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from operators.cluster.api import MERGE, Api, ApiError
from operators.cluster.errors import ClusterError
from operators.core.objects import Obj

KUBELET: Final = "sim.kopfwerk.dev/kubelet"
"""The label that says how a simulated node's kubelet is."""
RUNNING: Final = "running"
STOPPED: Final = "stopped"
ZONES: Final = ("zone-a", "zone-b", "zone-c")

_NODES: Final = "/api/v1/nodes"
_NUMBERED: Final = re.compile(r"node-([0-9]+)")


@dataclass(frozen=True, slots=True)
class Size:
    """What a node has to offer, as quantities."""

    cpu: str = "32"
    memory: str = "256Gi"
    pods: str = "110"


def build(name: str, zone: str, size: Size = Size()) -> Obj:
    """Describe a node whose kubelet runs; KWOK fills in the rest of its status."""
    resources = {"cpu": size.cpu, "memory": size.memory, "pods": size.pods, "ephemeral-storage": "100Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "node.kubernetes.io/instance-type": "simulated",
                "topology.kubernetes.io/region": "simulated",
                "topology.kubernetes.io/zone": zone,
                KUBELET: RUNNING,
            },
        },
        "status": {"capacity": resources, "allocatable": resources},
    }


def ensure(api: Api, count: int) -> None:
    """Have the nodes 1 to `count`, in the three zones by turns; those that exist stay as they are."""
    for number in range(1, count + 1):
        try:
            api.request("POST", _NODES, build(f"node-{number}", zone_of(number)))
        except ApiError as error:
            if error.status != 409:
                raise


def add(api: Api, count: int = 1, zone: str | None = None, size: Size = Size()) -> list[str]:
    """Create more nodes, in a zone or in the three by turns, and return their names: the next free numbers.

    ClusterError where the apiserver refuses the zone or the size.
    """
    names = []
    first = next_number(node["metadata"]["name"] for node in api.get(_NODES)["items"])
    for number in range(first, first + count):
        node = build(f"node-{number}", zone or zone_of(number), size)
        try:
            names.append(api.request("POST", _NODES, node)["metadata"]["name"])
        except ApiError as error:
            raise ClusterError(f"the apiserver refuses the node: {error}") from error
    return names


def zone_of(number: int) -> str:
    """The zone of a numbered node: the first is in the first zone, and so on by turns."""
    return ZONES[(number - 1) % len(ZONES)]


def next_number(names: Iterable[str]) -> int:
    """The number after the greatest in use: numbers of nodes that are gone in between are not used again."""
    return max((int(match[1]) for name in names if (match := _NUMBERED.fullmatch(name))), default=0) + 1


def stop(api: Api, name: str) -> None:
    """Let a node's kubelet die: no heartbeat, and no change to its pods, deleted ones included."""
    _label(api, name, STOPPED)


def start(api: Api, name: str) -> None:
    """Let a node's kubelet return: it reports itself ready, and catches up with its pods."""
    _label(api, name, RUNNING)


def remove(api: Api, name: str) -> None:
    """Delete a node. The control plane's garbage collector then deletes the pods that were on it."""
    _existing(api, "DELETE", name)


def is_ready(api: Api, name: str) -> bool:
    """Whether the control plane considers a node ready."""
    conditions = _existing(api, "GET", name).get("status", {}).get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _label(api: Api, name: str, value: str) -> None:
    if KUBELET not in _existing(api, "GET", name)["metadata"].get("labels", {}):
        raise ClusterError(f"node {name!r} is not simulated: it has no label {KUBELET}")
    _existing(api, "PATCH", name, {"metadata": {"labels": {KUBELET: value}}})


def _existing(api: Api, method: str, name: str, body: Any = None) -> Any:
    """Send a request about one node; ClusterError where there is none of the name."""
    try:
        return api.request(method, f"{_NODES}/{name}", body, MERGE)
    except ApiError as error:
        if error.status == 404:
            raise ClusterError(f"there is no node {name!r}") from None
        raise
