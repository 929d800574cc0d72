"""One embedded cluster of a kind for all processes of a test run: the first that asks starts it, and stops it last.

pytest-xdist's workers are processes of their own. The first takes a lock, starts the cluster and writes down how to
reach it; the others read that. Each holds a shared lock for as long as it uses the cluster, and the first, whose end
is the cluster's, waits for those locks before it stops it.
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from operators.cluster.api import Api
from operators.cluster.cluster import Cluster, Settings

STRICT: Final = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement"
"""Has the apiserver ask for the right to block a deletion, as hardened clusters do."""

GRACE_SECONDS: Final = 16
"""How long a node may be silent: short, for tests of node loss, and long against a loaded machine."""

WHOLE: Final = Settings(
    name="tests",
    nodes=6,
    apiserver_args=(
        "--default-not-ready-toleration-seconds=3",
        "--default-unreachable-toleration-seconds=3",
        STRICT,
    ),
    controller_manager_args=(
        f"--node-monitor-grace-period={GRACE_SECONDS}s",
        "--node-monitor-period=1s",
        "--horizontal-pod-autoscaler-sync-period=2s",
    ),
    kwok_args=("--node-lease-duration-seconds=12",),
)
"""A whole control plane, ours beside upstream's. The pods of a stopped node are evicted within half a minute."""
NATIVE: Final = Settings(name="tests-native", nodes=3, native=True, apiserver_args=(STRICT,))
"""One whose apps/v1 is ours."""


@dataclass(frozen=True, slots=True)
class Shared:
    """How to reach a running cluster."""

    kubeconfig: Path
    operator_kubeconfig: Path
    server: str
    pki: Path

    def api(self) -> Api:
        """Return a new blocking client, as an administrator."""
        return Api(self.server, self.pki)

    def write(self, state: Path) -> None:
        """Write it down for other processes."""
        state.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, state: Path) -> "Shared":
        """Read what another process has written down."""
        found = json.loads(state.read_text())
        return cls(Path(found["kubeconfig"]), Path(found["operator_kubeconfig"]), found["server"], Path(found["pki"]))


@contextlib.contextmanager
def shared(settings: Settings, folder: Path) -> Iterator[Shared]:
    """Give the cluster of these settings; `folder` is common to all processes of the run.

    Who comes when the last user is just leaving waits until the cluster is gone, and starts another.
    """
    state = folder / f"{settings.name}.json"
    with (folder / f"{settings.name}.lock").open("w") as lock, (folder / f"{settings.name}.users").open("w") as users:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            cluster = None if state.exists() else _start(settings, state)
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
        try:
            yield Shared.read(state)
        finally:
            if cluster:
                fcntl.flock(users, fcntl.LOCK_EX)
                state.unlink()
                cluster.stop()


def _start(settings: Settings, state: Path) -> Cluster:
    """Start the cluster, and write down how to reach it."""
    cluster = Cluster(settings)
    cluster.start()
    Shared(cluster.kubeconfig, cluster.operator_kubeconfig, cluster.server, cluster.layout.pki).write(state)
    return cluster
