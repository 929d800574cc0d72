"""Programs that tests of the chart start: the machine's own, else built once, as the embedded cluster's are.

Each is pinned by a Go module of ours under `gomod`.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operators.cluster import folders, gobuild
from operators.cluster.errors import ClusterError
from operators.cluster.progress import Progress
from operators.cluster.versions import DEFAULT, Program, Release

_GOMOD: Final = Path(__file__).parent / "gomod"


@dataclass(frozen=True, slots=True)
class Tool(Program):
    """A program whose version has nothing to do with Kubernetes'."""

    pinned: str

    def version(self, release: Release) -> str:
        """The version that its module pins, whatever the release."""
        del release
        return self.pinned

    @property
    def cached(self) -> Path:
        """Where it is once it has been built."""
        return folders.cache() / "bin" / f"{self.name}-{self.pinned}" / self.name


HELM: Final = Tool("helm", str(_GOMOD / "helm"), "helm.sh/helm/v3/cmd/helm", "3.22.0")
HELM4: Final = Tool("helm4", str(_GOMOD / "helm4"), "helm.sh/helm/v4/cmd/helm", "4.3.1")
"""Waits for custom resources too. It is not looked for as `helm`, which may be any."""
KUBECONFORM: Final = Tool(
    "kubeconform", str(_GOMOD / "kubeconform"), "github.com/yannh/kubeconform/cmd/kubeconform", "0.8.0"
)
CERT_MANAGER: Final = Tool("cert-manager-for-a-test", str(_GOMOD / "cert-manager"), ".", "1.21.2")


def sources(module: str, path: str) -> Path:
    """The folder of a Go module that a module of ours requires; ClusterError where it cannot be had."""
    if (go := gobuild.go()) is None:
        raise ClusterError("there is no Go on this machine")
    command = (go, "mod", "download", "-json", path)
    done = subprocess.run(command, cwd=_GOMOD / module, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"{path} cannot be had: {done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


def obtain(tool: Tool, progress: Progress) -> Path:
    """The file of a tool, which is built first where the machine has it nowhere; ClusterError where that fails."""
    if own := shutil.which(tool.name):
        return Path(own)
    if not tool.cached.exists():
        gobuild.build(tool, DEFAULT, tool.cached, progress)
    return tool.cached
