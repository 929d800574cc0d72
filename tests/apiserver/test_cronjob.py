"""CronJobs as kubectl and its plugin see them: columns, runs by hand and by schedule; in native mode too.

No test waits for a minute: a last run that is long past makes the latest one due at once.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.apiserver import plugin_cli
from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import items
from tests.support.cluster import Shared

pytestmark = pytest.mark.cluster

DONE: Final = {"sim.kopfwerk.dev/exit-after": "1s"}
NEVER: Final = "0 0 1 1 *"
"""Once a year, which is taken not to be now."""
MANUAL: Final = {"cronjob.kubernetes.io/instantiate": "manual"}


@pytest.fixture
def stock(native: Shared, unique: str) -> Iterator[CommandLine]:
    """Return kubectl in a namespace of its own, where the built-in CronJobs are ours."""
    yield from plugin_cli.namespace(native.kubeconfig, unique)


def apply(shell: CommandLine, schedule: str, group: str = "kopfwerk.dev", **spec: Any) -> str:
    """Apply a CronJob called tick whose pods end after a second, and return how kubectl calls it."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}
    obj = {
        "apiVersion": f"{group}/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": schedule,
            "jobTemplate": {"spec": {"template": {"metadata": {"annotations": DONE}, "spec": pod}}},
            **spec,
        },
    }
    shell.done("apply", "--filename=-", stdin=json.dumps(obj))
    return f"cronjobs.{group}/tick"


def wait(shell: CommandLine, what: str, condition: str) -> None:
    """Wait as a user does."""
    shell.done("wait", what, f"--for={condition}", "--timeout=50s")


def status(shell: CommandLine, what: str) -> dict[str, Any]:
    """Return the status."""
    found: dict[str, Any] = json.loads(shell.done("get", what, "--output=json")).get("status") or {}
    return found


def test_columns(shell: CommandLine) -> None:
    """They are upstream's; with -o wide there is when the next run is."""
    tick = apply(shell, NEVER, timeZone="Asia/Tokyo")
    wait(shell, tick, "jsonpath={.status.nextScheduleTime}")
    lines = shell.done("get", "cronjobs.kopfwerk.dev", "--output=wide").splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == [
        "NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE", "NEXT SCHEDULE", "CONTAINERS",
        "IMAGES",
    ]  # fmt: skip
    assert re.fullmatch(r"tick +0 0 1 1 \* +Asia/Tokyo +false +0 +\S+ +20\d\d-12-31T15:00:00Z +app +app:1 *", lines[1])


def test_a_run_that_is_due(shell: CommandLine) -> None:
    """The Job is there, the status names it until it has ended, and says when that was and when the next one is."""
    tick = apply(shell, "* * * * *")
    past = json.dumps({"status": {"lastScheduleTime": "2026-01-01T00:00:00Z"}})
    shell.done("patch", tick, "--subresource=status", "--type=merge", f"--patch={past}")
    wait(shell, tick, "jsonpath={.status.lastSuccessfulTime}")
    found = status(shell, tick)
    assert found["lastScheduleTime"] > "2026-01-01T00:00:00Z"
    assert found["nextScheduleTime"] > found["lastScheduleTime"]
    first, *_ = items(shell, "jobs.kopfwerk.dev")
    assert re.fullmatch(r"tick-\d{8}", first["metadata"]["name"])
    assert first["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"].endswith(":00Z")


def test_run_now(shell: CommandLine) -> None:
    """A run by hand is the CronJob's, and changes nothing about its schedule; its name is given, or drawn."""
    tick = apply(shell, NEVER, suspend=True)
    assert shell.plugin("run-now", "tick", "--name=once").stdout == "job.kopfwerk.dev/once created\n"
    drawn = shell.plugin("run-now", "cronjob/tick", "--output=name").stdout
    assert re.fullmatch(r"job.kopfwerk.dev/tick-manual-[a-z0-9]{5}\n", drawn)
    wait(shell, "jobs.kopfwerk.dev/once", "condition=complete")
    wait(shell, tick, "jsonpath={.status.lastSuccessfulTime}")
    assert "lastScheduleTime" not in status(shell, tick)
    for job in items(shell, "jobs.kopfwerk.dev"):
        assert job["metadata"]["annotations"] == MANUAL
        assert job["metadata"]["ownerReferences"][0]["name"] == "tick"


def test_run_now_refuses_as_kubectl_does(shell: CommandLine) -> None:
    """What there is not, and what has no template of a Job."""
    said = shell.plugin("run-now", "nothing")
    assert said.code == 1
    assert said.stderr == 'Error from server (NotFound): cronjobs.kopfwerk.dev "nothing" not found\n'
    apply(shell, NEVER)
    said = shell.plugin("run-now", "tick", "--name=Not Valid")
    assert said.code == 1
    assert "Invalid value" in said.stderr


def test_the_plugin_changes_the_pods_of_the_jobs(shell: CommandLine) -> None:
    """As kubectl does for a built-in CronJob."""
    tick = apply(shell, NEVER)
    assert shell.plugin("set", "image", "cj/tick", "app=app:2").stdout == "cronjob.kopfwerk.dev/tick image updated\n"
    image = "{.spec.jobTemplate.spec.template.spec.containers[0].image}"
    assert shell.done("get", tick, f"--output=jsonpath={image}") == "app:2"
    assert shell.plugin("logs", "cronjob/tick").code == 1


@pytest.mark.xdist_group("native")
def test_native_runs(stock: CommandLine) -> None:
    """By schedule and by `kubectl create job --from`, with upstream's controller off; both count as successes."""
    tick = apply(stock, "* * * * *", "batch")
    stock.done("create", "job", "once", "--from=cronjob/tick")
    wait(stock, "jobs.batch/once", "condition=complete")
    past = json.dumps({"status": {"lastScheduleTime": "2026-01-01T00:00:00Z", "lastSuccessfulTime": None}})
    stock.done("patch", tick, "--subresource=status", "--type=merge", f"--patch={past}")
    wait(stock, tick, "jsonpath={.status.lastSuccessfulTime}")
    (manual,) = (job for job in items(stock, "jobs.batch") if job["metadata"]["name"] == "once")
    assert manual["metadata"]["annotations"] == MANUAL
    found = status(stock, tick)
    assert found.keys() <= {"active", "lastScheduleTime", "lastSuccessfulTime"}
    assert found["lastScheduleTime"] > "2026-01-01T00:00:00Z"
