"""Jobs with real containers, which end with real codes; kube-controller-manager's own Job controller runs beside."""

import json
from typing import Any, Final

import pytest

from tests.e2e.manifests import OURS, Obj, container
from tests.e2e.shell import Shell, eventually

WEB: Final = "jobs.kopfwerk.dev/web"
LABEL: Final = "batch.kubernetes.io/controller-uid"


def job(*command: str, restart: str = "Never", script: str = "", **spec: Any) -> Obj:
    """Return a Job of one container: a command of the test's image, or a script."""
    main = container("v1", command=["sh", "-c", script]) if script else container("v1", *command)
    pod = {"restartPolicy": restart, "terminationGracePeriodSeconds": 1, "containers": [main]}
    soon = {"podFailureBackoff": {"baseSeconds": 1, "maxSeconds": 2}}
    body = {"template": {"spec": pod}} | soon | spec
    return {"apiVersion": OURS, "kind": "Job", "metadata": {"name": "web"}, "spec": body}


def until(shell: Shell, condition: str) -> Obj:
    """Wait for a condition, and return the status then."""
    shell.kubectl("wait", WEB, f"--for=condition={condition}", "--timeout=90s")
    status: Obj = shell.get(WEB)["status"]
    return status


def reason(status: Obj, condition: str) -> str:
    """Return why a condition is as it is."""
    return str(next(one["reason"] for one in status["conditions"] if one["type"] == condition))


def failed(status: Obj) -> int:
    """Return how many pods have failed; `batch/v1` leaves a zero out."""
    return int(status.get("failed", 0))


def pods(shell: Shell) -> list[Obj]:
    """Return the Job's pods."""
    found: list[Obj] = shell.get("pods", "--selector=job-name=web")
    return found


def held(shell: Shell) -> list[Obj]:
    """Return the pods that still have the finalizer."""
    return [pod for pod in pods(shell) if pod["metadata"].get("finalizers")]


def test_completions(shell: Shell) -> None:
    """Containers that end with 0 are completions; no pod keeps its finalizer."""
    shell.apply(job("exit", "0", "0.1", completions=5, parallelism=2))
    status = until(shell, "Complete")
    assert (status["succeeded"], failed(status)) == (5, 0)
    assert len(pods(shell)) == 5
    assert held(shell) == []


def test_indexes(shell: Shell) -> None:
    """Each container has its index as a variable and in its hostname."""
    shell.apply(
        job(script="echo $JOB_COMPLETION_INDEX $(hostname)", completionMode="Indexed", completions=3, parallelism=3)
    )
    assert until(shell, "Complete")["completedIndexes"] == "0-2"
    logs = shell.kubectl("logs", "--selector=job-name=web")
    assert sorted(logs.splitlines()) == ["0 web-0", "1 web-1", "2 web-2"]


def test_an_index_that_fails(shell: Shell) -> None:
    """Only the index whose container fails is tried again, and in the end it alone has failed."""
    script = 'test "$JOB_COMPLETION_INDEX" != 1'
    shell.apply(job(script=script, completionMode="Indexed", completions=3, parallelism=3, backoffLimitPerIndex=1))
    status = until(shell, "Failed")
    assert (status["completedIndexes"], status["failedIndexes"], status["failed"]) == ("0,2", "1", 2)
    assert reason(status, "Failed") == "FailedIndexes"


@pytest.mark.parametrize(
    ("code", "want"),
    [pytest.param("42", "PodFailurePolicy", id="at once"), pytest.param("1", "BackoffLimitExceeded", id="after tries")],
)
def test_exit_codes(shell: Shell, code: str, want: str) -> None:
    """A policy tells one code from another."""
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]
    shell.apply(job("exit", code, "0.1", backoffLimit=1, podFailurePolicy={"rules": rules}))
    status = until(shell, "Failed")
    assert reason(status, "Failed") == want
    assert status["failed"] == (1 if code == "42" else 2)


def test_restarts_count(shell: Shell) -> None:
    """With OnFailure the kubelet tries again, and its tries are counted."""
    shell.apply(job("exit", "1", "0.1", restart="OnFailure", backoffLimit=1))
    assert reason(until(shell, "Failed"), "Failed") == "BackoffLimitExceeded"
    eventually("its pod is gone", lambda: pods(shell) == [])


