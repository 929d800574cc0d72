"""What is worth counting of a plan for slices: upstream's metrics of the endpointslice controller.

Mirrors k8s.io/endpointslice/metrics.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from operators.core import objects
from operators.core.endpointslice.endpoints import Identity, identity, ports_key
from operators.core.endpointslice.hints import is_distributed
from operators.core.endpointslice.observed import Observed, is_topology_aware
from operators.core.endpointslice.packing import LIMIT
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Patch, Plan


@dataclass(frozen=True, slots=True)
class Changes:
    """What a plan changes: slices by operation, and how many endpoints come and go."""

    operations: Counter[str] = field(default_factory=Counter)
    added: int = 0
    removed: int = 0
    topology: str = "Disabled"
    traffic_distribution: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is for a Service once a plan is carried out; `needed` are the slices that would be enough."""

    endpoints: int = 0
    slices: int = 0
    needed: int = 0
    traffic_distribution: str = ""


def changes(observed: Observed, plan: Plan) -> Changes:
    """Count what a plan changes."""
    before, after = set(_endpoints(observed.slices)), set(_endpoints(_after(observed, plan)))
    operations = Counter(_operation(step) for step in plan.steps)
    is_aware = is_topology_aware(observed.service)
    return Changes(
        operations,
        len(after - before),
        len(before - after),
        "Auto" if is_aware else "Disabled",
        _distribution(observed),
    )


def figures(observed: Observed, plan: Plan) -> Figures:
    """Count what there is after a plan."""
    after = list(_after(observed, plan))
    sizes: Counter[object] = Counter()
    for slice_ in after:
        sizes[slice_["addressType"], ports_key(slice_.get("ports") or [])] += len(slice_.get("endpoints") or ())
    needed = sum(max(1, -(-count // LIMIT)) for count in sizes.values())
    return Figures(sizes.total(), len(after), needed, _distribution(observed))


def _distribution(observed: Observed) -> str:
    if is_topology_aware(observed.service) or not is_distributed(observed.service):
        return ""
    return str(observed.service["spec"]["trafficDistribution"])


def _operation(step: object) -> str:
    return "create" if isinstance(step, Create) else "update" if isinstance(step, Patch) else "delete"


def _after(observed: Observed, plan: Plan) -> Iterator[Obj]:
    """Yield the slices as a plan leaves them."""
    written = {step.target.uid: step for step in plan.steps if isinstance(step, Patch | Delete)}
    for slice_ in observed.slices:
        step = written.get(objects.uid(slice_))
        if isinstance(step, Patch):
            yield slice_ | {part: value for part, value in step.body.items() if part != "metadata"}
        elif step is None:
            yield slice_
    for made in plan.steps:
        if isinstance(made, Create):
            yield made.body


def _endpoints(slices: Iterator[Obj] | tuple[Obj, ...]) -> Iterator[tuple[str, Identity]]:
    return ((slice_["addressType"], identity(e)) for slice_ in slices for e in slice_.get("endpoints") or ())
