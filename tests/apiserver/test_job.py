"""Jobs as kubectl sees them: columns, conditions to wait for, selectors, logs; in native mode with upstream's off."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.apiserver import plugin_cli
from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import items, pods
from tests.support.cluster import Shared

pytestmark = pytest.mark.cluster

WEB: Final = "jobs.kopfwerk.dev/web"
BUILT_IN: Final = "jobs.batch/web"
DONE: Final = {"sim.kopfwerk.dev/exit-after": "1s"}
BROKEN: Final = DONE | {"sim.kopfwerk.dev/exit-code": "3"}


@pytest.fixture
def stock(native: Shared, unique: str) -> Iterator[CommandLine]:
    """Return kubectl in a namespace of its own, where the built-in Jobs are ours."""
    yield from plugin_cli.namespace(native.kubeconfig, unique)


def apply(shell: CommandLine, sim: dict[str, str] | None = None, group: str = "kopfwerk.dev", **spec: Any) -> None:
    """Apply a Job called web whose pods behave as `sim` says."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}
    template = {"metadata": {"annotations": sim or {}}, "spec": pod}
    obj = {
        "apiVersion": f"{group}/v1",
        "kind": "Job",
        "metadata": {"name": "web"},
        "spec": {"template": template, **spec},
    }
    shell.done("apply", "--filename=-", stdin=json.dumps(obj))


def condition(shell: CommandLine, what: str, type_: str) -> None:
    """Wait for a condition as a user does."""
    shell.done("wait", what, f"--for=condition={type_}", "--timeout=50s")


def columns(shell: CommandLine, *args: str) -> list[list[str]]:
    """Return the lines that kubectl get prints of our Jobs, as words."""
    return [line.split() for line in shell.done("get", "jobs.kopfwerk.dev", *args).splitlines()]


def status(shell: CommandLine, what: str) -> dict[str, Any]:
    """Return a Job's status."""
    found: dict[str, Any] = json.loads(shell.done("get", what, "--output=json"))["status"]
    return found


def test_complete(shell: CommandLine) -> None:
    """Kubectl waits for the condition, whatever its case, and shows how many have succeeded of how many."""
    apply(shell, DONE, completions=3, parallelism=2)
    condition(shell, WEB, "complete")
    head, line = columns(shell)
    assert head == ["NAME", "STATUS", "COMPLETIONS", "STARTED", "FINISHED", "AGE"]
    assert line[:3] == ["web", "Complete", "3/3"]
    assert columns(shell, "--output=wide")[1][-2:] == ["app", "app:1"]


def test_what_runs(shell: CommandLine) -> None:
    """A Job that has begun is Ready to generic tools; a queue of work is shown as one."""
    apply(shell, parallelism=3)
    condition(shell, WEB, "Ready")
    shell.done("wait", WEB, "--for=jsonpath={.status.ready}=3", "--timeout=50s")
    assert columns(shell)[1][:3] == ["web", "Running", "0/1"]
    assert "0/1 of 3" in shell.done("get", "jobs.kopfwerk.dev")


def test_suspended(shell: CommandLine) -> None:
    """It has not begun, runs nothing, and begins when it is resumed."""
    apply(shell, DONE, suspend=True)
    condition(shell, WEB, "Suspended")
    assert columns(shell)[1][:3] == ["web", "Suspended", "0/1"]
    assert "startTime" not in status(shell, WEB)
    assert pods(shell) == []
    shell.done("patch", WEB, "--type=merge", '--patch={"spec": {"suspend": false}}')
    condition(shell, WEB, "Complete")


def test_failed(shell: CommandLine) -> None:
    """It is Stalled to generic tools, with the reason as the message."""
    apply(shell, BROKEN, backoffLimit=0)
    condition(shell, WEB, "Failed")
    condition(shell, WEB, "Stalled")
    assert columns(shell)[1][:3] == ["web", "Failed", "0/1"]
    (stalled,) = [one for one in status(shell, WEB)["conditions"] if one["type"] == "Stalled"]
    assert stalled["message"] == "Job failed: Job has reached the specified backoff limit"


