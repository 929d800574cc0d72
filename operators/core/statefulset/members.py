"""A StatefulSet's pods in their order: those that shall be, with the gaps, and those that are too many."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from operators.core import ownership, selectors
from operators.core.objects import Obj
from operators.core.ownership import Claim
from operators.core.pods import Pod
from operators.core.statefulset.identity import member_of
from operators.core.statefulset.observed import Observed, min_ready_seconds, ordinals


def claim_pods(observed: Observed) -> Claim[Pod]:
    """Return the pods that are or become this StatefulSet's, and those that it lets go, their name being another's."""
    statefulset = observed.statefulset

    def is_member(pod: Pod) -> bool:
        return member_of(statefulset, pod.name) is not None

    return ownership.claim(statefulset, selectors.of(statefulset), observed.pods, is_member)


@dataclass(frozen=True, slots=True)
class Members:
    """replicas: a pod or None for each ordinal that there shall be, ascending. condemned: the others, descending."""

    first: int
    replicas: tuple[Pod | None, ...]
    condemned: tuple[tuple[int, Pod], ...]

    @classmethod
    def of(cls, statefulset: Obj, pods: Iterable[Pod]) -> "Members":
        """Put the pods of a StatefulSet in their places."""
        by_ordinal = {ordinal: pod for pod in pods if (ordinal := member_of(statefulset, pod.name)) is not None}
        wanted = ordinals(statefulset)
        condemned = sorted((item for item in by_ordinal.items() if item[0] not in wanted), reverse=True)
        return cls(wanted.start, tuple(map(by_ordinal.get, wanted)), tuple(condemned))

    def places(self) -> Iterator[tuple[int, Pod | None]]:
        """Yield the ordinal, and the pod if there is one, of each replica."""
        return enumerate(self.replicas, self.first)


@dataclass(frozen=True, slots=True)
class Health:
    """How pods are judged at one moment."""

    min_ready_seconds: int
    now: datetime

    @classmethod
    def of(cls, observed: Observed) -> "Health":
        """Take minReadySeconds of the StatefulSet, and the time that it was observed at."""
        return cls(min_ready_seconds(observed.statefulset), observed.now)

    def is_available(self, pod: Pod) -> bool:
        """Whether it has been ready for long enough (podutil.IsPodAvailable)."""
        return pod.is_available(self.min_ready_seconds, self.now)

    def is_unavailable(self, pod: Pod | None) -> bool:
        """Whether it counts against maxUnavailable: missing, not available, or being deleted."""
        return pod is None or pod.terminating or not self.is_available(pod)

    def lets_go_on(self, pod: Pod) -> bool:
        """Whether the next in order may follow: it runs, is ready and available, and is not being deleted."""
        return not pod.terminating and is_running_and_ready(pod) and self.is_available(pod)


def is_running_and_ready(pod: Pod) -> bool:
    """Whether it has the phase Running and the condition Ready."""
    return pod.phase == "Running" and pod.ready
