"""What a pod requests of a node, mirroring k8s.io/component-helpers resource.PodRequests and the scheduler's PodInfo.

Containers run together, and with them the sidecars; init containers run one after the other beside the sidecars that
were started before them. A pod needs the larger of the two, of what it says as a whole instead if it does, and its
overhead. What the kubelet has allocated counts too, where a pod is being resized.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from operators.core.objects import Obj
from operators.scheduler import quantities

Requests: TypeAlias = dict[str, int]
"""By resource: thousandths of a CPU, bytes, or a count."""

UNREQUESTED: Final[Mapping[str, int]] = {"cpu": 100, "memory": 200 * 1024 * 1024}
"""What scores count for a container that requests nothing, so that such pods spread too."""

_OF_POD: Final = ("cpu", "memory")
"""What a pod may request as a whole; huge pages by their prefix as well."""


def amounts(quantities_: Mapping[str, object] | None) -> Requests:
    """Read a resource list. Raises InvalidQuantityError."""
    return {
        name: quantities.milli(quantity) if name == "cpu" else quantities.whole(quantity)
        for name, quantity in (quantities_ or {}).items()
    }


def of_pod(pod: Obj) -> Requests:
    """Return what the pod takes of a node's allocatable. Raises InvalidQuantityError."""
    return _effective(pod, {})


def for_scores(pod: Obj) -> tuple[int, int]:
    """Return CPU and memory as least and most allocated count them.

    A pod that requests as a whole says what it needs; for each resource of which it says nothing its containers count
    with their own requests, or the default where they have none.
    """
    whole = (pod["spec"].get("resources") or {}).get("requests") or {}
    missing = dict(UNREQUESTED)
    if whole:
        requested = of_pod(pod)
        missing = {name: amount for name, amount in missing.items() if name not in requested}
    found = _effective(pod, missing)
    return found.get("cpu", 0), found.get("memory", 0)


def _effective(pod: Obj, missing: Mapping[str, int]) -> Requests:
    spec, status = pod["spec"], pod.get("status") or {}
    found = _of_containers(spec, {}, missing)
    statuses = {
        container["name"]: container
        for kind in ("initContainerStatuses", "containerStatuses")
        for container in status.get(kind) or ()
        if container.get("allocatedResources") is not None or (container.get("resources") or {}).get("requests")
    }
    if statuses:
        found = _with_statuses(spec, statuses, missing, found if not _is_infeasible(status) else {})
    for name, amount in amounts((spec.get("resources") or {}).get("requests")).items():
        if name in _OF_POD or name.startswith("hugepages-"):
            found[name] = amount
    _add(found, amounts(spec.get("overhead")))
    return found


def _with_statuses(spec: Obj, statuses: Mapping[str, Obj], missing: Mapping[str, int], found: Requests) -> Requests:
    """Return the largest of what is wanted, what is allocated and what is in effect."""
    largest = dict(found)
    for choose in (_allocated, _actuated):
        chosen = {name: resources for name, status in statuses.items() if (resources := choose(status)) is not None}
        _raise_to(largest, _of_containers(spec, chosen, missing))
    return largest


def _allocated(status: Obj) -> Obj | None:
    return status.get("allocatedResources")


def _actuated(status: Obj) -> Obj | None:
    requests: Obj | None = (status.get("resources") or {}).get("requests")
    return requests if requests is not None else status.get("allocatedResources")


def _is_infeasible(status: Obj) -> bool:
    """Whether the resize that the spec asks for has been refused."""
    pending = [c for c in status.get("conditions") or () if c["type"] == "PodResizePending"]
    return bool(pending) and pending[0].get("reason") == "Infeasible"


def _of_containers(spec: Obj, instead: Mapping[str, Obj], missing: Mapping[str, int]) -> Requests:
    """Add up the containers; `instead` has the requests of those that are not to count by their spec."""

    def requests(container: Obj) -> Requests:
        own = instead.get(container["name"]) if instead else None
        if own is None:
            own = (container.get("resources") or {}).get("requests")
        return {**missing, **amounts(own)}

    total: Requests = {}
    for container in spec["containers"]:
        _add(total, requests(container))
    sidecars: Requests = {}
    first: Requests = {}
    for container in spec.get("initContainers") or ():
        needed = requests(container)
        if container.get("restartPolicy") == "Always":
            _add(total, needed)
            _add(sidecars, needed)
            needed = sidecars
        else:
            _add(needed, sidecars)
        _raise_to(first, needed)
    _raise_to(total, first)
    return total


def _add(total: Requests, more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: Requests, other: Mapping[str, int]) -> None:
    for name, amount in other.items():
        if name not in total or amount > total[name]:
            total[name] = amount