def test_selected_by_successes(shell: CommandLine) -> None:
    """Jobs can be selected by how many pods have succeeded."""
    apply(shell, DONE, completions=2, parallelism=2)
    condition(shell, WEB, "Complete")
    assert len(items(shell, "jobs.kopfwerk.dev", "--field-selector=status.succeeded=2")) == 1
    assert items(shell, "jobs.kopfwerk.dev", "--field-selector=status.succeeded=1") == []


def test_deleted_after_its_end(shell: CommandLine) -> None:
    """Its TTL takes its pods along."""
    apply(shell, DONE, ttlSecondsAfterFinished=0)
    shell.done("wait", WEB, "--for=delete", "--timeout=50s")
    assert items(shell, "pods") == []


def test_logs_come_from_a_pod_of_the_job(shell: CommandLine) -> None:
    """The plugin finds the pods by the labels that they alone have."""
    apply(shell, completions=2, parallelism=2)
    shell.done("wait", WEB, "--for=jsonpath={.status.ready}=2", "--timeout=50s")
    answer = shell.plugin("logs", "job/web", "--tail=1")
    assert answer.code == 0, answer.stderr
    assert answer.stdout
    assert "Found 2 pods, using pod/web-" in answer.stderr


def test_the_template_of_a_suspended_job(shell: CommandLine) -> None:
    """With the operator there, only where pods go and what they need may change."""
    apply(shell, suspend=True)
    condition(shell, WEB, "Suspended")
    allowed = '{"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/os": "linux"}}}}}'
    shell.done("patch", WEB, "--type=merge", f"--patch={allowed}")
    refused = shell.kubectl(
        "patch", WEB, "--type=merge", '--patch={"spec": {"template": {"spec": {"hostNetwork": true}}}}'
    )
    assert refused.code == 1
    assert 'Job.kopfwerk.dev "web" is invalid: spec.template.spec: Invalid value: field is immutable' in refused.stderr


def test_a_pod_that_lost_its_finalizer(shell: CommandLine) -> None:
    """It gets it again while it runs, and so is counted: upstream's controller may have taken it for nobody's."""
    apply(shell)
    shell.done("wait", WEB, "--for=jsonpath={.status.ready}=1", "--timeout=50s")
    (pod,) = pods(shell)
    name = f"pod/{pod['metadata']['name']}"
    shell.done("patch", name, "--type=json", '--patch=[{"op": "remove", "path": "/metadata/finalizers"}]')
    tracked = "--for=jsonpath={.metadata.finalizers[0]}=batch.kubernetes.io/job-tracking"
    shell.done("wait", name, tracked, "--timeout=50s")


@pytest.mark.xdist_group("native")
def test_native(stock: CommandLine) -> None:
    """The built-in Jobs run with upstream's two controllers off, by ours; their columns are upstream's."""
    stock.done("create", "job", "once", "--image=app:1")
    apply(stock, DONE, group="batch", completions=2, parallelism=2)
    condition(stock, BUILT_IN, "complete")
    assert stock.done("get", BUILT_IN, "--no-headers").split()[:3] == ["web", "Complete", "2/2"]
    managers = {entry["manager"] for entry in _job(stock)["metadata"]["managedFields"]}
    assert "kube-controller-manager" not in managers
    types = [one["type"] for one in status(stock, BUILT_IN)["conditions"]]
    assert types == ["SuccessCriteriaMet", "Complete"]


@pytest.mark.xdist_group("native")
def test_native_after_its_end(stock: CommandLine) -> None:
    """The TTL is ours too."""
    apply(stock, DONE, group="batch", ttlSecondsAfterFinished=0)
    stock.done("wait", BUILT_IN, "--for=delete", "--timeout=50s")
    assert items(stock, "pods") == []


def _job(shell: CommandLine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shell.done("get", BUILT_IN, "--output=json", "--show-managed-fields"))
    return found