def test_deadline(shell: Shell) -> None:
    """What runs is ended, and the Job has failed once it has."""
    shell.apply(job("serve", parallelism=2, completions=2, activeDeadlineSeconds=5))
    assert reason(until(shell, "Failed"), "Failed") == "DeadlineExceeded"
    eventually("its pods are gone", lambda: pods(shell) == [])


def test_suspend_and_resume(shell: Shell) -> None:
    """Suspended it has no pods; what it had counts for nothing."""
    shell.apply(job("serve", parallelism=2, completions=2))
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.ready}=2", "--timeout=90s")
    shell.kubectl("patch", WEB, "--type=merge", '--patch={"spec": {"suspend": true}}')
    until(shell, "Suspended")
    eventually("its pods are gone", lambda: pods(shell) == [])
    shell.kubectl("patch", WEB, "--type=merge", '--patch={"spec": {"suspend": false}}')
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.ready}=2", "--timeout=90s")
    assert failed(shell.get(WEB)["status"]) == 0


def test_a_deleted_pod(shell: Shell) -> None:
    """It has failed, is counted once, and another takes its place."""
    shell.apply(job("serve"))
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.ready}=1", "--timeout=90s")
    (first,) = pods(shell)
    shell.kubectl("delete", "pod", first["metadata"]["name"])
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.failed}=1", "--timeout=90s")
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.ready}=1", "--timeout=90s")
    assert [pod["metadata"]["uid"] for pod in pods(shell)] != [first["metadata"]["uid"]]


def test_an_evicted_pod(shell: Shell) -> None:
    """A disruption is nobody's fault where the policy says so."""
    rules = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    shell.apply(job("serve", backoffLimit=0, podFailurePolicy={"rules": rules}))
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.ready}=1", "--timeout=90s")
    (first,) = pods(shell)
    meta = {"name": first["metadata"]["name"], "namespace": shell.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
    url = f"/api/v1/namespaces/{shell.namespace}/pods/{meta['name']}/eviction"
    shell.kubectl("create", f"--raw={url}", "--filename=-", stdin=json.dumps(eviction))
    eventually(
        "another runs",
        lambda: [pod for pod in pods(shell) if pod["metadata"]["uid"] != first["metadata"]["uid"]] != [],
    )
    status = shell.get(WEB)["status"]
    assert failed(status) == 0
    assert not [one for one in status.get("conditions", ()) if one["type"] == "Failed"]


def test_deleted_after_its_end(shell: Shell) -> None:
    """Its TTL takes its pods along."""
    shell.apply(job("exit", "0", "0.1", ttlSecondsAfterFinished=1))
    eventually("it is gone", lambda: shell.get("jobs.kopfwerk.dev") == [] and pods(shell) == [])


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_deletion(shell: Shell, cascade: str) -> None:
    """No finalizer is left behind, also where the pods stay: there upstream's controller may take it off first."""
    shell.apply(job("serve", parallelism=2, completions=2))
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.ready}=2", "--timeout=90s")
    shell.kubectl("delete", WEB, f"--cascade={cascade}")
    want = 2 if cascade == "orphan" else 0
    eventually("no finalizer", lambda: held(shell) == [] and len(pods(shell)) == want)


def test_taking_on_the_pods_of_another(shell: Shell) -> None:
    """A Job with a selector of its own adopts pods that a deleted one has left, and counts them when they end."""
    left = job("exit", "0", "20", parallelism=2, completions=2)
    shell.apply(left)
    shell.kubectl("wait", WEB, "--for=jsonpath={.status.active}=2", "--timeout=90s")
    labels = {LABEL: shell.get(WEB)["metadata"]["uid"]}
    shell.kubectl("delete", WEB, "--cascade=orphan")
    selector = {"matchLabels": labels}
    heir = job("exit", "0", "20", parallelism=2, completions=2, manualSelector=True, selector=selector)
    heir["spec"]["template"]["metadata"] = {"labels": labels | {"job-name": "web"}}
    shell.apply(heir)
    assert until(shell, "Complete")["succeeded"] == 2
    assert len(pods(shell)) == 2
