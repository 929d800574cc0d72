"""Where the cluster's programs come from: looked up, and obtained where they are missing.

The order is: a folder that was named, `KUBEBUILDER_ASSETS`, the per-user cache; then, into that cache, upstream's own
release download, and at last a build from source. A named folder is trusted as it is, versions included.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.cluster import download, folders, gobuild
from operators.cluster.errors import ClusterError
from operators.cluster.progress import Progress
from operators.cluster.versions import PROGRAMS, Program, Release


def needed() -> list[Program]:
    """The programs that a cluster takes: every one of ours, kubectl only where the machine has none."""
    return [program for program in PROGRAMS.values() if program.name != "kubectl" or not shutil.which("kubectl")]


def cached(program: Program, release: Release) -> Path:
    """Where the cache has, or will have, a program of a release."""
    return folders.cache() / "bin" / f"{program.module}-{program.version(release)}" / program.name


def look_up(program: Program, release: Release, explicit: Path | None = None) -> Path | None:
    """The file of a program, None where this machine has it in no place that we look at."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    given = [folder / program.name for folder in (explicit, Path(assets) if assets else None) if folder]
    for path in (*given, cached(program, release)):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def find(program: Program, release: Release, explicit: Path | None = None) -> Path:
    """The file of a program that has been obtained; ClusterError where it has not."""
    path = look_up(program, release, explicit)
    if path is None:
        raise ClusterError(f"{program.name} {program.version(release)} is not on this machine; kopfwerk up obtains it")
    return path


def kubectl(release: Release, explicit: Path | None = None) -> Path:
    """The machine's own kubectl, else ours."""
    own = shutil.which("kubectl")
    return Path(own) if own else find(PROGRAMS["kubectl"], release, explicit)


def obtain(
    programs: Sequence[Program], release: Release, progress: Progress, explicit: Path | None = None
) -> dict[str, Path]:
    """The file of each program, fetched or built first where it is missing; safe beside others that do the same."""
    if any(look_up(program, release, explicit) is None for program in programs):
        with _lock(progress):
            missing = [program for program in programs if look_up(program, release, explicit) is None]
            _fill(missing, release, progress)
    return {program.name: find(program, release, explicit) for program in programs}


def _fill(missing: Sequence[Program], release: Release, progress: Progress) -> None:
    """Put what is missing into the cache: by download, else by building it."""
    left, reasons = download.fetch_all(missing, release, cached, progress)
    if not left:
        return
    if gobuild.go() is None:
        raise ClusterError(_advice(left, release, reasons))
    for reason in reasons:
        progress.note(reason)
    progress.note("building from source instead: with nothing cached that takes about ten minutes, once")
    for program in left:
        gobuild.build(program, release, cached(program, release), progress)


def _advice(left: Sequence[Program], release: Release, reasons: Sequence[str]) -> str:
    """The one error that says where was looked, why nothing came of it, and what to do."""
    names = ", ".join(f"{program.name} {program.version(release)}" for program in left)
    return (
        f"cannot get {names}: not in KUBEBUILDER_ASSETS nor in {folders.cache()}; {'; '.join(reasons)};"
        f" and there is no Go to build them with. Install Go {gobuild.MINIMUM} or later (https://go.dev/dl/), or name a"
        " folder that has them with --binaries"
    )


@contextlib.contextmanager
def _lock(progress: Progress) -> Iterator[None]:
    """Hold the cache: who comes second finds what the first has put there."""
    folder = folders.cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note("another kopfwerk is obtaining the programs; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
