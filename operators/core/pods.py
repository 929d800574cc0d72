"""A pod as the controllers see it: the facts that rules ask for, read once when the pod arrives.

Mirrors k8s.io/kubernetes pkg/api/v1/pod and pkg/controller/controller_utils.go. A `Pod` holds a fraction of its
JSON: with tens of thousands of them in the cache, that is what keeps the operator small.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from operators.core import objects, probed, runs
from operators.core.objects import Key, Obj, Owner
from operators.core.probed import Probed
from operators.core.runs import Run

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_NUMBER = re.compile(r"-[0-9]{1,10}|0|[1-9][0-9]{0,9}")
"""A deletion cost: neither a plus sign nor leading zeros, no more digits than 32 bits can have."""


NamedPort: TypeAlias = tuple[str, str, int]
"""Name, protocol and number of a port of a container."""


@dataclass(frozen=True, slots=True)
class Pod:
    """What is known of one pod. Times are aware datetimes; `ready_since` is the Ready condition's last transition."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    labels: Mapping[str, str]
    owner: Owner | None
    owner_references: tuple[Obj, ...]
    created: datetime
    terminating: bool
    phase: str
    ready: bool
    ready_since: datetime | None
    node: str
    restarts: int
    sidecar_restarts: int
    deletion_cost: int
    volumes: tuple[Obj, ...] = ()
    """Of a pod that a StatefulSet has or may adopt, which has to have the right ones."""
    pinned_to: str = ""
    """The one node that its required node affinity names, as a daemon's does, while it is on none."""
    run: Run | None = None
    """Of a pod that a Job has or may adopt."""
    probed: Probed | None = None
    """Of a pod that has an address."""
    ips: tuple[str, ...] = ()
    hostname: str = ""
    subdomain: str = ""
    named_ports: tuple[NamedPort, ...] = ()

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def target_node(self) -> str:
        """The node that it is on, or the one that alone can take it; empty where there is no such node."""
        return self.node or self.pinned_to

    @property
    def is_kept_out(self) -> bool:
        """Whether a probe or a readiness gate says that it is not ready, whatever the kubelet has said so far."""
        return self.probed is not None and self.probed.keeps_out

    @property
    def is_terminated(self) -> bool:
        """Whether its containers have ended for good (podutil.IsPodTerminal)."""
        return self.phase in ("Failed", "Succeeded")

    @property
    def is_active(self) -> bool:
        """Whether it counts towards the replicas: neither ended nor being deleted (controller.IsPodActive)."""
        return not self.terminating and not self.is_terminated

    @property
    def is_terminating(self) -> bool:
        """Whether it is being deleted and its containers may still run (controller.IsPodTerminating)."""
        return self.terminating and not self.is_terminated

    def available_in(self, min_ready_seconds: int, now: datetime) -> timedelta | None:
        """How long until it is available: zero where it is, None where it is not ready (podutil.IsPodAvailable)."""
        if not self.ready:
            return None
        if min_ready_seconds == 0:
            return timedelta()
        if self.ready_since is None:
            return None
        return max(timedelta(), self.ready_since + timedelta(seconds=min_ready_seconds) - now)

    def is_available(self, min_ready_seconds: int, now: datetime) -> bool:
        """Whether it has been ready for `min_ready_seconds`."""
        return self.available_in(min_ready_seconds, now) == timedelta()


def parse(obj: Obj) -> Pod:
    """Read a pod from the apiserver's JSON. An annotation that is no number counts as deletion cost 0, as upstream."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    owner = objects.controller_of(obj)
    ready, ready_since = False, None
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            ready = condition["status"] == "True"
            since = condition.get("lastTransitionTime")
            ready_since = objects.parse_time(since) if since else None
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        labels=meta.get("labels") or {},
        owner=owner,
        owner_references=tuple(objects.owner_references(obj)),
        created=objects.parse_time(meta["creationTimestamp"]),
        terminating=meta.get("deletionTimestamp") is not None,
        phase=status.get("phase", ""),
        ready=ready,
        ready_since=ready_since,
        node=spec.get("nodeName", ""),
        restarts=max((c.get("restartCount", 0) for c in status.get("containerStatuses") or ()), default=0),
        sidecar_restarts=_sidecar_restarts(spec, status),
        deletion_cost=_deletion_cost(objects.annotations(obj)),
        volumes=tuple(spec.get("volumes") or ()) if owner is None or owner.kind == "StatefulSet" else (),
        pinned_to="" if spec.get("nodeName") else _pinned_to(spec),
        run=runs.parse(obj) if owner is None or owner.kind == "Job" else None,
        probed=probed.parse(obj),
        ips=tuple(str(entry["ip"]) for entry in status.get("podIPs") or () if entry.get("ip")),
        hostname=spec.get("hostname", ""),
        subdomain=spec.get("subdomain", ""),
        named_ports=_shared(tuple(_named_ports(spec))),
    )


def _named_ports(spec: Obj) -> Iterator[NamedPort]:
    """Yield the ports with names, in the order in which a Service looks for them: sidecars come last."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("name"):
                yield port["name"], port.get("protocol", "TCP"), port["containerPort"]


@lru_cache(maxsize=4096)
def _shared(ports: tuple[NamedPort, ...]) -> tuple[NamedPort, ...]:
    """Return the one tuple of all pods that have the same ports, as those of a workload do."""
    return ports


def _pinned_to(spec: Obj) -> str:
    """Return the node that a required node affinity names by `metadata.name`, empty where it names none or several."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In":
                return str(field["values"][0]) if len(field.get("values") or ()) == 1 else ""
    return ""


def _sidecar_restarts(spec: Obj, status: Obj) -> int:
    """Return the most restarts of an init container that is restarted always, that is, of a sidecar."""
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    statuses = status.get("initContainerStatuses") or ()
    return max((c.get("restartCount", 0) for c in statuses if c["name"] in sidecars), default=0)


def _deletion_cost(annotations: Mapping[str, str]) -> int:
    text = annotations.get(DELETION_COST, "0")
    cost = int(text) if _NUMBER.fullmatch(text) else 0
    return cost if -(2**31) <= cost < 2**31 else 0
