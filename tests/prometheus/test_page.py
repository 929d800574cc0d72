"""What the operator shows, as a real Prometheus and the parsers take it, and beside what upstream shows."""

import re
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from operators.cluster.api import Api
from operators.controllers import controllers
from tests.prometheus.world import World
from tests.support import dashboard
from tests.support.prometheus import JOBS, RULES, Programs, until

DOCUMENT = Path(__file__).parents[2] / "docs/operate.md"
TABLES = {one.resource.kind: one.state for one in controllers(native=False) if one.state}
STATE = tuple(f"kopfwerk_{kind.lower()}_" for kind in TABLES)
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
UPSTREAMS = {
    "workqueue_depth",
    "workqueue_adds",
    "workqueue_queue_duration_seconds",
    "workqueue_work_duration_seconds",
    "workqueue_unfinished_work_seconds",
    "workqueue_longest_running_processor_seconds",
    "workqueue_retries",
    "rest_client_requests",
    "rest_client_request_duration_seconds",
    "rest_client_request_size_bytes",
    "rest_client_response_size_bytes",
    "rest_client_rate_limiter_duration_seconds",
    "replicaset_controller_sorting_deletion_age_ratio",
    "job_controller_job_sync_duration_seconds",
    "job_controller_job_syncs",
    "job_controller_jobs_finished",
    "job_controller_job_pods_finished",
    "job_controller_job_finished_indexes",
    "job_controller_job_pods_creation",
    "job_controller_pod_failures_handled_by_failure_policy",
    "job_controller_terminated_pods_tracking_finalizer",
    "ttl_after_finished_controller_job_deletion_duration_seconds",
    "cronjob_controller_job_creation_skew_duration_seconds",
    "process_cpu_seconds",
    "process_resident_memory_bytes",
}
"""What both have."""
CAMEL_CASE = "job_controller_job_finished_indexes"
"""Upstream has a label `backoffLimit` there."""


def page(world: World, accept: str) -> tuple[str, str]:
    """Return the type and the text of the operator's page, once it leads and has seen the workloads."""
    request = urllib.request.Request(f"http://{world.target}/metrics", headers={"Accept": accept})

    def ask() -> tuple[str, str] | None:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            type_, text = answer.headers["Content-Type"], answer.read().decode()
        return (type_, text) if "kopfwerk_deployment_spec_replicas{" in text else None

    shown = until(ask, "no workloads on the operator's page")
    assert shown is not None
    return shown


@pytest.mark.parametrize(
    ("accept", "want_type", "parse"),
    [
        pytest.param("text/plain;version=0.0.4", "text/plain; version=0.0.4", parse_text, id="text"),
        pytest.param(OPENMETRICS, "application/openmetrics-text; version=1.0.0", parse_openmetrics, id="openmetrics"),
        pytest.param("*/*", "text/plain; version=0.0.4", parse_text, id="whoever-says-nothing"),
    ],
)
def test_each_format_is_what_it_says(
    world: World, accept: str, want_type: str, parse: Callable[[str], Iterable[Metric]]
) -> None:
    """Whoever asks for a format gets it, and it reads as that."""
    content_type, text = page(world, accept)

    assert content_type.startswith(want_type)
    assert {"workqueue_depth", "kopfwerk_deployment_spec_replicas"} <= {metric.name for metric in parse(text)}


def test_promtool_finds_no_fault(programs: Programs, world: World) -> None:
    """Names, units and help are as Prometheus wants them, but for what upstream has called otherwise."""
    _, text = page(world, "text/plain;version=0.0.4")

    ours = (line for line in text.splitlines(keepends=True) if CAMEL_CASE not in line)
    programs.check("check", "metrics", text="".join(ours))


