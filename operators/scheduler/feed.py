"""Keeps a snapshot up to date from the project's informers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from operators.core import selectors
from operators.core.objects import PODS, Key, Obj, Resource, key
from operators.core.selectors import Selector
from operators.runtime.client import Requests
from operators.runtime.informer import Informer, Subscriber
from operators.scheduler import node, pod
from operators.scheduler.node import Node
from operators.scheduler.placed import Budget
from operators.scheduler.pod import Pod
from operators.scheduler.snapshot import Snapshot

K = TypeVar("K")
V = TypeVar("V")

NODES: Final = Resource("", "v1", "nodes", "Node", namespaced=False)
NAMESPACES: Final = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
SERVICES: Final = Resource("", "v1", "services", "Service")
OWNERS: Final = (
    Resource("", "v1", "replicationcontrollers", "ReplicationController"),
    Resource("apps", "v1", "replicasets", "ReplicaSet"),
    Resource("apps", "v1", "statefulsets", "StatefulSet"),
)
"""Whose pods are spread by default."""
BUDGETS: Final = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
CLASSES: Final = Resource("resource.k8s.io", "v1", "deviceclasses", "DeviceClass", namespaced=False)
WATCHED: Final = (NAMESPACES, SERVICES, *OWNERS, BUDGETS, CLASSES, NODES, PODS)
"""Everything that the extender lists and watches."""
_NOT_ENDED: Final = "status.phase!=Succeeded,status.phase!=Failed"
"""Pods of Jobs that have ended may be many times those that take room."""


@dataclass(frozen=True, slots=True)
class _Selecting:
    """An object of which only its selector matters."""

    key: Key
    selector: Any


def informers(client: Requests, snapshot: Snapshot) -> list[Informer[Any]]:
    """Return the informers that feed a snapshot: to be run, and to be waited for."""
    found = []
    for resource, (parse, subscriber) in _readers(snapshot).items():
        informer: Informer[Any] = Informer(client, resource, parse, {}, _NOT_ENDED if resource == PODS else "")
        informer.subscribe(subscriber)
        found.append(informer)
    return found


def fill(snapshot: Snapshot, resource: Resource, objects: Iterable[Obj]) -> None:
    """Put a list of objects into a snapshot that nothing else feeds."""
    parse, subscriber = _readers(snapshot)[resource]
    for obj in objects:
        subscriber(None, parse(obj))


def _readers(snapshot: Snapshot) -> dict[Resource, tuple[Callable[[Obj], Any], Subscriber[Any]]]:
    """Return for everything that is watched how it is read, and what its changes change. Pods come last."""
    return {
        NAMESPACES: (_namespace, _entries(snapshot, snapshot.namespaces, decides_fit=True)),
        SERVICES: (_service, _services(snapshot)),
        **{owner: (_owner(owner), _entries(snapshot, snapshot.owners, decides_fit=False)) for owner in OWNERS},
        BUDGETS: (_budget, _budgets(snapshot)),
        CLASSES: (_class, _entries(snapshot, snapshot.device_classes, decides_fit=True)),
        NODES: (node.parse, _nodes(snapshot)),
        PODS: (pod.parse, _pods(snapshot)),
    }


def _service(obj: Obj) -> _Selecting:
    return _Selecting(key(obj), obj["spec"].get("selector") or {})


def _namespace(obj: Obj) -> tuple[str, Mapping[str, str]]:
    return obj["metadata"]["name"], obj["metadata"].get("labels") or {}


def _owner(resource: Resource) -> Callable[[Obj], tuple[tuple[str, str, str, str], Selector]]:
    def parse(obj: Obj) -> tuple[tuple[str, str, str, str], Selector]:
        selector = obj["spec"].get("selector") or {}
        wrapped = {"matchLabels": selector} if resource.kind == "ReplicationController" else selector
        return (resource.api_version, resource.kind, *key(obj)), selectors.parse(wrapped)

    return parse


def _budget(obj: Obj) -> tuple[Key, Budget]:
    """Read a budget; one whose selector cannot be read protects nobody, as upstream has it."""
    selector, status = obj["spec"].get("selector"), obj.get("status") or {}
    try:
        found = None if selector is None else selectors.parse(selector)
    except selectors.InvalidSelectorError:
        found = None
    disrupted = frozenset(status.get("disruptedPods") or ())
    return key(obj), Budget(found, status.get("disruptionsAllowed", 0), disrupted)


def _budgets(snapshot: Snapshot) -> Callable[[tuple[Key, Budget] | None, tuple[Key, Budget] | None], None]:
    def changed(old: tuple[Key, Budget] | None, new: tuple[Key, Budget] | None) -> None:
        (namespace, name), _ = new or old  # type: ignore[misc] # one of them is there
        snapshot.budgets[namespace].pop(name, None)
        if new is not None:
            snapshot.budgets[namespace][name] = new[1]
        elif not snapshot.budgets[namespace]:
            del snapshot.budgets[namespace]

    return changed


def _class(obj: Obj) -> tuple[str, frozenset[str]]:
    """Read a class of devices: its name, and the extended resources by which pods may ask for such devices."""
    name, own = obj["metadata"]["name"], obj["spec"].get("extendedResourceName")
    return name, frozenset((f"deviceclass.resource.kubernetes.io/{name}", *((own,) if own else ())))


def _entries(
    snapshot: Snapshot, found: dict[K, V], *, decides_fit: bool
) -> Callable[[tuple[K, V] | None, tuple[K, V] | None], None]:
    """Keep what a snapshot has of some kind as it is told of, entry by entry."""

    def changed(old: tuple[K, V] | None, new: tuple[K, V] | None) -> None:
        if decides_fit:
            snapshot.version += 1
        if new is not None:
            found[new[0]] = new[1]
        elif old is not None:
            found.pop(old[0], None)

    return changed


def _pods(snapshot: Snapshot) -> Callable[[Pod | None, Pod | None], None]:
    def changed(old: Pod | None, new: Pod | None) -> None:
        if new is not None:
            if old is not None and old.uid != new.uid:
                snapshot.remove_pod(old.uid)
            snapshot.put_pod(new)
        elif old is not None:
            snapshot.remove_pod(old.uid)

    return changed


def _nodes(snapshot: Snapshot) -> Callable[[Node | None, Node | None], None]:
    def changed(old: Node | None, new: Node | None) -> None:
        if new is not None:
            if new != old:  # a heartbeat changes nothing that rules look at
                snapshot.put_node(new)
        elif old is not None:
            snapshot.remove_node(old.name)

    return changed


def _services(snapshot: Snapshot) -> Callable[[_Selecting | None, _Selecting | None], None]:
    def changed(old: _Selecting | None, new: _Selecting | None) -> None:
        namespace, name = (new or old).key  # type: ignore[union-attr] # one of them is there
        snapshot.services[namespace].pop(name, None)
        if new is not None and new.selector:
            snapshot.services[namespace][name] = new.selector

    return changed
