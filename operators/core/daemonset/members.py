"""A DaemonSet's pods, by the node that each is on or is meant for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from operators.core import nodes, objects, ownership, selectors
from operators.core.daemonset.history import HASH_LABEL
from operators.core.daemonset.observed import Observed, min_ready_seconds, template_generation
from operators.core.daemonset.placement import Placement, Verdict
from operators.core.objects import Obj
from operators.core.ownership import Claim
from operators.core.pods import Pod

GENERATION_LABEL = "pod-template-generation"


def claim_pods(observed: Observed) -> Claim[Pod]:
    """Return the pods that are or become this DaemonSet's, and those that it lets go."""
    return ownership.claim(observed.daemonset, selectors.of(observed.daemonset), observed.pods)


def by_age(pod: Pod) -> tuple[bool, datetime, str]:
    """Sort pods that have been scheduled first, then the oldest first, then by name."""
    return not pod.node, pod.created, pod.name


@dataclass(frozen=True, slots=True)
class Members:
    """The pods by node, the oldest first, and the nodes by name, each with its verdict.

    A pod that has ended and is being deleted is not among them: there is nothing left to do about it.
    """

    pods: Mapping[str, tuple[Pod, ...]]
    nodes: Mapping[str, Obj]
    verdicts: Mapping[str, Verdict]
    digest: str
    generation: str | None
    minimum: int
    now: datetime

    @classmethod
    def of(cls, observed: Observed, owned: Iterable[Pod], digest: str) -> "Members":
        """Sort pods and nodes by name; judge each node once."""
        found: dict[str, list[Pod]] = {}
        for pod in sorted(owned, key=by_age):
            if pod.target_node and not (pod.is_terminated and pod.terminating):
                found.setdefault(pod.target_node, []).append(pod)
        placement = Placement(observed.daemonset["spec"]["template"])
        known = {objects.name(node): node for node in sorted(observed.nodes, key=objects.name)}
        return cls(
            {name: tuple(found[name]) for name in sorted(found)},
            known,
            {name: placement.on(node) for name, node in known.items()},
            digest,
            template_generation(observed.daemonset),
            min_ready_seconds(observed.daemonset),
            observed.now,
        )

    @property
    def desired(self) -> int:
        """On how many nodes there should be a pod."""
        return sum(verdict.run for verdict in self.verdicts.values())

    def is_updated(self, pod: Pod) -> bool:
        """Whether a pod is of the present template: by its revision or, made before there were any, by its number."""
        if self.digest and pod.labels.get(HASH_LABEL) == self.digest:
            return True
        return self.generation is not None and pod.labels.get(GENERATION_LABEL) == self.generation

    def is_available(self, pod: Pod) -> bool:
        """Whether a pod has been ready for minReadySeconds."""
        return pod.is_available(self.minimum, self.now)

    def is_on_ready_node(self, name: str) -> bool:
        """Whether a node exists and works."""
        node = self.nodes.get(name)
        return node is not None and nodes.is_ready(node)
