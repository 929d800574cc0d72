"""A model of the apiserver, small enough to be believed: what the runtime rests on, and no more.

It has objects with UIDs, resourceVersions and generations, preconditions, merge patches, the status subresource,
graceful deletion of pods, garbage collection by owner, and a history from which watches are served.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from operators.core.endpointslice import ENDPOINTSLICES
from operators.core.nodes import NODES
from operators.core.objects import (
    PODPROBES,
    PODS,
    Key,
    Obj,
    Resource,
    cronjobs,
    daemonsets,
    deployments,
    format_time,
    jobs,
    key,
    replicasets,
    services,
    statefulsets,
    uid,
)
from operators.core.revisions import CONTROLLERREVISIONS
from operators.core.service import SERVICES
from operators.core.statefulset import CLAIMS
from operators.runtime.client import ApiError
from tests.support.builders import NOW

GROUP = "kopfwerk.dev"
REPLICASETS, DEPLOYMENTS, STATEFULSETS = replicasets(GROUP), deployments(GROUP), statefulsets(GROUP)
DAEMONSETS = daemonsets(GROUP)
RESOURCES = (PODS, REPLICASETS, DEPLOYMENTS)
"""What ReplicaSets and Deployments are about."""
JOBS, CRONJOBS = jobs(GROUP), cronjobs(GROUP)
OURS = services(GROUP)
ALL = (
    *RESOURCES,
    STATEFULSETS,
    DAEMONSETS,
    JOBS,
    CRONJOBS,
    CLAIMS,
    CONTROLLERREVISIONS,
    NODES,
    OURS,
    SERVICES,
    ENDPOINTSLICES,
    PODPROBES,
)
"""What the apiserver serves."""


def copy(obj: Any) -> Any:
    """Return a copy that shares nothing, as what goes over a wire."""
    return orjson.loads(orjson.dumps(obj))


@dataclass(frozen=True)
class Change:
    """One committed write: `before` None is a creation, `after` None a removal."""

    version: int
    resource: Resource
    before: Obj | None
    after: Obj | None
    by_operator: bool


@dataclass
class Store:
    """All objects, and everything that ever happened to them. `check` is called after every single write."""

    check: Callable[[Change], None]
    clock: Callable[[], float]
    version: int = 100
    objects: dict[Resource, dict[Key, Obj]] = field(default_factory=lambda: {r: {} for r in ALL})
    history: list[Change] = field(default_factory=list)
    _uids: int = 0

    def get(self, resource: Resource, key_: Key) -> Obj:
        """Return an object. Raises ApiError 404."""
        try:
            return self.objects[resource][key_]
        except KeyError:
            raise ApiError(404, "NotFound", f"{resource} {key_[1]} not found") from None

    def all(self, resource: Resource) -> list[Obj]:
        """Return every object, by name."""
        return [obj for _, obj in sorted(self.objects[resource].items())]

    def find(self, uid_: str) -> Obj | None:
        """Return the object with a UID."""
        return next((o for r in ALL for o in self.objects[r].values() if uid(o) == uid_), None)

    def create(self, resource: Resource, body: Obj, *, by_operator: bool = False) -> Obj:
        """Create an object. Raises ApiError AlreadyExists."""
        obj: Obj = copy(body)
        if key(obj) in self.objects[resource]:
            raise ApiError(409, "AlreadyExists", f"{resource} {obj['metadata']['name']!r} already exists")
        self._uids += 1
        stamp = format_time(self.now())
        obj["metadata"] |= {"uid": f"uid-{self._uids:05}", "creationTimestamp": stamp, "generation": 1}
        obj.setdefault("apiVersion", resource.api_version)
        obj.setdefault("kind", resource.kind)
        obj["status"] = {"phase": "Pending"} if resource == PODS else {}
        if resource == SERVICES:
            obj["spec"] = {"clusterIP": f"10.96.0.{self._uids}", "ipFamilies": ["IPv4"]} | obj["spec"]
        return self._commit(resource, None, obj, by_operator=by_operator)

    def patch(self, resource: Resource, key_: Key, body: Obj, *, by_operator: bool = False) -> Obj:
        """Apply a merge patch; metadata.uid and metadata.resourceVersion in it are preconditions."""
        before = self.get(resource, key_)
        _precondition(before, body.get("metadata") or {})
        after: Obj = copy(_merge(before, body))
        if after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] += 1
        return self._commit(resource, before, after, by_operator=by_operator)

    def patch_strategically(self, key_: Key, body: Obj, *, by_operator: bool = False) -> Obj:
        """Apply a strategic merge patch of a pod: conditions of other types stay, and finalizers that are not named."""
        before = self.get(PODS, key_)
        meta = dict(body["metadata"])
        released = meta.pop("$deleteFromPrimitiveList/finalizers", ())
        if released:
            meta["finalizers"] = [one for one in before["metadata"].get("finalizers", ()) if one not in released]
        whole = body | {"metadata": meta}
        if "status" in body:
            given = {condition["type"]: condition for condition in body["status"]["conditions"]}
            there = before["status"].get("conditions") or []
            kept = [condition for condition in there if condition["type"] not in given]
            added = [condition for condition in given.values() if condition.get("$patch") != "delete"]
            whole |= {"status": {"conditions": [*kept, *added]}}
        return self.patch(PODS, key_, whole, by_operator=by_operator)

    def put_status(self, resource: Resource, key_: Key, body: Obj, *, by_operator: bool = False) -> Obj:
        """Replace the status, at the resourceVersion that the body names."""
        before = self.get(resource, key_)
        _precondition(before, body["metadata"])
        return self._commit(resource, before, copy(before | {"status": body["status"]}), by_operator=by_operator)

    def delete(self, resource: Resource, key_: Key, *, uid_: str = "", by_operator: bool = False) -> Obj:
        """Delete an object; a pod on a node only begins to end."""
        before = self.get(resource, key_)
        _precondition(before, {"uid": uid_} if uid_ else {})
        if resource == PODS and before["spec"].get("nodeName"):
            if "deletionTimestamp" in before["metadata"]:
                return before
            meta = before["metadata"] | {"deletionTimestamp": format_time(self.now()), "deletionGracePeriodSeconds": 30}
            return self._commit(resource, before, before | {"metadata": meta}, by_operator=by_operator)
        return self.remove(resource, key_, by_operator=by_operator)

    def remove(self, resource: Resource, key_: Key, *, by_operator: bool = False) -> Obj:
        """Remove an object at once."""
        return self._commit(resource, self.get(resource, key_), None, by_operator=by_operator)

    def collect_garbage(self) -> None:
        """Delete what all owners of are gone."""
        for resource in (REPLICASETS, PODS, CLAIMS, CONTROLLERREVISIONS, SERVICES, ENDPOINTSLICES):
            for obj in self.all(resource):
                refs = obj["metadata"].get("ownerReferences") or ()
                if refs and all(not ref["uid"].startswith("foreign") and not self.find(ref["uid"]) for ref in refs):
                    self.delete(resource, key(obj))

    def since(self, resource: Resource, version: int) -> Iterator[Change]:
        """Return what happened to a resource after `version`."""
        recent = []
        for change in reversed(self.history):
            if change.version <= version:
                break
            if change.resource == resource:
                recent.append(change)
        return reversed(recent)

    def now(self) -> datetime:
        """Return the time of day in this world."""
        return NOW + timedelta(seconds=self.clock())

    def _commit(self, resource: Resource, before: Obj | None, after: Obj | None, *, by_operator: bool) -> Obj:
        last: Obj = copy(after if after is not None else before)
        if before is not None and before == after:
            return last
        self.version += 1
        last["metadata"]["resourceVersion"] = str(self.version)
        if after is None:
            del self.objects[resource][key(last)]
        else:
            self.objects[resource][key(last)] = last
        change = Change(self.version, resource, before, None if after is None else last, by_operator)
        self.history.append(change)
        self.check(change)
        answer: Obj = copy(last)
        return answer


def event(change: Change) -> bytes:
    """Return a change as the line of a watch."""
    obj = change.after
    kind = "ADDED" if change.before is None else "MODIFIED"
    if obj is None:
        assert change.before is not None
        kind = "DELETED"
        obj = change.before | {"metadata": change.before["metadata"] | {"resourceVersion": str(change.version)}}
    return orjson.dumps({"type": kind, "object": obj})


def _precondition(obj: Obj, wanted: Obj) -> None:
    for part in ("uid", "resourceVersion"):
        if part in wanted and wanted[part] != obj["metadata"][part]:
            raise ApiError(409, "Conflict", f"{part} is {obj['metadata'][part]}, not {wanted[part]}")


def _merge(old: Any, patch: Any) -> Any:
    """Apply a merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif not (name in ("uid", "resourceVersion") and name in new):
            new[name] = _merge(new.get(name), value)
    return new
