"""What is compared: kube-controller-manager with Kopfwerk's controllers alone, and Kopfwerk, each as one process."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operators.cluster.arguments import taken_over
from operators.cluster.cluster import Cluster
from operators.cluster.ports import choose
from tests.bench import usage

_PROCESS = "measured"
_GRACE = 20.0
QPS = ("--kube-api-qps=5000", "--kube-api-burst=5000")
"""No limit that anything here reaches."""


COMPARED = taken_over()
"""kube-controller-manager's controllers that are measured: the operator has these too, whichever a case is about."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of those compared. group is where its workloads are; `is_ours` tells Kopfwerk from upstream."""

    name: str
    group: str
    is_ours: bool
    extra: tuple[str, ...] = ()

    def command(self, cluster: Cluster) -> Sequence[str | Path]:
        """Return the command line, with ports of its own."""
        port = choose().controller_manager
        if not self.is_ours:
            command = [arg for arg in map(str, cluster.controller_manager()) if not arg.startswith("--controllers=")]
            return [*command, "--controllers=" + ",".join(COMPARED), f"--secure-port={port}", *QPS, *self.extra]
        return [
            *(sys.executable, "-m", "operators.cli.main", "run", f"--kubeconfig={cluster.operator_kubeconfig}"),
            *("--no-leader-elect", f"--listen=127.0.0.1:{port}"),
            *(["--native"] if self.group == "apps" else []),
        ]


KCM = Side("kcm", "apps", is_ours=False)
KCM_JSON = Side("kcm JSON", "apps", is_ours=False, extra=("--kube-api-content-type=application/json",))
"""kube-controller-manager without the encoding that no client of custom resources has."""
OURS = Side("kopfwerk", "kopfwerk.dev", is_ours=True)
NATIVE = Side("native", "apps", is_ours=True)


class Running:
    """A side's process from start to stop, with a sampling profiler around it if asked for."""

    def __init__(self, cluster: Cluster, side: Side, profile: Path | None = None) -> None:
        command = side.command(cluster)
        if profile is not None:
            sampler = Path(sys.executable).with_name("py-spy")
            options = ["--format=raw", "--rate=250", "--nonblocking", f"--output={profile}"]
            command = [sampler, "record", *options, "--", *command]
        self._profiled = profile is not None
        self._process = cluster.run(_PROCESS, command)

    @property
    def pid(self) -> int:
        """The process that is measured, not that of the profiler around it."""
        return usage.child_of(self._process.pid) if self._profiled else self._process.pid

    def stop(self) -> None:
        """End it. The profiler writes what it has once its child has ended."""
        if self._profiled and (child := self.pid):
            self._process.stopped = True
            os.kill(child, signal.SIGTERM)
            deadline = time.monotonic() + _GRACE
            while self._process.running and time.monotonic() < deadline:
                time.sleep(0.1)
        self._process.stop()
