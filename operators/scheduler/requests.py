"""What a pod requests of a node, mirroring k8s.io/component-helpers resource.PodRequests and the scheduler's PodInfo.

Containers run together, and with them the sidecars; init containers run one after the other beside the sidecars that
were started before them. A pod needs the larger of the two, of what it says as a whole instead if it does, and its
overhead. What the kubelet has allocated counts too, where a pod is being resized: what it says of the pod, which is
with the overhead, before what it says of containers.
"""

from collections.abc import Callable, Mapping
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
    """Return CPU and memory as least and most allocated count them of a pod that is on a node.

    A pod that requests as a whole says what it needs; for each resource of which it says nothing its containers count
    with their own requests, or the default where they have none.
    """
    missing = dict(UNREQUESTED)
    if _requests_as_a_whole(pod["spec"]):
        requested = of_pod(pod)
        missing = {name: amount for name, amount in missing.items() if name not in requested}
    found = _effective(pod, missing)
    return found.get("cpu", 0), found.get("memory", 0)


def asked_for_scores(pod: Obj) -> tuple[int, int]:
    """Return CPU and memory as least and most allocated count them of the pod that is to be placed.

    Upstream adds up its containers alone here, whatever it requests as a whole.
    """
    found = _of_containers(pod["spec"], _wanted, UNREQUESTED)
    _add(found, amounts(pod["spec"].get("overhead")))
    return found["cpu"], found["memory"]


def _effective(pod: Obj, missing: Mapping[str, int]) -> Requests:
    spec, status = pod["spec"], pod.get("status") or {}
    found = _of_containers(spec, _wanted, missing)
    whole = spec.get("resources") or {}
    wanted = amounts(whole.get("requests")) if _requests_as_a_whole(spec) else {}
    if status.get("containerStatuses") or status.get("allocatedResources") or status.get("resources"):
        refused = _is_infeasible(status)
        found = _largest({} if refused else found, *_in_effect(spec, status, missing, refused=refused))
        if wanted and status.get("resources") is not None:
            reported = (status["resources"].get("requests"), status.get("allocatedResources"))
            wanted = _largest({} if refused else wanted, *map(amounts, reported))
    for name, amount in wanted.items():
        if _is_of_pod(name):
            found[name] = amount
    _add(found, amounts(spec.get("overhead")))
    return found


def _in_effect(
    spec: Obj, status: Obj, missing: Mapping[str, int], *, refused: bool
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return what the kubelet has allocated and what it has put into effect.

    It says so of the pod, or of each container; of a container of which it says nothing what is wanted counts, unless
    that was refused.
    """
    allocated, requests = status.get("allocatedResources"), (status.get("resources") or {}).get("requests")
    if allocated is not None and requests is not None:
        return amounts(allocated), amounts(requests)
    kinds = ("initContainerStatuses", "containerStatuses")
    statuses = {container["name"]: container for kind in kinds for container in status.get(kind) or ()}

    def allocated_to(container: Obj) -> Obj | None:
        found: Obj | None = statuses.get(container["name"], {}).get("allocatedResources")
        return found if found is not None else None if refused else _wanted(container)

    def in_effect_for(container: Obj) -> Obj | None:
        found: Obj | None = (statuses.get(container["name"], {}).get("resources") or {}).get("requests")
        return found if found is not None else allocated_to(container)

    return _of_containers(spec, allocated_to, missing), _of_containers(spec, in_effect_for, missing)


def _requests_as_a_whole(spec: Obj) -> bool:
    return any(_is_of_pod(name) for name in (spec.get("resources") or {}).get("requests") or ())


def _is_of_pod(name: str) -> bool:
    return name in _OF_POD or name.startswith("hugepages-")


def _is_infeasible(status: Obj) -> bool:
    """Whether the resize that the spec asks for has been refused."""
    pending = [c for c in status.get("conditions") or () if c["type"] == "PodResizePending"]
    return bool(pending) and pending[0].get("reason") == "Infeasible"


def _wanted(container: Obj) -> Obj | None:
    return (container.get("resources") or {}).get("requests")


def _of_containers(spec: Obj, of: Callable[[Obj], Obj | None], missing: Mapping[str, int]) -> Requests:
    """Add up the containers, by what `of` says of each."""
    total: Requests = {}
    for container in spec["containers"]:
        _add(total, {**missing, **amounts(of(container))})
    sidecars: Requests = {}
    first: Requests = {}
    for container in spec.get("initContainers") or ():
        needed = {**missing, **amounts(of(container))}
        if container.get("restartPolicy") == "Always":
            _add(total, needed)
            _add(sidecars, needed)
            needed = sidecars
        else:
            _add(needed, sidecars)
        _raise_to(first, needed)
    _raise_to(total, first)
    return total


def _largest(*found: Mapping[str, int]) -> Requests:
    total: Requests = {}
    for one in found:
        _raise_to(total, one)
    return total


def _add(total: Requests, more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: Requests, other: Mapping[str, int]) -> None:
    for name, amount in other.items():
        if name not in total or amount > total[name]:
            total[name] = amount
