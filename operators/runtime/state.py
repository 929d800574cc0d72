"""State metrics: what the objects of every kind want and have, in the shape of kube-state-metrics.

Names and labels are kube-state-metrics', under the prefix `kopfwerk_` in place of `kube_`, so that both can run side by
side. They are read from the informers' caches when Prometheus asks: nothing is kept, and what is deleted is gone from
the next scrape. Only the leader has them, since only its caches are filled, and so that sums are right.

A kind is a table, at the end of this file: its label, and where in an object each figure is.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from operators.core import objects
from operators.core.objects import Obj
from operators.runtime.informer import Informer

log = logging.getLogger(__name__)

PREFIX: Final = "kopfwerk"
LIMIT: Final = 10_000
"""Objects of a kind above which none of them has series. With 0 there are no state metrics at all."""

Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of a kind: its name after the kind's, its help, and the series that an object has of it."""

    suffix: str
    help: str
    series: Callable[[Obj, Labels], Iterator[tuple[Labels, float]]]


def _at(obj: Obj, path: tuple[str, ...]) -> Any:
    """Return what is at a path in an object, None where there is nothing."""
    value: Any = obj
    for step in path:
        value = value.get(step)
        if value is None:
            return None
    return value


def figure(suffix: str, path: str, help_: str, *, absent: float | None = 0) -> Family:
    """Return the metric of a number or a truth value; where there is none it is `absent`, and None gives no series."""
    steps = tuple(path.split("."))

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        value = _at(obj, steps)
        value = absent if value is None else value
        if value is not None:
            yield labels, float(value)

    return Family(suffix, help_, series)


def moment(suffix: str, path: str, help_: str) -> Family:
    """Return the metric of a time, in seconds since 1970; no series where there is none."""
    steps = tuple(path.split("."))

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        if text := _at(obj, steps):
            yield labels, objects.parse_time(text).timestamp()

    return Family(suffix, help_, series)


def text(suffix: str, path: str, label: str, help_: str) -> Family:
    """Return the metric of a text, which is in a label; its value is 1."""
    steps = tuple(path.split("."))

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        if value := _at(obj, steps):
            yield {**labels, label: value}, 1.0

    return Family(suffix, help_, series)


def conditions(suffix: str, help_: str) -> Family:
    """Return the metric of the conditions: for each three series, of which the one with its status is 1."""

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        for condition in _at(obj, ("status", "conditions")) or ():
            common = {**labels, "reason": condition.get("reason", ""), "condition": condition["type"]}
            for status in ("True", "False", "Unknown"):
                yield {**common, "status": status.lower()}, float(condition["status"] == status)

    return Family(suffix, help_, series)


def owner(suffix: str, help_: str) -> Family:
    """Return the metric of an object's controller, which is in labels."""

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        found = objects.controller_of(obj)
        if found:
            yield {**labels, "owner_kind": found.kind, "owner_name": found.name, "owner_is_controller": "true"}, 1.0

    return Family(suffix, help_, series)


class StateMetrics(Collector):
    """Reads the caches when Prometheus asks. `emits` says whether this process is the one to do so.

    It is asked on a thread of its own, while the caches go on changing: it copies the list of objects, and objects
    never change in place.
    """

    def __init__(self, informers: Iterable[Informer[Any]], emits: Callable[[], bool], limit: int = LIMIT) -> None:
        self._informers = informers
        self._emits = emits
        self._limit = limit
        self._said: set[str] = set()

    def describe(self) -> Iterable[Metric]:
        """Promise nothing: what there is depends on the kinds that are watched."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield a metric at a time, so that no more of them than one is in memory."""
        if not self._limit or not self._emits():
            return
        left_out = Metric(f"{PREFIX}_state_metrics_omitted_objects", "Objects without series: too many", "gauge")
        for informer in self._informers:
            kind = informer.resource.kind
            if kind not in KINDS or not informer.synced.is_set():
                continue
            found = informer.all()
            omitted = len(found) if len(found) > self._limit else 0
            self._say(str(informer.resource), omitted)
            left_out.samples.append(Sample(left_out.name, {"resource": str(informer.resource)}, omitted))
            if not omitted:
                yield from _of_kind(kind.lower(), KINDS[kind], found)
        yield left_out

    def _say(self, resource: str, omitted: int) -> None:
        """Log it once each time that a kind passes the limit."""
        if not omitted:
            self._said.discard(resource)
        elif resource not in self._said:
            self._said.add(resource)
            log.warning("%s: no state metrics of %d objects, the limit is %d", resource, omitted, self._limit)


