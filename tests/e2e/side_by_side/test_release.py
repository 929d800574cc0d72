"""What can be done with the installed chart beneath workloads, since no replica of the operator is replaced."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from operators.cluster.errors import ClusterError
from tests.e2e import operator
from tests.e2e.shell import documented, run
from tests.support import tools

pytestmark = pytest.mark.xdist_group("kinds and release")
"""One at a time: helm does one thing with a release, and who lists every kind wants them to stay."""


@pytest.fixture
def operator_of_prometheus() -> Iterator[None]:
    """Bring the kinds of the Prometheus operator, and take them away with what the chart made of them."""
    kinds = [
        f"{custom_resources()}/monitoring.coreos.com_{kind}.yaml" for kind in ("servicemonitors", "prometheusrules")
    ]
    files = [f"--filename={kind}" for kind in kinds]
    run("kubectl", "apply", "--server-side", *files)
    run("kubectl", "wait", "--for=condition=Established", "--timeout=30s", *files)
    yield
    off = [f"--set=monitoring.{part}.enabled=false" for part in ("serviceMonitor", "prometheusRule", "dashboard")]
    operator.upgrade("--reuse-values", *off)
    run("kubectl", "delete", *files)


def custom_resources() -> Path:
    """Return the folder of the Prometheus operator's custom resources: its Go module has them."""
    try:
        found = tools.sources("prometheus-operator", "github.com/prometheus-operator/prometheus-operator")
    except ClusterError as error:
        pytest.skip(f"whether the Prometheus operator takes the chart's objects is NOT TESTED: {error}")
    return found / "example/prometheus-operator-crd"


def test_helm_test() -> None:
    """The chart's own test passes."""
    assert "Succeeded" in documented("helm test kopfwerk --namespace kopfwerk-system --logs")


def test_monitoring(operator_of_prometheus: None) -> None:
    """The Prometheus operator's own custom resources take what the chart makes for them."""
    documented(
        "helm upgrade kopfwerk helm/kopfwerk --namespace kopfwerk-system --reset-then-reuse-values"
        " --set monitoring.serviceMonitor.enabled=true --set monitoring.prometheusRule.enabled=true"
        " --set monitoring.dashboard.enabled=true"
    )
    (monitor,) = operator.OPERATOR.get("servicemonitors.monitoring.coreos.com")
    assert monitor["spec"]["endpoints"][0]["port"] == "metrics"
    (rule,) = operator.OPERATOR.get("prometheusrules.monitoring.coreos.com")
    assert "KopfwerkDown" in str(rule["spec"]["groups"])
    assert operator.OPERATOR.get("configmaps", "--selector=grafana_dashboard=1")
