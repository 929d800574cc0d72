"""State metrics: what the objects of every kind want and have, in the shape of kube-state-metrics.

Names and labels are kube-state-metrics', under the prefix `kopfwerk_` in place of `kube_`, so that both can run side by
side. They are read from the informers' caches when Prometheus asks: nothing is kept, and what is deleted is gone from
the next scrape. Only the leader has them, since only its caches are filled, and so that sums are right.

A kind's table (operators/controllers/state.py) says where in an object each figure is.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from operators.core import objects
from operators.core.objects import Obj, Resource
from operators.runtime.informer import Informer

log = logging.getLogger(__name__)

PREFIX: Final = "kopfwerk"
LIMIT: Final = 10_000
"""Objects of a kind above which none of them has series. With 0 there are no state metrics at all."""

Labels = dict[str, str]

_NAMED: Final = {"job": "job_name"}
"""The labels of objects' names that are not just their kind's: `job` is what Prometheus calls that which it scrapes."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of a kind: its name after the kind's, its help, and the series that an object has of it.

    One that upstream has too is named after upstream's controller, its prefix, and not after ours.
    """

    suffix: str
    help: str
    series: Callable[[Obj, Labels], Iterator[tuple[Labels, float]]]
    prefix: str = ""


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


def condition(suffix: str, type_: str, help_: str) -> Family:
    """Return the metric of one condition: three series, of which the one with its status is 1."""

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        for found in _at(obj, ("status", "conditions")) or ():
            if found["type"] == type_:
                for status in ("True", "False", "Unknown"):
                    yield {**labels, "condition": status.lower()}, float(found["status"] == status)

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

    def __init__(
        self,
        informers: Iterable[Informer[Any]],
        tables: Mapping[Resource, Iterable[Family]],
        emits: Callable[[], bool],
        limit: int = LIMIT,
    ) -> None:
        self._informers = informers
        self._tables = tables
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
            table = self._tables.get(informer.resource)
            if not (table and informer.synced.is_set()):
                continue
            found = informer.all()
            omitted = len(found) if len(found) > self._limit else 0
            self._say(str(informer.resource), omitted)
            left_out.samples.append(Sample(left_out.name, {"resource": str(informer.resource)}, omitted))
            if not omitted:
                yield from _of_kind(informer.resource.kind.lower(), table, found)
        yield left_out

    def _say(self, resource: str, omitted: int) -> None:
        """Log it once each time that a kind passes the limit."""
        if not omitted:
            self._said.discard(resource)
        elif resource not in self._said:
            self._said.add(resource)
            log.warning("%s: no state metrics of %d objects, the limit is %d", resource, omitted, self._limit)


def _of_kind(kind: str, families: Iterable[Family], found: Iterable[Obj]) -> Iterator[Metric]:
    named = _NAMED.get(kind, kind)
    labelled = [(obj, {"namespace": objects.key(obj)[0], named: objects.name(obj)}) for obj in found]
    for family in families:
        metric = Metric(f"{family.prefix or f'{PREFIX}_{kind}'}_{family.suffix}", family.help, "gauge")
        metric.samples = [
            Sample(metric.name, labels, value)
            for obj, common in labelled
            for labels, value in family.series(obj, common)
        ]
        if metric.samples:
            yield metric