def test_the_configuration_in_the_document_is_one(programs: Programs, tmp_path: Path) -> None:
    """It can be pasted, beside the rules, and has the jobs that they ask for."""
    (given,) = re.findall(r"```yaml\n(rule_files:.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "rules.yaml").write_text(RULES.read_text())
    (tmp_path / "prometheus.yaml").write_text(given)

    assert "1 rule files found" in programs.check("check", "config", str(tmp_path / "prometheus.yaml"))
    assert tuple(job["job_name"] for job in yaml.safe_load(given)["scrape_configs"]) == JOBS


def test_prometheus_reads_it(world: World) -> None:
    """It asks for OpenMetrics first, and takes every series."""
    until(lambda: world.prometheus.query('scrape_samples_scraped{job="kopfwerk"} > 100'), "nothing is scraped")

    def last_scrape() -> bool:
        targets = world.prometheus.get("targets")["activeTargets"]
        (target,) = (target for target in targets if target["labels"]["job"] == "kopfwerk")
        return (target["health"], target["lastError"]) == ("up", "")

    until(last_scrape, "there is always something wrong with what is scraped")  # one scrape alone may take too long


Shape = tuple[str, frozenset[str], tuple[str, ...]]


def shape(families: Iterable[Metric]) -> dict[str, Shape]:
    """Return the type, the names of the labels and the buckets of each family that has series."""
    return {
        family.name: (
            family.type,
            frozenset(label for sample in family.samples for label in sample.labels if label != "le"),
            tuple(sorted({sample.labels["le"] for sample in family.samples if "le" in sample.labels}, key=float)),
        )
        for family in families
        if family.samples
    }


def _with_all(found: dict[str, Shape]) -> dict[str, Shape] | None:
    """Return what is found once it is complete: what has labels is there once there was something to count."""
    return found if found.keys() >= UPSTREAMS else None


def test_upstreams_metrics_are_as_upstream_has_them(world: World) -> None:
    """Type, labels and buckets are those of the kube-controller-manager that runs beside."""
    theirs = Api(f"https://127.0.0.1:{world.cluster.layout.ports.controller_manager}", world.cluster.layout.pki)
    want = until(lambda: _with_all(shape(parse_text(theirs.get("/metrics")))), "upstream has no Jobs to count")
    found = until(lambda: _with_all(shape(parse_text(page(world, "text/plain")[1]))), "there are no Jobs to count")
    assert want is not None
    assert found is not None

    def numbers(one: tuple[str, frozenset[str], tuple[str, ...]]) -> tuple[str, frozenset[str], list[float]]:
        return one[0], one[1], [float(bound) for bound in one[2]]

    assert {name: numbers(found[name]) for name in UPSTREAMS} == {name: numbers(want[name]) for name in UPSTREAMS}


@pytest.mark.parametrize("expression", [pytest.param(asked, id=title) for title, asked in dashboard.expressions()])
def test_each_query_of_the_dashboard_returns_data(world: World, expression: str) -> None:
    """Grafana's variables stand for what they stand for there."""
    asked = expression.replace("$namespace", ".*").replace("$__rate_interval", "10s")

    until(lambda: world.prometheus.query(asked), f"no data for {asked}")


def test_the_document_names_every_metric(world: World) -> None:
    """What is shown is in docs/operate.md, and what is said there is shown."""
    tables = DOCUMENT.read_text().partition("\n## Alerts")[0]
    said = set(re.findall(r"^\| `(\w+[a-z])` \|", tables, re.MULTILINE))
    _, text = page(world, "text/plain")
    shown = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    shown -= {name for name in shown if name.startswith(("python_", "process_", *STATE))}
    each = {name for name in shown if name.endswith("_controller_stale_sync_skips_total")}

    assert each >= {f"{name}_controller_stale_sync_skips_total" for name in ("deployment", "replicaset", "statefulset")}
    assert said == shown - each | {"replicaset_controller_stale_sync_skips_total"}


@pytest.mark.parametrize("kind", TABLES)
def test_the_document_names_every_state_metric(kind: str) -> None:
    """Each suffix is in the row of its kind, or in that of every kind."""
    rows = dict(re.findall(r"^\| `?(every kind|kopfwerk_\w+_)`? \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE))
    labels = re.compile(r" \([^)]*\)")
    said = {
        name
        for row in (rows["every kind"], rows[f"kopfwerk_{kind.lower()}_"])
        for name in re.findall(r"`(\w+)`", labels.sub("", row))
    }

    assert said == {family.suffix for family in TABLES[kind] if not family.prefix}
