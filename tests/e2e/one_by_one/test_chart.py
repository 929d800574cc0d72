"""The chart's life: its own test, an upgrade, and going away and coming back, beneath workloads that do not notice."""

from tests.e2e import operator
from tests.e2e.manifests import deployment
from tests.e2e.shell import CHART, NAMESPACE, RELEASE, Shell, run


def test_helm_test(shell: Shell) -> None:
    """The chart's own test passes."""
    assert "Succeeded" in run("helm", "test", RELEASE, f"--namespace={NAMESPACE}")


def test_upgrade(shell: Shell) -> None:
    """An upgrade of the release replaces the operator's pods and no workload's."""
    shell.apply(deployment(3))
    shell.rolled_out()
    before = _running(shell)
    _upgrade("--set-string=podAnnotations.upgraded=yes", "--reuse-values")
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    shell.rolled_out()
    assert before < _running(shell)


def test_uninstall_and_install(shell: Shell) -> None:
    """What was applied outlives the operator, and is controlled again when it is back."""
    shell.apply(deployment(3))
    shell.rolled_out()
    before = _running(shell)
    values = run("helm", "get", "values", RELEASE, f"--namespace={NAMESPACE}", "--output=json")
    run("helm", "uninstall", RELEASE, f"--namespace={NAMESPACE}", "--wait")
    shell.kubectl("scale", "deployments.kopfwerk.dev/web", "--replicas=4")
    assert _running(shell) == before
    assert (
        run(
            "kubectl",
            "get",
            "clusterroles,clusterrolebindings,validatingwebhookconfigurations",
            "-o=name",
            f"--selector=app.kubernetes.io/instance={RELEASE}",
        )
        == ""
    )
    _upgrade("--values=-", stdin=values)
    operator.ready()
    shell.rolled_out()
    assert before < _running(shell)
    assert len(_running(shell)) == 4


def _upgrade(*args: str, stdin: str = "") -> None:
    run(
        "helm",
        "upgrade",
        "--install",
        RELEASE,
        str(CHART),
        f"--namespace={NAMESPACE}",
        "--wait",
        "--timeout=3m",
        *args,
        stdin=stdin,
    )


def _running(shell: Shell) -> set[tuple[str, int]]:
    """Return each pod, with how often it was restarted."""
    return {
        (pod["metadata"]["uid"], sum(status["restartCount"] for status in pod["status"]["containerStatuses"]))
        for pod in shell.pods(app="web")
        if pod["status"].get("containerStatuses")
    }
