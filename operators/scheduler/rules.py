"""Which rules decide and how much each counts: a profile, read from a file; without one it is upstream's defaults.

A rule of one's own is a function in an installed package, found by entry point: of the group `kopfwerk.predicates` it
is a Predicate, of `kopfwerk.priorities` a Priority. The entry point's name is the rule's, and what profiles call it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

from operators.core.objects import Obj
from operators.scheduler import own
from operators.scheduler.predicates import (
    node_affinity,
    node_name,
    pod_affinity,
    ports,
    resources,
    taints,
    topology_spread,
    unschedulable,
)
from operators.scheduler.predicates.refusal import Predicate
from operators.scheduler.priorities import image_locality
from operators.scheduler.priorities import node_affinity as preferred_nodes
from operators.scheduler.priorities import pod_affinity as preferred_pods
from operators.scheduler.priorities import taints as preferred_taints
from operators.scheduler.priorities import topology_spread as preferred_spread
from operators.scheduler.priorities.balanced import Balanced
from operators.scheduler.priorities.resources import OF_EACH, LeastAllocated, MostAllocated, RequestedToCapacity
from operators.scheduler.priorities.scale import Priority

PREDICATES: Final[dict[str, Predicate]] = {
    "NodeName": node_name.refuse,
    "NodeUnschedulable": unschedulable.refuse,
    "TaintToleration": taints.refuse,
    "NodeAffinity": node_affinity.refuse,
    "NodePorts": ports.refuse,
    "NodeResourcesFit": resources.refuse,
    "PodTopologySpread": topology_spread.refuse,
    "InterPodAffinity": pod_affinity.refuse,
}
"""By upstream's names, in its order: the first that refuses a node says why."""

WEIGHTS: Final[dict[str, int]] = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
"""Upstream's default weights."""

_PRIORITIES: Final[dict[str, Priority]] = {
    "TaintToleration": preferred_taints.score,
    "NodeAffinity": preferred_nodes.score,
    "PodTopologySpread": preferred_spread.score,
    "InterPodAffinity": preferred_pods.score,
    "ImageLocality": image_locality.score,
}
_MOST: Final = 1_000_000
"""The largest weight: no total of scores is too large for 64 bits."""
_FIELDS: Final = {"predicates", "weights", "strategy", "resources", "shape"}


class InvalidProfileError(ValueError):
    """A profile that says something that no rule understands."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the predicates in their order, and the priorities with their weights."""

    predicates: Mapping[str, Predicate]
    priorities: Mapping[str, tuple[Priority, int]]


def rules(profile: Obj | None = None) -> Rules:
    """Read a profile. Raises InvalidProfileError.

    predicates: [NodeName, NodeResourcesFit]   # upstream's where it is left out; "*" stands for those
    weights: {NodeResourcesFit: 5}             # 0 switches a priority off; others keep upstream's weight
    strategy: MostAllocated                    # LeastAllocated, MostAllocated or RequestedToCapacityRatio
    resources: {cpu: 1, example.com/gpu: 3}    # what the strategy counts
    shape: [[0, 0], [100, 10]]                 # utilization and score, for RequestedToCapacityRatio
    """
    profile = profile or {}
    _known("field", profile, _FIELDS)
    predicates = PREDICATES | {name: own.predicate(name, rule) for name, rule in _own("predicates").items()}
    priorities = _PRIORITIES | {name: own.priority(name, rule) for name, rule in _own("priorities").items()}
    listed = profile.get("predicates") or ["*"]
    chosen = {name for entry in listed for name in (PREDICATES if entry == "*" else [entry])}
    _known("predicate", chosen, predicates)
    weights = {**WEIGHTS, **(profile.get("weights") or {})}
    _known("priority", weights, WEIGHTS | priorities)
    for name, weight in weights.items():
        _integer(f"the weight of {name}", weight, 0)
    priorities |= {
        "NodeResourcesFit": _strategy(profile),
        "NodeResourcesBalancedAllocation": Balanced().score,
    }
    return Rules(
        {name: predicate for name, predicate in predicates.items() if name in chosen},
        {name: (priorities[name], weight) for name, weight in weights.items() if weight},
    )


@cache
def _own(kind: str) -> dict[str, Any]:
    """Return the rules of installed packages. Raises InvalidProfileError where one cannot be loaded."""
    found = {}
    for entry in entry_points(group=f"kopfwerk.{kind}"):
        try:
            found[entry.name] = entry.load()
        except Exception as error:  # whatever the package does wrong
            raise InvalidProfileError(f"the rule {entry.name} ({entry.value}) cannot be loaded: {error}") from error
    return found


def _strategy(profile: Obj) -> Priority:
    resources_ = profile.get("resources") or OF_EACH
    for name, weight in resources_.items():
        _integer(f"the weight of {name}", weight, 1)
    match profile.get("strategy", "LeastAllocated"):
        case "LeastAllocated":
            return LeastAllocated(resources_).score
        case "MostAllocated":
            return MostAllocated(resources_).score
        case "RequestedToCapacityRatio":
            return RequestedToCapacity(_shape(profile.get("shape")), resources_).score
        case other:
            raise InvalidProfileError(f"{other!r} is not a strategy")


def _shape(points: Any) -> list[tuple[int, int]]:
    """Read the points of a line; utilization has to rise."""
    if not isinstance(points, list) or not points:
        raise InvalidProfileError("RequestedToCapacityRatio needs a shape: a list of [utilization, score]")
    shape: list[tuple[int, int]] = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise InvalidProfileError(f"{point!r} is not [utilization, score]")
        at, score = (_integer("a point of the shape", number, 0) for number in point)
        if at > 100 or score > 10 or (shape and at <= shape[-1][0]):
            raise InvalidProfileError("a shape's utilization rises, to 100 at most, and a score is 10 at most")
        shape.append((at, score))
    return shape


def _integer(what: str, number: Any, least: int) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= _MOST:
        raise InvalidProfileError(
            f"{what} is {number!r}: it has to be a whole number, at least {least}, at most {_MOST}"
        )
    return number


def _known(what: str, names: Any, known: Any) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidProfileError(f"{unknown[0]!r} is no {what}; there are {', '.join(sorted(known))}")
