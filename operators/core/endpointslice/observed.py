"""What is looked at for the slices of one Service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from operators.core import objects
from operators.core.objects import KOPFWERK, Obj, Resource
from operators.core.pods import Pod

ENDPOINTSLICES: Final = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")

SERVICE_NAME: Final = "kubernetes.io/service-name"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
HEADLESS: Final = "service.kubernetes.io/headless"
RESERVED: Final = frozenset((SERVICE_NAME, MANAGED_BY, HEADLESS))
"""The labels of a slice that are not its Service's."""

MANAGERS: Final[Mapping[str, str]] = {
    KOPFWERK: "endpointslice-controller.kopfwerk.dev",
    "": "endpointslice-controller.k8s.io",
}
"""Who a slice says that it is managed by, for each group of Services.

For custom resources a name of our own: kube-controller-manager leaves such slices alone, and we its. In place of its
controller its own name: so each of the two takes over what the other has left, and no address is ever listed twice.
"""

_TOPOLOGY_HINTS: Final = "service.kubernetes.io/topology-aware-hints"
_TOPOLOGY_MODE: Final = "service.kubernetes.io/topology-mode"


@dataclass(frozen=True, slots=True)
class Observed:
    """A core Service, and what there is for it.

    selector None: nobody is to keep slices for it here. `pods` are those that the selector takes, `slices` those with
    the Service's name that say that `manager` manages them, `nodes` by name those that the pods are on.
    """

    service: Obj
    selector: Mapping[str, str] | None
    pods: tuple[Pod, ...]
    slices: tuple[Obj, ...]
    nodes: Mapping[str, Obj]
    manager: str
    now: datetime
    triggered: datetime | None = None
    """When what led here happened, if anything did."""
    ratios: Mapping[str, float] | None = field(default=None)
    """Each zone's share of the cluster's CPU, for a Service that wants addresses spread by it; None: not known."""

    @property
    def is_kept(self) -> bool:
        """Whether slices are kept for it: neither without a selector nor for an ExternalName is there anything."""
        return self.selector is not None and self.service["spec"].get("type") != "ExternalName"


def is_topology_aware(service: Obj) -> bool:
    """Whether an annotation asks for addresses to be spread over the zones by their CPU."""
    annotations = objects.annotations(service)
    value = annotations.get(_TOPOLOGY_HINTS, annotations.get(_TOPOLOGY_MODE, ""))
    return value in ("Auto", "auto")


def families(service: Obj) -> tuple[str, ...]:
    """Return the address types of a Service's slices."""
    spec = service["spec"]
    known = [family for family in spec.get("ipFamilies") or () if family in ("IPv4", "IPv6")]
    if known:
        return tuple(dict.fromkeys(known))
    cluster_ip = spec.get("clusterIP") or ""
    if cluster_ip not in ("", "None"):
        return ("IPv6" if ":" in cluster_ip else "IPv4",)
    return ("IPv4", "IPv6")  # a headless one that nothing was defaulted for


def service_of(slice_: Obj, manager: str) -> str:
    """Return the name of the Service that a slice of `manager` is for, empty where it is another's."""
    labels = objects.labels(slice_)
    return labels.get(SERVICE_NAME, "") if labels.get(MANAGED_BY) == manager else ""


def is_of(slice_: Obj, name: str, manager: str) -> bool:
    """Whether a slice of `manager` is for the Service of a name."""
    return service_of(slice_, manager) == name
