"""Prometheus metrics under upstream's names, as in component-base/metrics/prometheus, and a few of our own."""

from prometheus_client import Counter, Gauge, Histogram

_DECADES = tuple(10.0**n for n in range(-8, 2))

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

requests = Counter(
    "rest_client_requests",
    "Number of HTTP requests, partitioned by status code, method, and host",
    ["code", "method", "host"],
)
request_duration = Histogram(
    "rest_client_request_duration_seconds",
    "Request latency in seconds. Broken down by verb, and host",
    ["verb", "host"],
    buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0),
)

leader = Gauge("leader_election_master_status", "1 while this process leads, else 0", ["name"])
stale_skips = Counter(
    "kopfwerk_controller_stale_sync_skips",
    "Syncs put off because the cache had not yet seen the controller's own writes",
    ["name"],
)
reconcile_errors = Counter("kopfwerk_controller_sync_errors", "Syncs that ended in an error, by controller", ["name"])
informer_objects = Gauge("kopfwerk_informer_objects", "Objects in the cache, by resource", ["resource"])
informer_relists = Counter(
    "kopfwerk_informer_relists", "Full lists, by resource and what made them necessary", ["resource", "cause"]
)
informer_malformed = Counter("kopfwerk_informer_malformed_objects", "Objects that could not be read", ["resource"])
events_dropped = Counter("kopfwerk_events_dropped", "Kubernetes Events not sent, by cause", ["cause"])


def observe_request(method: str, host: str, code: str, seconds: float | None) -> None:
    """Count a request; a watch has no duration."""
    requests.labels(code, method, host).inc()
    if seconds is not None:
        request_duration.labels(method, host).observe(seconds)
