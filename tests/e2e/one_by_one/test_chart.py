"""The chart's life: an upgrade, and going away and coming back, beneath workloads that do not notice.

All of it as docs/install.md says it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e import operator
from tests.e2e.manifests import OURS, Obj, container, deployment
from tests.e2e.shell import CHART, NAMESPACE, RELEASE, Shell, documented, eventually, run

INSTALL = "helm install kopfwerk helm/kopfwerk --namespace kopfwerk-system --create-namespace --wait"
WITHOUT_HELM = (
    "helm template kopfwerk helm/kopfwerk --namespace kopfwerk-system --skip-tests --kube-version 1.37"
    " --set webhook.enabled=false | kubectl apply -f -"
)


OLDER = "0.0.9"
FIELD, COLUMN = "revisionHistoryLimit", "UP-TO-DATE"
"""Of Deployments, what they are made to lack in the older chart."""


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Install the chart again after a test that has failed without it: the others are not to fail with it."""
    yield
    if RELEASE not in run("helm", "list", "--deployed", "--short", f"--namespace={NAMESPACE}").split():
        operator.upgrade("--take-ownership")


def test_upgrade(shell: Shell) -> None:
    """An upgrade of the release replaces the operator's pods and no workload's, and so does the way back."""
    shell.apply(deployment(3))
    shell.rolled_out()
    before, old = _running(shell), _operators()
    operator.upgrade("--set-string=podAnnotations.upgraded=yes", "--reuse-values")
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    shell.rolled_out()
    new = _operators()
    assert not old & new
    documented("helm rollback kopfwerk --namespace kopfwerk-system --wait")
    operator.ready()
    assert not new & _operators()
    assert before < _running(shell)


def test_upgrade_from_an_older_version(shell: Shell, tmp_path: Path) -> None:
    """Its custom resources lacked a field and a column: they come, and objects and pods stay as they are."""
    values = _values()
    _uninstall()
    documented("kubectl delete crd --selector app.kubernetes.io/name=kopfwerk,app.kubernetes.io/component=crds")
    operator.upgrade("--values=-", chart=_older_chart(tmp_path), stdin=values)
    assert _chart() == f"kopfwerk-{OLDER}"
    shell.apply(deployment(3))
    shell.rolled_out()
    _limit_history(shell)
    old = shell.get("deployments.kopfwerk.dev/web")
    assert FIELD not in old["spec"]
    assert COLUMN not in _columns(shell)
    before = _running(shell)

    documented("helm upgrade kopfwerk helm/kopfwerk --namespace kopfwerk-system --reset-then-reuse-values --wait")
    assert _chart() != f"kopfwerk-{OLDER}"
    assert _values() == values
    assert COLUMN in _columns(shell)
    _limit_history(shell)
    new = shell.get("deployments.kopfwerk.dev/web")
    assert (new["metadata"]["uid"], new["spec"][FIELD]) == (old["metadata"]["uid"], 3)
    assert _running(shell) == before
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    shell.rolled_out()
    assert before < _running(shell)


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
    shell.apply(_endless_job())
    eventually("the Job's pod", lambda: shell.get("pods", "--selector=job-name=endless"))
    documented("kubectl delete cronjobs.kopfwerk.dev,jobs.kopfwerk.dev --all --all-namespaces")
    documented("kubectl delete crd --selector app.kubernetes.io/name=kopfwerk,app.kubernetes.io/component=crds")
    eventually("no pod is left", lambda: shell.get("pods") == [])
    operator.upgrade("--take-ownership")
    shell.apply(deployment(1))
    shell.rolled_out()


def _older_chart(folder: Path) -> Path:
    """Write the chart as it might have been: of a lower version, and with less in its Deployments."""
    chart = folder / "kopfwerk"
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about | {"version": OLDER}))
    file = chart / "files/crds/deployments.yaml"
    crd = yaml.safe_load(file.read_text())
    (version,) = crd["spec"]["versions"]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][FIELD]
    columns = [column for column in version["additionalPrinterColumns"] if column["name"].upper() != COLUMN]
    assert len(columns) == len(version["additionalPrinterColumns"]) - 1
    version["additionalPrinterColumns"] = columns
    file.write_text(yaml.safe_dump(crd))
    return chart


def _chart() -> str:
    """Return the name and version of the chart that is installed."""
    (release,) = json.loads(run("helm", "list", "--output=json", f"--namespace={NAMESPACE}"))
    return str(release["chart"])


def _limit_history(shell: Shell) -> None:
    """Set the field, which is dropped where it is not known."""
    patch = f'{{"spec": {{"{FIELD}": 3}}}}'
    shell.kubectl("patch", "deployments.kopfwerk.dev/web", "--type=merge", f"--patch={patch}")


def _columns(shell: Shell) -> list[str]:
    """Return what kubectl shows of Deployments."""
    return shell.kubectl("get", "deployments.kopfwerk.dev").splitlines()[0].split()


def _endless_job() -> Obj:
    """Return a Job whose pod does not end by itself."""
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [container("v1", "call", "http://x")],
    }
    return {"apiVersion": OURS, "kind": "Job", "metadata": {"name": "endless"}, "spec": {"template": {"spec": pod}}}


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
