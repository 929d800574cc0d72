"""Kubernetes objects as the apiserver's JSON, and the few questions that every kind asks of their metadata.

Objects are plain dictionaries, shared between the cache and everyone who reads it: nothing may change one in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

Obj: TypeAlias = dict[str, Any]
"""An object, or a part of one, as decoded JSON. Never changed in place."""

Key: TypeAlias = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A served resource: where its collection lives, and what its objects say they are."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


KOPFWERK = "kopfwerk.dev"
"""The API group of the custom resources."""

PODS = Resource("", "v1", "pods", "Pod")


def replicasets(group: str) -> Resource:
    """ReplicaSets of an API group: `apps` or `kopfwerk.dev`."""
    return Resource(group, "v1", "replicasets", "ReplicaSet")


def deployments(group: str) -> Resource:
    """Deployments of an API group: `apps` or `kopfwerk.dev`."""
    return Resource(group, "v1", "deployments", "Deployment")


def statefulsets(group: str) -> Resource:
    """StatefulSets of an API group: `apps` or `kopfwerk.dev`."""
    return Resource(group, "v1", "statefulsets", "StatefulSet")


def daemonsets(group: str) -> Resource:
    """DaemonSets of an API group: `apps` or `kopfwerk.dev`."""
    return Resource(group, "v1", "daemonsets", "DaemonSet")


def jobs(group: str) -> Resource:
    """Jobs of an API group: `batch` or `kopfwerk.dev`."""
    return Resource(group, "v1", "jobs", "Job")


def services(group: str) -> Resource:
    """Services of an API group: the core one, which has no name, or `kopfwerk.dev`."""
    return Resource(group, "v1", "services", "Service")


def cronjobs(group: str) -> Resource:
    """CronJobs of an API group: `batch` or `kopfwerk.dev`."""
    return Resource(group, "v1", "cronjobs", "CronJob")


PODPROBES = Resource(KOPFWERK, "v1", "podprobes", "PodProbe")
"""There is no built-in kind that does what they do."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller that an object's ownerReferences name: there is at most one."""

    api_version: str
    kind: str
    name: str
    uid: str

    @property
    def group(self) -> str:
        """The API group alone, without the version."""
        return self.api_version.rpartition("/")[0]


def key(obj: Obj) -> Key:
    """Return namespace (empty for cluster-scoped objects) and name."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def name(obj: Obj) -> str:
    """Return `metadata.name`."""
    return str(obj["metadata"]["name"])


def uid(obj: Obj) -> str:
    """Return `metadata.uid`."""
    return str(obj["metadata"]["uid"])


def labels(obj: Obj) -> Mapping[str, str]:
    """Return `metadata.labels`, empty where there are none."""
    return obj["metadata"].get("labels") or {}


def annotations(obj: Obj) -> Mapping[str, str]:
    """Return `metadata.annotations`, empty where there are none."""
    return obj["metadata"].get("annotations") or {}


def generation(obj: Obj) -> int:
    """Return `metadata.generation`, which counts the changes of the spec."""
    return int(obj["metadata"].get("generation", 0))


def is_terminating(obj: Obj) -> bool:
    """Whether a deletion has been asked for."""
    return obj["metadata"].get("deletionTimestamp") is not None


def owner_references(obj: Obj) -> list[Obj]:
    """Return `metadata.ownerReferences`, empty where there are none."""
    return obj["metadata"].get("ownerReferences") or []


def controller_of(obj: Obj) -> Owner | None:
    """Return the owner whose reference says `controller: true`."""
    for ref in owner_references(obj):
        if ref.get("controller"):
            return Owner(ref["apiVersion"], ref["kind"], ref["name"], ref["uid"])
    return None


def controller_reference(owner: Obj) -> Obj:
    """Return the ownerReference by which `owner` controls what it creates (metav1.NewControllerRef)."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def without_zeros(status: Obj) -> Obj:
    """Return a status as built-in kinds keep it, which leave out counts of zero, but for the one that is a pointer."""
    return {name: value for name, value in status.items() if value != 0 or name == "terminatingReplicas"}


def parse_time(text: str) -> datetime:
    """Read a metav1.Time or MicroTime: RFC 3339, in UTC."""
    return datetime.fromisoformat(text)


def format_time(moment: datetime) -> str:
    """Write a metav1.Time: RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
