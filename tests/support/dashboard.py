"""The Grafana dashboard: panels in rows, each with what it asks Prometheus."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path("helm/kopfwerk/files/monitoring/dashboard.json")
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS: Final = 24
_IN: Final = 'namespace=~"$namespace"'
"""The workloads that are looked at."""
_OF: Final = 'job="kopfwerk"'
"""The operator's own series."""
_OF_SCHEDULER: Final = 'job="kopfwerk-scheduler"'
"""Those of the scheduler's extender; each replica has them, and the leader's are those that move."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A diagram, or with `now` a single number. queries are pairs of a legend and an expression."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    now: bool = False


def _condition(kind: str, condition: str, status: str) -> str:
    return f'sum({PREFIX}_{kind}_status_condition{{{_IN},condition="{condition}",status="{status}"}}) or vector(0)'


def _sum(metric: str) -> str:
    return f"sum({PREFIX}_{metric}{{{_IN}}})"


def _rate(metric: str, by: str, selector: str = _OF) -> str:
    return f"sum by ({by}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def _quantile(metric: str, by: str, selector: str = _OF) -> str:
    return f"histogram_quantile(0.99, {_rate(f'{metric}_bucket', f'le, {by}', selector)})"


def _waiting(event: str) -> str:
    metric = "job_controller_terminated_pods_tracking_finalizer_total"
    return f'(sum({metric}{{{_OF},event="{event}"}}) or vector(0))'


PREFIX: Final = "kopfwerk"

_UNDER_WAY: Final = f"{PREFIX}_job_status_start_time{{{_IN}}} and {PREFIX}_job_status_active{{{_IN}}} > 0"

ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Now": (
        Panel("Leaders", "none", (("", f"sum(leader_election_master_status{{{_OF}}})"),), now=True),
        Panel("Replicas that answer", "none", (("", f"sum(up{{{_OF}}})"),), now=True),
        Panel("Deployments", "none", (("", f"count({PREFIX}_deployment_created{{{_IN}}})"),), now=True),
        Panel("Stuck rollouts", "none", (("", _condition("deployment", "Progressing", "false")),), now=True),
        Panel("Refused pods", "none", (("", _condition("deployment", "ReplicaFailure", "true")),), now=True),
        Panel(
            "Webhook's certificate",
            "s",
            (("", f"min({PREFIX}_webhook_certificate_expiration_timestamp_seconds{{{_OF}}}) - time()"),),
            now=True,
        ),
    ),
    "Workloads": (
        Panel(
            "Pods of Deployments",
            "none",
            (
                ("wanted", _sum("deployment_spec_replicas")),
                ("there", _sum("deployment_status_replicas")),
                ("available", _sum("deployment_status_replicas_available")),
            ),
        ),
        Panel(
            "Pods of StatefulSets",
            "none",
            (
                ("wanted", _sum("statefulset_replicas")),
                ("there", _sum("statefulset_status_replicas")),
                ("available", _sum("statefulset_status_replicas_available")),
            ),
        ),
        Panel(
            "Deployments that lack pods",
            "none",
            (
                (
                    "{{namespace}}/{{deployment}}",
                    f"max by (namespace, deployment) ({PREFIX}_deployment_status_replicas_unavailable{{{_IN}}}) > 0",
                ),
            ),
        ),
    ),
    "Rollouts": (
        Panel(
            "Pods not yet of the newest template",
            "none",
            (
                (
                    "Deployments",
                    f"{_sum('deployment_status_replicas')} - {_sum('deployment_status_replicas_updated')}",
                ),
                (
                    "StatefulSets",
                    f"{_sum('statefulset_status_replicas')} - {_sum('statefulset_status_replicas_updated')}",
                ),
            ),
        ),
        Panel(
            "Conditions of Deployments",
            "none",
            (
                (
                    "{{condition}}: {{reason}}",
                    f'sum by (condition, reason) ({PREFIX}_deployment_status_condition{{{_IN},status="true"}})',
                ),
            ),
        ),
        Panel("Pods on their way out", "none", (("", _sum("replicaset_status_terminating_replicas")),)),
    ),
    "CronJobs": (
        Panel("Jobs of CronJobs that go on", "none", (("", _sum("cronjob_status_active")),)),
        Panel(
            "Since the last success",
            "s",
            (
                (
                    "{{namespace}}/{{cronjob}}",
                    f"time() - max by (namespace, cronjob) ({PREFIX}_cronjob_status_last_successful_time{{{_IN}}})",
                ),
            ),
        ),
        Panel(
            "Runs that are due and have not started",
            "s",
            (
                (
                    "{{namespace}}/{{cronjob}}",
                    f"time() - max by (namespace, cronjob) ({PREFIX}_cronjob_next_schedule_time{{{_IN}}}) > 0",
                ),
            ),
        ),
    ),
    "Jobs": (
        Panel(
            "Pods of Jobs",
            "none",
            (("active", _sum("job_status_active")), ("failed, of Jobs that are there", _sum("job_status_failed"))),
        ),
        Panel(
            "Jobs that end",
            "ops",
            (("{{result}}: {{reason}}", _rate("job_controller_jobs_finished_total", "result, reason")),),
        ),
        Panel("Pods that end", "ops", (("{{result}}", _rate("job_controller_job_pods_finished_total", "result")),)),
        Panel(
            "Ended pods that are not counted yet",
            "none",
            (("", f"{_waiting('add')} - {_waiting('delete')}"),),
        ),
        Panel(
            "Sync of a Job, 99th percentile",
            "s",
            (("{{action}}", _quantile("job_controller_job_sync_duration_seconds", "action")),),
        ),
        Panel(
            "Longest that run",
            "s",
            (
                (
                    "{{namespace}}/{{job_name}}",
                    f"topk(5, time() - max by (namespace, job_name) ({_UNDER_WAY}))",
                ),
            ),
        ),
    ),
    "Controllers": (
        Panel("Waiting objects", "none", (("{{name}}", f"sum by (name) (workqueue_depth{{{_OF}}})"),)),
        Panel("Wait, 99th percentile", "s", (("{{name}}", _quantile("workqueue_queue_duration_seconds", "name")),)),
        Panel("Sync, 99th percentile", "s", (("{{name}}", _quantile("workqueue_work_duration_seconds", "name")),)),
        Panel("Syncs", "ops", (("{{name}}: {{result}}", _rate(f"{PREFIX}_controller_syncs_total", "name, result")),)),
        Panel("Retries", "ops", (("{{name}}", _rate("workqueue_retries_total", "name")),)),
        Panel(
            "Objects in the caches",
            "none",
            (("{{resource}}", f"sum by (resource) ({PREFIX}_informer_objects{{{_OF}}})"),),
        ),
    ),
    "Requests to the apiserver": (
        Panel("Requests", "reqps", (("{{method}} {{code}}", _rate("rest_client_requests_total", "method, code")),)),
        Panel(
            "Latency, 99th percentile", "s", (("{{verb}}", _quantile("rest_client_request_duration_seconds", "verb")),)
        ),
        Panel(
            "Bytes",
            "Bps",
            (
                ("sent", f"sum(rate(rest_client_request_size_bytes_sum{{{_OF}}}[$__rate_interval]))"),
                ("received", f"sum(rate(rest_client_response_size_bytes_sum{{{_OF}}}[$__rate_interval]))"),
            ),
        ),
    ),
    "Process": (
        Panel("Processor time", "percentunit", (("{{instance}}", _rate("process_cpu_seconds_total", "instance")),)),
        Panel("Memory", "bytes", (("{{instance}}", f"process_resident_memory_bytes{{{_OF}}}"),)),
        Panel("Leader", "none", (("{{instance}}", f"leader_election_master_status{{{_OF}}}"),)),
    ),
    "Scheduler": (
        Panel(
            "Calls of kube-scheduler",
            "reqps",
            (("{{verb}} {{code}}", _rate(f"{PREFIX}_scheduler_calls_total", "verb, code", _OF_SCHEDULER)),),
        ),
        Panel(
            "Answer, 99th percentile",
            "s",
            (("{{verb}}", _quantile(f"{PREFIX}_scheduler_call_duration_seconds", "verb", _OF_SCHEDULER)),),
        ),
        Panel(
            "Rule, 99th percentile",
            "s",
            (
                (
                    "{{extension_point}} {{plugin}}",
                    _quantile("scheduler_plugin_execution_duration_seconds", "extension_point, plugin", _OF_SCHEDULER),
                ),
            ),
        ),
        Panel(
            "In its snapshot",
            "none",
            (("{{type}}", f"max by (type) (scheduler_cache_size{{{_OF_SCHEDULER}}})"),),
        ),
        Panel(
            "Groups for which room is held",
            "none",
            (("", f"max({PREFIX}_scheduler_gangs_held{{{_OF_SCHEDULER}}})"),),
        ),
        Panel(
            "Placed pods that were never seen",
            "none",
            (("{{instance}}", f"{PREFIX}_scheduler_expired_pods{{{_OF_SCHEDULER}}}"),),
        ),
    ),
}
"""Panels by the title of their row."""


def expressions() -> Iterator[tuple[str, str]]:
    """Yield the title of each panel with each of its expressions."""
    for panels in ROWS.values():
        for panel in panels:
            for _, expression in panel.queries:
                yield panel.title, expression


def _panel(panel: Panel, number: int, x: int, y: int, width: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stat" if panel.now else "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"h": 4 if panel.now else 8, "w": width, "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for i, (legend, expression) in enumerate(panel.queries)
        ],
    }


def _panels() -> Iterator[dict[str, Any]]:
    """Lay the rows out below one another, three panels abreast, of single numbers all."""
    number, y = 1, 0
    for title, panels in ROWS.items():
        yield {"id": number, "type": "row", "title": title, "gridPos": {"h": 1, "w": _COLUMNS, "x": 0, "y": y}}
        number, y = number + 1, y + 1
        abreast = len(panels) if panels[0].now else 3
        width = _COLUMNS // abreast
        for i, panel in enumerate(panels):
            yield _panel(panel, number, i % abreast * width, y + i // abreast * 8, width)
            number += 1
        y += -(-len(panels) // abreast) * 8


def _variable(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "label": name.capitalize(), "hide": 0, **rest}


def files() -> Iterator[tuple[Path, str]]:
    """Yield the path from the project's root, and the content, of the one file."""
    variables = [
        _variable("datasource", type="datasource", query="prometheus", current={}),
        _variable(
            "namespace",
            type="query",
            datasource=_SOURCE,
            query=f"label_values({PREFIX}_replicaset_created, namespace)",
            refresh=2,
            includeAll=True,
            multi=True,
            allValue=".*",
            current={"text": "All", "value": "$__all"},
        ),
    ]
    dashboard = {
        "uid": "kopfwerk",
        "title": "Kopfwerk",
        "tags": ["kopfwerk", "kubernetes"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": variables},
        "panels": list(_panels()),
    }
    yield FILE, json.dumps(dashboard, indent=1) + "\n"
