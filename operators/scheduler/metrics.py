"""Prometheus metrics of the extender, under upstream's names where upstream has one of the kind."""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from operators.scheduler.rules import Rules

P = ParamSpec("P")
T = TypeVar("T")

_FAST = (0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0)
_OF_A_RULE = tuple(0.00001 * 1.5**step for step in range(20))

calls = Histogram(
    "kopfwerk_scheduler_call_duration_seconds", "How long a verb takes to answer", ["verb"], buckets=_FAST
)
results = Counter(
    "kopfwerk_scheduler_calls", "Calls by verb and HTTP status; 500 where a rule failed", ["verb", "code"]
)
cache = Gauge("scheduler_cache_size", "Nodes, pods, and assumed (bound) pods in the extender's snapshot", ["type"])
expired = Gauge("kopfwerk_scheduler_expired_pods", "Assumed pods that were never seen on their node, since the start")
gangs = Counter(
    "kopfwerk_scheduler_gangs", "Groups that were placed, and those a part of which was given up then", ["result"]
)
held = Gauge("kopfwerk_scheduler_gangs_held", "Groups for which room is held, and whose pods were not all let through")
rule_durations = Histogram(
    "scheduler_plugin_execution_duration_seconds",
    "How long a rule takes at an extension point",
    ["plugin", "extension_point", "status"],
    buckets=_OF_A_RULE,
)


def timed(rules: Rules) -> Rules:
    """Return rules that do the same, each call of one timed."""
    return Rules(
        {name: _timed(rule, name, "Filter") for name, rule in rules.predicates.items()},
        {name: (_timed(rule, name, "Score"), weight) for name, (rule, weight) in rules.priorities.items()},
    )


def _timed(rule: Callable[P, T], name: str, point: str) -> Callable[P, T]:
    observe = rule_durations.labels(name, point, "Success").observe

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        began = time.perf_counter()
        found = rule(*args, **kwargs)
        observe(time.perf_counter() - began)
        return found

    return call
