"""Prometheus metrics of the extender."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0)

calls = Histogram(
    "kopfwerk_scheduler_call_duration_seconds", "How long a verb takes to answer", ["verb"], buckets=_FAST
)
results = Counter("kopfwerk_scheduler_calls", "Calls by verb and HTTP status", ["verb", "code"])
assumed = Gauge("kopfwerk_scheduler_assumed_pods", "Pods that were placed and not yet seen on their node")
expired = Gauge("kopfwerk_scheduler_expired_pods", "Assumed pods that were never seen on their node, since the start")
