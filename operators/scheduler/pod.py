"""A pod as the rules see it, read once from its JSON. Mirrors framework.PodInfo."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from operators.core import selectors
from operators.core.objects import Key, Obj, Owner, controller_of
from operators.core.selectors import Selector
from operators.scheduler import affinity, group, requests
from operators.scheduler.affinity import NodeTerm, PodTerm
from operators.scheduler.fields import text, texts, whole
from operators.scheduler.group import Group
from operators.scheduler.requests import Requests

Port: TypeAlias = tuple[str, str, int]
"""Address, protocol and number of a port of the node."""

PROFILE: Final = "kopfwerk.dev/scheduler-profile"
"""The annotation by which a pod chooses a profile."""

ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - what a pod's host port means where it names no address


@dataclass(frozen=True, slots=True)
class Toleration:
    """What a pod tolerates: empty key, effect or both stand for every one."""

    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, key: str, value: str, effect: str) -> bool:
        """Whether it is about that taint. Numeric comparison is behind a gate that is off."""
        if self.effect and self.effect != effect:
            return False
        if self.key and self.key != key:
            return False
        return self.operator == "Exists" or (self.operator in ("", "Equal") and self.value == value)


@dataclass(frozen=True, slots=True)
class Spread:
    """One topology spread constraint."""

    key: str
    max_skew: int
    hard: bool
    selector: Selector
    min_domains: int
    honors_affinity: bool
    honors_taints: bool


@dataclass(frozen=True, slots=True)
class Pod:
    """What the rules ask about a pod, both of the one to place and of those that are placed."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    owner: Owner | None
    scheduler: str
    """The name of the one that is to place it."""
    node: str
    nominated: str
    profile: str
    """The scheduler profile that it asks for, if any."""
    terminating: bool
    ended: bool
    priority: int
    started: str
    """When the kubelet first saw it, as the apiserver writes it; empty before."""
    requests: Requests
    scored_cpu: int
    scored_memory: int
    """What scores count of it where it is placed, and, below, while it is to be placed."""
    asked_cpu: int
    asked_memory: int
    ports: tuple[Port, ...]
    images: tuple[str, ...]
    image_count: int
    tolerations: tuple[Toleration, ...]
    node_selector: Mapping[str, str]
    node_terms: tuple[NodeTerm, ...] | None
    """The required ones, one of which has to match; None where nothing is required."""
    preferred_nodes: tuple[NodeTerm, ...]
    affinity: tuple[PodTerm, ...]
    anti_affinity: tuple[PodTerm, ...]
    preferred: tuple[PodTerm, ...]
    preferred_anti: tuple[PodTerm, ...]
    spread: tuple[Spread, ...]
    group: Group | None = None
    """With whom it is placed together or not at all."""

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def has_terms(self) -> bool:
        """Whether it says anything about other pods."""
        return bool(self.affinity or self.anti_affinity or self.preferred or self.preferred_anti)


def parse(obj: Obj) -> Pod:
    """Read a pod. Raises KeyError, TypeError, InvalidQuantityError or InvalidSelectorError where it is malformed."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    namespace, labels = text(meta, "namespace"), texts(meta, "labels")
    about = spec.get("affinity") or {}
    nodes, pods, anti = (about.get(kind) or {} for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity"))
    required, preferred = (
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    )
    images = _images(spec)
    cpu, memory = requests.for_scores(obj)
    asked_cpu, asked_memory = requests.asked_for_scores(obj)
    return Pod(
        namespace=namespace,
        name=text(meta, "name"),
        uid=text(meta, "uid", "") or f"{namespace}/{meta['name']}",
        labels=labels,
        owner=controller_of(obj),
        scheduler=text(spec, "schedulerName", ""),
        node=text(spec, "nodeName", ""),
        nominated=text(status, "nominatedNodeName", ""),
        profile=(meta.get("annotations") or {}).get(PROFILE, ""),
        terminating=meta.get("deletionTimestamp") is not None,
        ended=status.get("phase") in ("Succeeded", "Failed"),
        priority=whole(spec, "priority", 0),
        started=text(status, "startTime", ""),
        requests=requests.of_pod(obj),
        scored_cpu=cpu,
        scored_memory=memory,
        asked_cpu=asked_cpu,
        asked_memory=asked_memory,
        ports=_ports(spec),
        images=images,
        image_count=len(images),
        tolerations=tuple(_tolerations(spec.get("tolerations") or ())),
        node_selector=texts(spec, "nodeSelector"),
        node_terms=affinity.node_terms(nodes[required].get("nodeSelectorTerms")) if nodes.get(required) else None,
        preferred_nodes=affinity.preferred_node_terms(nodes.get(preferred)),
        affinity=affinity.pod_terms(pods.get(required), namespace),
        anti_affinity=affinity.pod_terms(anti.get(required), namespace),
        preferred=affinity.preferred_pod_terms(pods.get(preferred), namespace),
        preferred_anti=affinity.preferred_pod_terms(anti.get(preferred), namespace),
        spread=tuple(_spread(constraint, labels) for constraint in spec.get("topologySpreadConstraints") or ()),
        group=group.parse(obj),
    )


def image_name(reference: str) -> str:
    """Return the name under which a node reports an image: with a tag."""
    return reference if reference.rfind(":") > reference.rfind("/") else f"{reference}:latest"


def _images(spec: Obj) -> tuple[str, ...]:
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    volumes = [volume["image"].get("reference", "") for volume in spec.get("volumes") or () if volume.get("image")]
    return tuple(image_name(image) for image in [*(container.get("image", "") for container in containers), *volumes])


def _ports(spec: Obj) -> tuple[Port, ...]:
    """Return the node's ports that it takes for as long as it runs, those of sidecars included."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    return tuple(
        (port.get("hostIP") or ANY_ADDRESS, text(port, "protocol", "TCP"), port["hostPort"])
        for container in (*sidecars, *spec["containers"])
        for port in container.get("ports") or ()
        if port.get("hostPort", 0) > 0
    )


def _tolerations(tolerations: Iterable[Obj]) -> Iterable[Toleration]:
    for one in tolerations:
        yield Toleration(one.get("key", ""), one.get("operator", ""), one.get("value", ""), one.get("effect", ""))


def _spread(constraint: Obj, labels: Mapping[str, str]) -> Spread:
    """Read a constraint; the values of `matchLabelKeys` that the pod has narrow the selector."""
    selector = constraint.get("labelSelector")
    own = {key: labels[key] for key in constraint.get("matchLabelKeys") or () if key in labels}
    if own and selector is not None:
        extra = [{"key": key, "operator": "In", "values": [value]} for key, value in own.items()]
        selector = {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *extra]}
    return Spread(
        key=text(constraint, "topologyKey"),
        max_skew=whole(constraint, "maxSkew"),
        hard=constraint["whenUnsatisfiable"] == "DoNotSchedule",
        selector=affinity.optional_selector(selector) if selector is not None else affinity.NOTHING,
        min_domains=max(1, whole(constraint, "minDomains", 1)),
        honors_affinity=(constraint.get("nodeAffinityPolicy") or "Honor") == "Honor",
        honors_taints=(constraint.get("nodeTaintsPolicy") or "Ignore") == "Honor",
    )


def selector_of_labels(labels: Mapping[str, str]) -> Selector:
    """Return the selector that asks for each of these labels."""
    return selectors.parse({"matchLabels": dict(labels)})
