"""Prometheus metrics of the process, under upstream's names where it has them, and a few of our own.

Names, labels and buckets are those of component-base/metrics/prometheus and of each controller's metrics.go. Whoever
counts often resolves its labels once: a child of a metric costs a tenth of looking it up.
"""

from functools import cache
from importlib.metadata import version
from itertools import accumulate
from operator import mul
from platform import python_version

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

from operators.core.endpointslice import Changes, Figures

disable_created_metrics()  # type: ignore[no-untyped-call] # when each series began: half of the page, and of no use to anybody

_DECADES = tuple(accumulate([10.0] * 9, mul, initial=1e-8))  # multiplied as upstream does: 1e-05 is 9.99…e-06 there
_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
_BYTES = (64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216)


class _Count(Gauge):
    """A counter whose name does not end in _total, as upstream has some: OpenMetrics knows no type for it."""

    _type = "unknown"


queue_depth = Gauge("workqueue_depth", "Current depth of workqueue", ["name"])
queue_adds = Counter("workqueue_adds", "Total number of adds handled by workqueue", ["name"])
queue_latency = Histogram(
    "workqueue_queue_duration_seconds",
    "How long in seconds an item stays in workqueue before being requested",
    ["name"],
    buckets=_DECADES,
)
work_duration = Histogram(
    "workqueue_work_duration_seconds",
    "How long in seconds processing an item from workqueue takes",
    ["name"],
    buckets=_DECADES,
)
unfinished_work = Gauge(
    "workqueue_unfinished_work_seconds",
    "How many seconds of work has been done that is in progress and hasn't been observed by work_duration",
    ["name"],
)
longest_running = Gauge(
    "workqueue_longest_running_processor_seconds",
    "How many seconds has the longest running processor for workqueue been running",
    ["name"],
)
queue_retries = Counter("workqueue_retries", "Total number of retries handled by workqueue", ["name"])

_requests = Counter(
    "rest_client_requests",
    "Number of HTTP requests, partitioned by status code, method, and host",
    ["code", "method", "host"],
)
_request_retries = Counter(
    "rest_client_request_retries",
    "Number of request retries, partitioned by status code, verb, and host",
    ["code", "verb", "host"],
)
_request_duration = Histogram(
    "rest_client_request_duration_seconds",
    "Request latency in seconds. Broken down by verb, and host",
    ["verb", "host"],
    buckets=_SECONDS,
)
_request_size = Histogram(
    "rest_client_request_size_bytes",
    "Request size in bytes. Broken down by verb and host",
    ["verb", "host"],
    buckets=_BYTES,
)
_response_size = Histogram(
    "rest_client_response_size_bytes",
    "Response size in bytes. Broken down by verb and host",
    ["verb", "host"],
    buckets=_BYTES,
)
_rate_limiter_duration = Histogram(
    "rest_client_rate_limiter_duration_seconds",
    "How long in seconds a request waited for its turn among those that may be under way at once",
    ["verb", "host"],
    buckets=_SECONDS,
)

leader = Gauge("leader_election_master_status", "1 while this process leads, else 0", ["name"])
_running = Gauge("running_managed_controllers", "1 while the controller runs in this process", ["name", "manager"])

syncs = Counter(
    "kopfwerk_controller_syncs",
    "Syncs by controller and result; a conflict says no more than that the cache was behind",
    ["name", "result"],
)
age_ratio = Histogram(
    "replicaset_controller_sorting_deletion_age_ratio",
    "The ratio of the age of a pod that is deleted in scaling down to that of the youngest; only ready pods count",
    buckets=(0.25, 0.5, 1, 2, 4, 8),
)
_PER_SYNC = tuple(accumulate([2.0] * 14, mul, initial=2.0))
_endpoints_added = Histogram(
    "endpoint_slice_controller_endpoints_added_per_sync",
    "Number of endpoints added on each Service sync",
    buckets=_PER_SYNC,
)
_endpoints_removed = Histogram(
    "endpoint_slice_controller_endpoints_removed_per_sync",
    "Number of endpoints removed on each Service sync",
    buckets=_PER_SYNC,
)
_endpoints_desired = Gauge("endpoint_slice_controller_endpoints_desired", "Number of endpoints desired")
_slices = Gauge("endpoint_slice_controller_num_endpoint_slices", "Number of EndpointSlices")
_slices_desired = Gauge(
    "endpoint_slice_controller_desired_endpoint_slices",
    "Number of EndpointSlices that would exist with perfect endpoint allocation",
)
_slice_changes = _Count("endpoint_slice_controller_changes", "Number of EndpointSlice changes", ["operation"])
for _operation in ("create", "update", "delete"):
    _slice_changes.labels(_operation)
