"""Helm 4's `--wait` and `kubectl wait` on our kinds: both end when a workload is rolled out, and not before."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from operators.cluster.progress import Lines
from operators.core.objects import Obj
from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import items
from tests.support import tools

pytestmark = pytest.mark.cluster

READY: Final = "sim.kopfwerk.dev/ready"
TEMPLATED: Final = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
"""The kinds whose pods have to be ready."""
ROLLING: Final = ("Deployment", "StatefulSet", "DaemonSet")
"""Those of them that roll a change out."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A `helm --wait` that runs, and says for what it waits."""

    process: "subprocess.Popen[str]"

    def until(self, kind: str, state: str) -> None:
        """Read on until it says that it waits for an object of a kind, and how it judges that."""
        heard = []
        for line in self.process.stderr or ():
            heard.append(line)
            if "waiting for resource" in line and f"kind={kind} " in line and f"actualStatus={state}" in line:
                return
        pytest.fail(f"helm waits for no {kind} that is {state}:\n{''.join(heard)}")

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def ended(self) -> None:
        """Wait until it has ended, which has to be well."""
        said = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, said


@dataclass(frozen=True, slots=True)
class Release:
    """A chart of one object."""

    shell: CommandLine
    helm: Path
    chart: Path

    @contextmanager
    def waiting(self, obj: Obj) -> Iterator[Waiting]:
        """Install it, or upgrade to it, and wait."""
        command = self._command(obj, "--wait", "--timeout=60s", "--debug")
        null, pipe = subprocess.DEVNULL, subprocess.PIPE
        with subprocess.Popen(command, env=self.shell.environment(), stdout=null, stderr=pipe, text=True) as process:
            try:
                yield Waiting(process)
            finally:
                process.kill()

    def run(self, obj: Obj, *more: str) -> "subprocess.CompletedProcess[str]":
        """Install it, or upgrade to it, and return what came of it."""
        command = self._command(obj, *more)
        return subprocess.run(
            command, env=self.shell.environment(), capture_output=True, text=True, check=False, timeout=90
        )

    def _command(self, obj: Obj, *more: str) -> list[str]:
        """Write the chart."""
        (self.chart / "templates").mkdir(exist_ok=True)
        (self.chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "web", "version": "1.0.0"}))
        (self.chart / "templates" / "web.yaml").write_text(json.dumps(obj))
        place = f"--namespace={self.shell.namespace}"
        return [str(self.helm), "upgrade", "--install", "web", str(self.chart), place, *more]


@pytest.fixture(scope="module")
def helm4() -> Path:
    """Return Helm 4."""
    return tools.obtain(tools.HELM4, Lines())


@pytest.fixture
def release(shell: CommandLine, helm4: Path, tmp_path: Path) -> Release:
    """Return a chart that is yet to be written."""
    return Release(shell, helm4, tmp_path)


def workload(kind: str, image: str = "app:1", **spec: Any) -> Obj:
    """Return a workload of two pods, of a DaemonSet one, that are not ready until they are told to be."""
    meta = {"labels": {"app": "web"}, "annotations": {READY: "false"}}
    pod: Obj = {"containers": [{"name": "app", "image": image}]}
    if kind == "DaemonSet":
        pod["nodeSelector"] = {"kubernetes.io/hostname": "node-1"}
    else:
        spec = {"replicas": 2, **spec}
    template = {"metadata": meta, "spec": pod}
    return made(kind, selector={"matchLabels": {"app": "web"}}, template=template, **spec)


