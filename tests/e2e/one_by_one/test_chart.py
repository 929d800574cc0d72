"""The chart's life: its own test, an upgrade, and going away and coming back, beneath workloads that do not notice.

All of it as docs/install.md says it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from operators.cluster.errors import ClusterError
from tests.e2e import operator
from tests.e2e.manifests import deployment
from tests.e2e.shell import NAMESPACE, RELEASE, Shell, documented, eventually, run
from tests.support import tools

INSTALL = "helm install kopfwerk helm/kopfwerk --namespace kopfwerk-system --create-namespace --wait"
WITHOUT_HELM = (
    "helm template kopfwerk helm/kopfwerk --namespace kopfwerk-system --skip-tests --kube-version 1.37"
    " --set webhook.enabled=false | kubectl apply -f -"
)


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Install the chart again after a test that has failed without it: the others are not to fail with it."""
    yield
    if RELEASE not in run("helm", "list", "--deployed", "--short", f"--namespace={NAMESPACE}").split():
        operator.upgrade("--take-ownership")


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


def test_upgrade(shell: Shell) -> None:
    """An upgrade of the release replaces the operator's pods and no workload's, and so does the way back."""
    shell.apply(deployment(3))
    shell.rolled_out()
    before, values = _running(shell), _values()
    documented("helm upgrade kopfwerk helm/kopfwerk --namespace kopfwerk-system --reset-then-reuse-values --wait")
    assert _values() == values
    old = _operators()
    operator.upgrade("--set-string=podAnnotations.upgraded=yes", "--reuse-values")
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    shell.rolled_out()
    new = _operators()
    assert not old & new
    documented("helm rollback kopfwerk --namespace kopfwerk-system --wait")
    operator.ready()
    assert not new & _operators()
    assert before < _running(shell)


def test_monitoring(operator_of_prometheus: None) -> None:
    """The Prometheus operator's own custom resources take what the chart makes for them."""
    documented(
        "helm upgrade kopfwerk helm/kopfwerk --namespace kopfwerk-system --reuse-values"
        " --set monitoring.serviceMonitor.enabled=true --set monitoring.prometheusRule.enabled=true"
        " --set monitoring.dashboard.enabled=true"
    )
    (monitor,) = operator.OPERATOR.get("servicemonitors.monitoring.coreos.com")
    assert monitor["spec"]["endpoints"][0]["port"] == "metrics"
    (rule,) = operator.OPERATOR.get("prometheusrules.monitoring.coreos.com")
    assert "KopfwerkDown" in str(rule["spec"]["groups"])
    assert operator.OPERATOR.get("configmaps", "--selector=grafana_dashboard=1")


def test_uninstall_and_install(shell: Shell) -> None:
    """What was applied outlives the operator, and is controlled again when it is back."""
    shell.apply(deployment(3))
    shell.rolled_out()
    before = _running(shell)
    _uninstall()
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    assert _running(shell) == before
    left = "clusterroles,clusterrolebindings,validatingwebhookconfigurations,validatingadmissionpolicies"
    assert run("kubectl", "get", left, "-o=name", f"--selector=app.kubernetes.io/instance={RELEASE}") == ""
    documented(INSTALL)
    operator.ready()
    shell.rolled_out()
    assert before < _running(shell)
    assert len(_running(shell)) == 4


def test_without_helm_and_without_a_trace(shell: Shell) -> None:
    """Manifests that kubectl applies do too; with the custom resources goes all that was made of them."""
    shell.apply(deployment(3))
    shell.rolled_out()
    before = _running(shell)
    _uninstall()
    documented("kubectl delete namespace kopfwerk-system")
    assert _running(shell) == before
    documented("kubectl create namespace kopfwerk-system")
    documented(WITHOUT_HELM)
    operator.ready()
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    shell.rolled_out()
    assert before < _running(shell)
    documented("kubectl delete crd --selector app.kubernetes.io/name=kopfwerk,app.kubernetes.io/component=crds")
    eventually("no pod is left", lambda: shell.get("pods") == [])
    operator.upgrade("--take-ownership")
    shell.apply(deployment(1))
    shell.rolled_out()


def _uninstall() -> None:
    """Uninstall it, and wait until nobody is left who would do anything."""
    documented("helm uninstall kopfwerk --namespace kopfwerk-system")
    running = f"--selector={','.join(f'{name}={value}' for name, value in operator.LABELS.items())}"
    eventually("the operator is gone", lambda: operator.OPERATOR.get("pods", running) == [])


def _values() -> str:
    """Return what the release was told."""
    return run("helm", "get", "values", RELEASE, f"--namespace={NAMESPACE}", "--output=json")


def _operators() -> set[str]:
    return {pod["metadata"]["uid"] for pod in operator.pods()}


def _running(shell: Shell) -> set[tuple[str, int]]:
    """Return each pod, with how often it was restarted."""
    return {
        (pod["metadata"]["uid"], sum(status["restartCount"] for status in pod["status"]["containerStatuses"]))
        for pod in shell.pods(app="web")
        if pod["status"].get("containerStatuses")
    }
