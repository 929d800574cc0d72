"""What holds for the kinds of either group, and is tried with both."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e import operator
from tests.e2e.client import NAME, Caller, healthy
from tests.e2e.manifests import Obj, container
from tests.e2e.shell import Shell, eventually


def leaves_and_returns(shell: Shell, *, want_ready: str) -> None:
    """A pod of three that says it is not well leaves the Service `web`, and returns, and no client notices.

    `want_ready`: what the kubelet says of the pod meanwhile.
    """
    names = {pod["metadata"]["name"] for pod in shell.pods(app="web")}
    caller = Caller(shell, f"http://web{NAME}")
    eventually("all three answer", lambda: set(caller.latest()) == names)
    unwell = min(names)
    healthy(shell, unwell, well=False)
    eventually("it has left", lambda: (latest := set(caller.latest())) and unwell not in latest)
    assert _listed_as_ready(shell) == names - {unwell}
    assert _ready(shell.get(f"pod/{unwell}")) == want_ready
    healthy(shell, unwell, well=True)
    eventually("it has returned", lambda: set(caller.latest()) == names)
    assert _listed_as_ready(shell) == names
    assert [answer for answer in caller.answers() if answer not in names] == []


def _listed_as_ready(shell: Shell) -> set[str]:
    """Return the pods that the Service's slices list as ready."""
    slices = shell.get("endpointslices", "--selector=kubernetes.io/service-name=web")
    endpoints = [endpoint for one in slices for endpoint in one["endpoints"]]
    return {endpoint["targetRef"]["name"] for endpoint in endpoints if endpoint["conditions"]["ready"]}


def _ready(pod: Any) -> str:
    return next(str(one["status"]) for one in pod["status"]["conditions"] if one["type"] == "Ready")


def cronjob(group: str, name: str, code: int, **spec: Any) -> Obj:
    """Return a CronJob of each minute, whose Jobs end with a code and are not tried again."""
    pod = {"restartPolicy": "Never", "containers": [container("v1", "exit", str(code), "0.1")]}
    job = {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    body = {"schedule": "* * * * *", "jobTemplate": job} | spec
    return {"apiVersion": f"{group}/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": body}


def each_minute(shell: Shell, group: str) -> None:
    """Each CronJob starts on the minute; one's Job succeeds, the other's fails with its container's code."""
    jobs, cronjobs = f"jobs.{group}", f"cronjobs.{group}"
    began = datetime.now(UTC)
    shell.apply(cronjob(group, "well", 0), cronjob(group, "unwell", 3), cronjob(group, "never", 0, suspend=True))
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


def _owner(job: Obj) -> str:
    return str(job["metadata"]["ownerReferences"][0]["name"])


def node_joins(shell: Shell, daemonsets: str) -> None:
    """The DaemonSet `web` wants no pod on a node that is away, and has one there as soon as it has joined."""
    leading = operator.place_of(operator.present_leader())
    on = {pod["spec"]["nodeName"]: pod["metadata"]["name"] for pod in shell.pods(app="web")}
    node = next(name for name in sorted(on) if name != leading)
    before = shell.get(f"node/{node}")["metadata"]["uid"]
    with operator.away(node):
        shell.kubectl("delete", "pod", on[node], "--force", "--grace-period=0")
        wanted = f"--for=jsonpath={{.status.desiredNumberScheduled}}={len(on) - 1}"
        shell.kubectl("wait", f"{daemonsets}/web", wanted, "--timeout=60s")
        assert {pod["spec"]["nodeName"] for pod in shell.pods(app="web")} == on.keys() - {node}
    assert shell.get(f"node/{node}")["metadata"]["uid"] != before
    wanted = f"--for=jsonpath={{.status.numberReady}}={len(on)}"
    shell.kubectl("wait", f"{daemonsets}/web", wanted, "--timeout=120s")
    assert {pod["spec"]["nodeName"] for pod in shell.pods(app="web")} == on.keys()


def ready_elsewhere(shell: Shell, node: str, app: str = "web") -> int:
    """Count the ready pods that are not on a node."""
    found = [pod for pod in shell.pods(app=app) if pod["spec"].get("nodeName") not in (None, node)]
    return sum(
        {"type": "Ready", "status": "True"}.items() <= condition.items()
        for pod in found
        for condition in pod["status"].get("conditions", ())
    )