def _of_kind(kind: str, families: Iterable[Family], found: Iterable[Obj]) -> Iterator[Metric]:
    labelled = [(obj, {"namespace": objects.key(obj)[0], kind: objects.name(obj)}) for obj in found]
    for family in families:
        metric = Metric(f"{PREFIX}_{kind}_{family.suffix}", family.help, "gauge")
        metric.samples = [
            Sample(metric.name, labels, value)
            for obj, common in labelled
            for labels, value in family.series(obj, common)
        ]
        if metric.samples:
            yield metric


_COMMON: Final = (
    moment("created", "metadata.creationTimestamp", "When it was created"),
    moment("deletion_timestamp", "metadata.deletionTimestamp", "When its deletion began"),
    figure("metadata_generation", "metadata.generation", "The generation of what is wanted"),
    figure(
        "status_observed_generation", "status.observedGeneration", "The generation that the controller last acted on"
    ),
)

KINDS: Final[Mapping[str, tuple[Family, ...]]] = {
    "Deployment": (
        *_COMMON,
        figure("spec_replicas", "spec.replicas", "Pods wanted", absent=1),
        figure("spec_paused", "spec.paused", "Whether its rollouts are paused"),
        figure("status_replicas", "status.replicas", "Pods"),
        figure("status_replicas_ready", "status.readyReplicas", "Ready pods"),
        figure("status_replicas_available", "status.availableReplicas", "Available pods"),
        figure("status_replicas_unavailable", "status.unavailableReplicas", "Pods that are lacking or not available"),
        figure("status_replicas_updated", "status.updatedReplicas", "Pods of the newest template"),
        figure("status_terminating_replicas", "status.terminatingReplicas", "Pods on their way out", absent=None),
        conditions("status_condition", "Conditions"),
    ),
    "ReplicaSet": (
        *_COMMON,
        figure("spec_replicas", "spec.replicas", "Pods wanted", absent=1),
        figure("status_replicas", "status.replicas", "Pods"),
        figure("status_fully_labeled_replicas", "status.fullyLabeledReplicas", "Pods with every label of the template"),
        figure("status_ready_replicas", "status.readyReplicas", "Ready pods"),
        figure("status_terminating_replicas", "status.terminatingReplicas", "Pods on their way out", absent=None),
        owner("owner", "Its controller"),
    ),
    "StatefulSet": (
        *_COMMON,
        figure("replicas", "spec.replicas", "Pods wanted", absent=1),
        figure("ordinals_start", "spec.ordinals.start", "The first pod's number", absent=None),
        figure("status_replicas", "status.replicas", "Pods"),
        figure("status_replicas_ready", "status.readyReplicas", "Ready pods"),
        figure("status_replicas_available", "status.availableReplicas", "Available pods"),
        figure("status_replicas_current", "status.currentReplicas", "Pods of the current revision"),
        figure("status_replicas_updated", "status.updatedReplicas", "Pods of the newest revision"),
        text("status_current_revision", "status.currentRevision", "revision", "The current revision"),
        text("status_update_revision", "status.updateRevision", "revision", "The newest revision"),
    ),
    "Job": (
        *(family for family in _COMMON if family.suffix != "status_observed_generation"),  # its status has none
        figure("spec_parallelism", "spec.parallelism", "Pods that may run at a time", absent=1),
        figure("spec_completions", "spec.completions", "Pods that have to succeed", absent=None),
        figure("spec_active_deadline_seconds", "spec.activeDeadlineSeconds", "Its deadline", absent=None),
        figure("status_active", "status.active", "Pods that run or are about to"),
        figure("status_succeeded", "status.succeeded", "Pods or indexes that have succeeded"),
        figure("status_failed", "status.failed", "Pods that have failed"),
        moment("status_start_time", "status.startTime", "When it began"),
        moment("status_completion_time", "status.completionTime", "When it was complete"),
        conditions("status_condition", "Conditions"),
        owner("owner", "Its controller"),
    ),
    "DaemonSet": (
        *_COMMON,
        figure("status_desired_number_scheduled", "status.desiredNumberScheduled", "Nodes that should have a pod"),
        figure("status_current_number_scheduled", "status.currentNumberScheduled", "Nodes that should and do"),
        figure("status_updated_number_scheduled", "status.updatedNumberScheduled", "Nodes with a newest pod"),
        figure("status_number_misscheduled", "status.numberMisscheduled", "Nodes that have a pod and should not"),
        figure("status_number_ready", "status.numberReady", "Nodes with a ready pod"),
        figure("status_number_available", "status.numberAvailable", "Nodes with an available pod"),
        figure("status_number_unavailable", "status.numberUnavailable", "Nodes without an available pod"),
    ),
}
"""By kind. Each metric is `kopfwerk_KIND_SUFFIX`, with the labels `namespace` and the kind's own."""