_slice_syncs = _Count("endpoint_slice_controller_syncs", "Number of EndpointSlice syncs", ["result"])
_slices_per_sync = Histogram(
    "endpoint_slice_controller_endpointslices_changed_per_sync",
    "Number of EndpointSlices changed on each Service sync",
    ["topology", "traffic_distribution"],
)
_distributed = Gauge(
    "endpoint_slice_controller_services_count_by_traffic_distribution",
    "Number of Services using some specific trafficDistribution",
    ["traffic_distribution"],
)
informer_objects = Gauge("kopfwerk_informer_objects", "Objects in the cache, by resource", ["resource"])
informer_relists = Counter(
    "kopfwerk_informer_relists", "Full lists, by resource and what made them necessary", ["resource", "cause"]
)
informer_malformed = Counter("kopfwerk_informer_malformed_objects", "Objects that could not be read", ["resource"])
events_dropped = Counter("kopfwerk_events_dropped", "Kubernetes Events not sent, by cause", ["cause"])
probes = Counter(
    "prober_probe",
    "Cumulative number of a liveness, readiness or startup probe by result",
    ["probe_type", "result", "namespace", "podprobe"],
)
probe_duration = Histogram(
    "prober_probe_duration_seconds",
    "Duration in seconds for a probe response",
    ["probe_type", "namespace", "podprobe"],
)
probe_lag = Histogram(
    "kopfwerk_prober_lag_seconds",
    "How long after its time a probe was tried",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
prober_behind = Gauge(
    "kopfwerk_prober_behind_seconds", "By how much the prober was late at most, of the probes of the last ten seconds"
)
prober_workers = Gauge("kopfwerk_prober_workers", "Probes that are being tried again and again", ["probe_type"])
webhook_certificate_expiration = Gauge(
    "kopfwerk_webhook_certificate_expiration_timestamp_seconds",
    "When the certificate that the webhook serves expires, in seconds since 1970; +Inf where there is no webhook",
)
webhook_certificate_expiration.set(float("inf"))

Info("kopfwerk_build", "What runs").info({"version": version("kopfwerk"), "python_version": python_version()})

_counted, _timed, _limited = (
    cache(_requests.labels),
    cache(_request_duration.labels),
    cache(_rate_limiter_duration.labels),
)
_sent, _received = cache(_request_size.labels), cache(_response_size.labels)


def request_ended(method: str, host: str, code: str, seconds: float) -> None:
    """Count a request that is over: how it ended, and how long it took."""
    _counted(code, method, host).inc()
    _timed(method, host).observe(seconds)


def request_carried(method: str, host: str, sent: int, received: int) -> None:
    """Note the bytes of a request's body and of its answer's."""
    _sent(method, host).observe(sent)
    _received(method, host).observe(received)


def watch_began(host: str, code: str) -> None:
    """Count a watch, which to the apiserver is a GET; it has no duration."""
    _counted(code, "GET", host).inc()


def request_retried(method: str, host: str, code: str) -> None:
    """Count a request that is sent once more."""
    _request_retries.labels(code, method, host).inc()


def request_waited(method: str, host: str, seconds: float) -> None:
    """Note how long a request waited before it was sent."""
    _limited(method, host).observe(seconds)


def controller_runs(name: str, *, runs: bool) -> None:
    """Note that a controller runs in this process, or does no longer."""
    _running.labels(f"{name}-controller", "kopfwerk").set(runs)


class SyncCounts:
    """Counts the syncs of one controller."""

    __slots__ = ("_ended", "_skips", "_upstream")

    def __init__(self, controller: str) -> None:
        self._ended = {result: syncs.labels(controller, result) for result in ("success", "conflict", "error")}
        self._skips = _stale_skips(controller)
        self._upstream = _slice_syncs if controller == "endpointslice" else None

    def ended(self, result: str) -> None:
        """Count a sync that is over."""
        self._ended[result].inc()
        if self._upstream is not None:
            self._upstream.labels("success" if result == "success" else "error").inc()

    def put_off(self, group: str, resource: str) -> None:
        """Count a sync that waits until the cache of a resource sees the controller's own writes."""
        self._skips.labels(group, resource).inc()
        if self._upstream is not None:
            self._upstream.labels("stale").inc()


@cache
def _stale_skips(controller: str) -> Counter:
    return Counter(
        f"{controller}_controller_stale_sync_skips",
        f"Syncs of a {controller} put off because the cache of a resource had not yet seen its own writes",
        ["group", "resource"],
    )


class ProbeCounts:
    """Counts the tries of one probe of a PodProbe."""

    __slots__ = ("_labels", "_successes", "_took")

    def __init__(self, kind: str, namespace: str, podprobe: str) -> None:
        self._labels = kind, namespace, podprobe
        self._successes = probes.labels(kind, "successful", namespace, podprobe)
        self._took = probe_duration.labels(kind, namespace, podprobe)

    def tried(self, result: str, seconds: float) -> None:
        """Count a try, and note how long it took to find what it looked for."""
        if result == "successful":
            self._successes.inc()
            self._took.observe(seconds)
        else:
            kind, namespace, podprobe = self._labels
            probes.labels(kind, result, namespace, podprobe).inc()


def forget_probes(namespace: str, podprobe: str) -> None:
    """Drop the series of a PodProbe that is gone."""
    for metric in (probes, probe_duration):
        metric.remove_by_labels({"namespace": namespace, "podprobe": podprobe})


def slices_changed(changes: Changes) -> None:
    """Count what a plan for the slices of a Service changes."""
    _endpoints_added.observe(changes.added)
    _endpoints_removed.observe(changes.removed)
    for operation, count in changes.operations.items():
        _slice_changes.labels(operation).inc(count)
    _slices_per_sync.labels(changes.topology, changes.traffic_distribution).observe(changes.operations.total())


def slices_counted(before: Figures, after: Figures) -> None:
    """Note what there is now of a Service, of which there was `before` when last noted."""
    _endpoints_desired.inc(after.endpoints - before.endpoints)
    _slices.inc(after.slices - before.slices)
    _slices_desired.inc(after.needed - before.needed)
    for figures, step in ((before, -1), (after, 1)):
        if figures.traffic_distribution:
            _distributed.labels(figures.traffic_distribution).inc(step)
