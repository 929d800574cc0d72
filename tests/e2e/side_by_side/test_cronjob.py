"""CronJobs that run on the minute, with Jobs whose containers end with real codes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.manifests import OURS, Obj, container
from tests.e2e.shell import Shell, eventually


def cronjob(name: str, code: int, **spec: Any) -> Obj:
    """Return a CronJob of each minute, whose Jobs end with a code and are not tried again."""
    pod = {"restartPolicy": "Never", "containers": [container("v1", "exit", str(code), "0.1")]}
    job = {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    body = {"schedule": "* * * * *", "jobTemplate": job} | spec
    return {"apiVersion": OURS, "kind": "CronJob", "metadata": {"name": name}, "spec": body}


def test_each_minute(shell: Shell) -> None:
    """Each CronJob starts on the minute; one's Job succeeds, the other's fails with its container's code."""
    jobs, cronjobs = "jobs.kopfwerk.dev", "cronjobs.kopfwerk.dev"
    began = datetime.now(UTC)
    shell.apply(cronjob("well", 0), cronjob("unwell", 3), cronjob("never", 0, suspend=True))
    eventually("two Jobs", lambda: {_owner(job) for job in shell.get(jobs)} == {"well", "unwell"}, 90)
    for name in ("well", "unwell"):
        shell.kubectl("patch", f"{cronjobs}/{name}", "--type=merge", '--patch={"spec": {"suspend": true}}')
    made = {_owner(job): job["metadata"]["name"] for job in shell.get(jobs)}
    shell.kubectl("wait", f"{jobs}/{made['well']}", "--for=condition=Complete", "--timeout=60s")
    shell.kubectl("wait", f"{jobs}/{made['unwell']}", "--for=condition=Failed", "--timeout=60s")
    (pod,) = shell.get("pods", f"--selector=job-name={made['unwell']}")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
    shell.kubectl("wait", f"{cronjobs}/well", "--for=jsonpath={.status.lastSuccessfulTime}", "--timeout=60s")
    due = datetime.fromisoformat(shell.get(f"{cronjobs}/well")["status"]["lastScheduleTime"])
    assert due.second == 0
    assert began - timedelta(minutes=1) < due < datetime.now(UTC)
    assert "lastSuccessfulTime" not in shell.get(f"{cronjobs}/unwell")["status"]
    eventually("nothing is active", lambda: not shell.get(f"{cronjobs}/well")["status"].get("active"))


def test_run_by_hand(shell: Shell) -> None:
    """The plugin starts a run at once, of a CronJob that is suspended too."""
    shell.apply(cronjob("never", 0, suspend=True))
    shell.kubectl("kopfwerk", "run-now", "never", "--name=now")
    shell.kubectl("wait", "jobs.kopfwerk.dev/now", "--for=condition=Complete", "--timeout=60s")


def _owner(job: Obj) -> str:
    return str(job["metadata"]["ownerReferences"][0]["name"])