def job(sim: Obj | None = None, **spec: Any) -> Obj:
    """Return a Job of one pod."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}
    return made("Job", template={"metadata": {"annotations": sim or {}}, "spec": pod}, **spec)


def made(kind: str, **spec: Any) -> Obj:
    """Return an object called web."""
    return {"apiVersion": "kopfwerk.dev/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}


def is_ready(shell: CommandLine, kind: str) -> bool:
    """Ask `kubectl wait`, which is not to wait."""
    said = shell.kubectl("wait", f"{kind}.kopfwerk.dev/web", "--for=condition=Ready", "--timeout=0s")
    assert said.code == 0 or "condition not met" in said.stderr, said.stderr
    return said.code == 0


def let_them_be_ready(shell: CommandLine, waiting: Waiting) -> None:
    """Have every pod ready that comes until helm has ended."""
    while not waiting.is_over:
        shell.kubectl("annotate", "pods", "--all", "--overwrite", f"{READY}=true")  # one may just have gone


def all_ready(shell: CommandLine, image: str) -> bool:
    """Whether every pod is, and has this image."""
    pods = [pod for pod in items(shell, "pods") if "deletionTimestamp" not in pod["metadata"]]
    return bool(pods) and all(
        pod["spec"]["containers"][0]["image"] == image
        and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))
        for pod in pods
    )


@pytest.mark.parametrize("kind", TEMPLATED)
def test_a_workload(shell: CommandLine, release: Release, kind: str) -> None:
    """While a pod is not ready they wait, at the install and, where it rolls out, at a change; then they end."""
    for image in ("app:1", "app:2") if kind in ROLLING else ("app:1",):
        with release.waiting(workload(kind, image)) as waiting:
            waiting.until(kind, "InProgress")
            assert not is_ready(shell, kind)
            assert not waiting.is_over
            let_them_be_ready(shell, waiting)
            waiting.ended()
        assert is_ready(shell, kind)
        assert all_ready(shell, image)


def test_a_job(shell: CommandLine, release: Release) -> None:
    """They wait until it has begun."""
    with release.waiting(job(suspend=True)) as waiting:
        waiting.until("Job", "InProgress")
        assert not is_ready(shell, "Job")
        assert not waiting.is_over
        shell.done("patch", "jobs.kopfwerk.dev/web", "--type=merge", '--patch={"spec": {"suspend": false}}')
        waiting.ended()
    assert is_ready(shell, "Job")


def test_a_rollout_that_is_too_slow(release: Release) -> None:
    """What has exceeded its deadline has failed, and nobody waits on."""
    ran = release.run(workload("Deployment", progressDeadlineSeconds=2), "--wait", "--timeout=60s")
    assert ran.returncode
    assert re.search(r'status: Failed, message: .*"web" exceeded its progress deadline', ran.stderr), ran.stderr
    assert "context deadline exceeded" not in ran.stderr


def test_a_rollout_that_never_ends(release: Release) -> None:
    """Where there is no deadline, helm's own counts; the message is that of `kubectl rollout status`."""
    ran = release.run(workload("StatefulSet"), "--wait", "--timeout=3s")
    assert ran.returncode
    assert re.search("status: InProgress, message: Waiting for .* pods to be ready", ran.stderr), ran.stderr
    assert "context deadline exceeded" in ran.stderr


def test_a_job_that_has_failed(shell: CommandLine, release: Release) -> None:
    """It is said why."""
    failing = job({"sim.kopfwerk.dev/exit-after": "0s", "sim.kopfwerk.dev/exit-code": "3"}, backoffLimit=0)
    assert release.run(failing).returncode == 0
    shell.done("wait", "jobs.kopfwerk.dev/web", "--for=condition=Failed", "--timeout=50s")
    ran = release.run(failing, "--wait", "--timeout=60s")
    assert ran.returncode
    assert "status: Failed, message: Job failed: Job has reached the specified backoff limit" in ran.stderr
    assert "context deadline exceeded" not in ran.stderr


def test_a_service(shell: CommandLine, release: Release) -> None:
    """It is ready with its core Service; where somebody else has one of that name, it has failed."""
    service = made("Service", selector={"app": "web"}, ports=[{"port": 80}])
    shell.done("create", "service", "clusterip", "web", "--tcp=8080")
    ran = release.run(service, "--wait", "--timeout=60s")
    assert ran.returncode
    assert "status: Failed" in ran.stderr
    shell.done("delete", "services.v1./web")
    assert release.run(service, "--wait", "--timeout=60s").returncode == 0
    assert is_ready(shell, "Service")
