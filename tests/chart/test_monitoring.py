"""What the chart brings for Prometheus and Grafana is what is tested elsewhere, and off until it is asked for."""

import json
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, Helm, named, of_kind
from tests.support.prometheus import SCHEDULER

RULES = yaml.safe_load((CHART / "files/monitoring/rules.yaml").read_text())
ALL = (
    "monitoring.serviceMonitor.enabled=true",
    "monitoring.prometheusRule.enabled=true",
    "monitoring.dashboard.enabled=true",
)


def without_runbooks(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the groups without where each alert's section is published."""
    text = json.dumps(groups)
    for group in (copy := json.loads(text)):
        for rule in group["rules"]:
            del rule["annotations"]["runbook_url"]
    return list(copy)


def test_nothing_of_it_is_there_unasked(helm: Helm) -> None:
    """Kinds that a cluster may not have are not installed by default."""
    kinds = {obj["kind"] for obj in helm.render()}

    assert not kinds & {"ServiceMonitor", "PrometheusRule", "ConfigMap"}


def test_the_alerts_are_those_of_the_file(helm: Helm) -> None:
    """Prometheus' own braces pass through Helm as they are; each alert's section is where the value says."""
    url = "https://example.org/operate.html"
    (rule,) = of_kind(helm.render(*ALL, f"monitoring.prometheusRule.runbookUrl={url}"), "PrometheusRule")

    assert without_runbooks(rule["spec"]["groups"]) == without_runbooks(RULES["groups"])
    sections = {
        one["annotations"]["runbook_url"].partition("#")[0]
        for group in rule["spec"]["groups"]
        for one in group["rules"]
    }
    assert sections == {url}


def test_the_dashboard_is_that_of_the_file(helm: Helm) -> None:
    """It is in a ConfigMap with the label that Grafana's sidecar looks for."""
    (found,) = of_kind(helm.render(*ALL), "ConfigMap")

    assert json.loads(found["data"]["kopfwerk.json"]) == json.loads(
        (CHART / "files/monitoring/dashboard.json").read_text()
    )
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_pods_are_scraped_as_the_alerts_expect(helm: Helm) -> None:
    """The metrics' Service is selected, by a port that it has, with the job that the alerts name."""
    objects = helm.render(*ALL)
    (monitor,) = of_kind(objects, "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    service = named(objects, "Service", "kopfwerk-metrics")

    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["namespaceSelector"]["matchNames"] == [service["metadata"]["namespace"]]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["honorLabels"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "kopfwerk"}]


def test_the_scheduler_is_scraped_as_the_alerts_expect(helm: Helm) -> None:
    """Where it is installed, each replica's extender is, by a job of its own."""
    objects = helm.render(*ALL, "scheduler.enabled=true")
    monitor = named(objects, "ServiceMonitor", "kopfwerk-scheduler")
    (endpoint,) = monitor["spec"]["endpoints"]
    service = named(objects, "Service", "kopfwerk-scheduler-metrics")

    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": SCHEDULER}]


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PrometheusRule", "ConfigMap"])
def test_labels_are_added(helm: Helm, kind: str) -> None:
    """Each has the label by which somebody's Prometheus or Grafana selects."""
    name = {"ServiceMonitor": "serviceMonitor", "PrometheusRule": "prometheusRule", "ConfigMap": "dashboard"}[kind]
    (found,) = of_kind(helm.render(*ALL, f"monitoring.{name}.labels.release=prom"), kind)

    assert found["metadata"]["labels"]["release"] == "prom"


def test_a_monitor_without_a_service_is_refused(helm: Helm) -> None:
    """It would select nothing."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", [*ALL, "metrics.service.enabled=false"]))

    assert ran.returncode != 0
    assert "needs metrics.service.enabled" in ran.stderr
