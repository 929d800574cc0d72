"""What the documents have a reader type, typed: each command of their sessions ends well on simulated nodes.

Of which documents is in tests/support/documented.py; tests/core/test_documented_commands.py says who runs the rest.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from operators.cluster import registry
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.readiness import wait
from operators.cluster.registry import Record
from tests.support.documented import NATIVE, ROOT, SESSIONS, blocks, session

pytestmark = pytest.mark.cluster
_POD: Final = re.compile(r"\b([a-z]+(?:-\d+)?)(?:-[a-f0-9]{8,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}\b")
"""A pod by a name that was drawn."""
DEFAULT: Final = "default"
_KINDS: Final = "deployments,replicasets,statefulsets,daemonsets,jobs"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster of the custom resources, written down as `kopfwerk up` would: who names none means this one."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KOPFWERK_STATE", str(tmp_path_factory.mktemp("state")))
        folder = registry.folder(DEFAULT)
        with registry.take(folder, "it runs already"), Cluster(Settings(name="documents", folder=folder)) as started:
            Record(
                name=DEFAULT,
                phase=registry.READY,
                server=started.server,
                kubeconfig=str(started.kubeconfig),
                kubernetes=started.settings.release.kubernetes,
                components={process.name: process.pid for process in started.processes.values()},
            ).save()
            yield started


@pytest.fixture(scope="module")
def native() -> Iterator[Cluster]:
    """Return a cluster in native mode."""
    with Cluster(Settings(name="documents-native", native=True)) as started:
        yield started


class Reader:
    """Somebody with a shell in the project's folder, and a namespace of their own."""

    def __init__(self, cluster: Cluster, folder: Path, namespace: str) -> None:
        self.cluster = cluster
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(cluster.kubeconfig.read_text())
        path = f"{Path(sys.executable).parent}:{cluster.program('kubectl').parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}
        self.run(f"kubectl create namespace {namespace}")
        self.run(f"kubectl config set-context --current --namespace={namespace}")

    def run(self, command: str) -> str:
        """Run a command and return what it prints; it has to end well."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        assert not done.returncode, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def type(self, command: str) -> None:
        """Run a command of a document: of a pod whose name was drawn it means one that there is."""
        if named := _POD.search(command):
            command = command.replace(named[0], self._pod(named[1]))
        self.run(command)
        wait(self.cluster, self._is_seen, f"nobody has seen what this has changed: {command}")

    def _pod(self, prefix: str) -> str:
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [name for name in self._names("pods") if name.startswith(f"{prefix}-")]
            return bool(found)

        wait(self.cluster, is_there, f"there is no pod {prefix}-…")
        return found[0]

    def _names(self, kind: str) -> list[str]:
        return [one["metadata"]["name"] for one in self._get(kind)]

    def _get(self, kind: str) -> list[Any]:
        items: list[Any] = json.loads(self.run(f"kubectl get {kind} --output=json"))["items"]
        return items

    def _is_seen(self) -> bool:
        """Whether every controller has looked at the present specs; somebody who types is no faster."""
        group = "" if self.cluster.settings.native else ".kopfwerk.dev"
        kinds = ",".join(f"{kind}{group}" for kind in _KINDS.split(","))
        return all(
            (one.get("status") or {}).get("observedGeneration", one["metadata"]["generation"])
            == one["metadata"]["generation"]
            and (one.get("status") or one["spec"].get("replicas") == 0)
            for one in self._get(kinds)
        )


@pytest.mark.parametrize("document", SESSIONS)
def test_session(ours: Cluster, tmp_path: Path, document: str) -> None:
    """A reader who types it all, a document from its start to its end, meets no error."""
    reader = Reader(ours, tmp_path, re.sub(r"\W+", "-", document.lower()))
    for body in blocks(document, "yaml")[:1]:
        (tmp_path / "frontend.yaml").write_text(body)
    for command in filter(None, [SESSIONS[document], *session(document)]):
        reader.type(command.replace(" frontend.yaml", f" {tmp_path}/frontend.yaml"))


def test_native_session(native: Cluster, tmp_path: Path) -> None:
    """Likewise in native mode, where it is kubectl's own commands."""
    reader = Reader(native, tmp_path, "native")
    for command in session(NATIVE):
        reader.type(command)
