"""The clusters of this user by name: what each consists of, and whether it runs.

A running cluster holds a lock in its folder for as long as its supervisor lives, so whether it runs is never a guess
from a process id that may have been reused.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from operators.cluster import folders
from operators.cluster.errors import ClusterError

STARTING: Final = "starting"
READY: Final = "ready"
FAILED: Final = "failed"
STOPPING: Final = "stopping"

OWN_LOG: Final = "up.log"
"""What the supervisor itself says, where it runs in the background."""

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(slots=True)
class Record:
    """What is written down of a cluster, for `down`, `status` and `logs`."""

    name: str
    phase: str = STARTING
    message: str = ""
    """What is being waited for, or what went wrong."""
    pid: int = 0
    started: float = 0.0
    server: str = ""
    context: str = ""
    kubeconfig: str = ""
    kubernetes: str = ""
    nodes: int = 0
    native: bool = False
    data_dir: str = ""
    components: dict[str, int] = field(default_factory=dict)
    """Process ids by component."""

    @property
    def folder(self) -> Path:
        """The cluster's folder."""
        return folder(self.name)

    def save(self) -> None:
        """Write it down in one step."""
        temporary = self.folder / "cluster.json.new"
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n")
        temporary.replace(self.folder / "cluster.json")


def folder(name: str) -> Path:
    """Where the cluster of a name has its logs and its record; ClusterError for what cannot be a name."""
    if not _NAME.fullmatch(name):
        raise ClusterError(f"{name!r} cannot be a cluster's name: lower-case letters, digits and '-', at most 63")
    return folders.state() / name


def take(path: Path, complaint: str) -> IO[Any]:
    """Take the lock of a folder for as long as the returned file is open; ClusterError when another has it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (path / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise ClusterError(complaint) from None
    return file


def is_running(name: str) -> bool:
    """Whether the supervisor of a cluster lives."""
    try:
        with (folder(name) / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def read(name: str) -> Record | None:
    """What is written down of a cluster, None where there is nothing."""
    try:
        return Record(**json.loads((folder(name) / "cluster.json").read_text()))
    except FileNotFoundError:
        return None


def require(name: str) -> Record:
    """What is written down of a cluster; ClusterError where there is none of the name."""
    record = read(name)
    if record is None:
        raise ClusterError(f"there is no cluster {name!r}; kopfwerk status lists those that there are")
    return record


def everyone() -> list[Record]:
    """Every cluster that something is written down of, by name."""
    found = (read(path.parent.name) for path in sorted(folders.state().glob("*/cluster.json")))
    return [record for record in found if record is not None]


def stop(name: str, timeout: float = 60.0) -> bool:
    """Stop a cluster and wait until it is gone; False where it did not run and only leftovers were removed."""
    record = require(name)
    if not is_running(name):
        shutil.rmtree(record.folder, ignore_errors=True)
        return False
    os.kill(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while is_running(name):
        if time.monotonic() > deadline:
            raise ClusterError(f"cluster {name!r} (process {record.pid}) did not end within {timeout:.0f} s")
        time.sleep(0.05)
    return True
