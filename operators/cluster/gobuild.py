"""Building the cluster's programs from source, through Go's module proxy.

The modules in `gomod/` pin every dependency by hash; Go verifies them. Flags are those that make a build reproducible,
which also means that Go's build cache serves whoever builds the same sources in the same way.
"""

import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from operators.cluster.errors import ClusterError
from operators.cluster.progress import Progress, Task
from operators.cluster.versions import Program, Release

MINIMUM: Final = "1.26"
"""The oldest Go that builds the pinned release. An older one, from 1.21 on, fetches it by itself."""
MODULES: Final = Path(__file__).parent / "gomod"
_VERSION: Final = "k8s.io/component-base/version"


def go() -> str | None:
    """The go command, None where the machine has none."""
    return shutil.which("go") or shutil.which("/usr/local/go/bin/go")


def linker_flags(program: Program, release: Release) -> str:
    """Without symbols, and with the version set: without it clients see v0.0.0."""
    if program.module != "kubernetes":
        return "-s -w"
    major, minor = release.minor.split(".")
    values = {"gitVersion": f"v{release.kubernetes}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X {_VERSION}.{name}={value}" for name, value in values.items())])


def build(program: Program, release: Release, target: Path, progress: Progress) -> None:
    """Build a program and put it into place in one step; ClusterError with Go's own words where that fails."""
    command = go()
    if command is None:
        raise ClusterError("there is no Go on this machine")
    target.parent.mkdir(parents=True, exist_ok=True)
    title = f"building {program.name} {program.version(release)}"
    with progress.task(title) as task, tempfile.TemporaryDirectory(dir=target.parent) as folder:
        output = Path(folder) / program.name
        # What is already compiled is not compiled again, so the bar may end early; it never runs over.
        packages = _run([command, "list", "-deps", program.package], program, task)
        task.total(len(packages))
        task.detail("linking")
        flags = ["-v", "-ldflags", linker_flags(program, release), "-o", str(output)]
        _run([command, "build", *flags, program.package], program, task)
        output.replace(target)


def _run(argv: Sequence[str], program: Program, task: Task) -> list[str]:
    """Run Go in the program's module, telling of each line that it reports; return the lines of its output."""
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOWORK": "off",
    }
    last: deque[str] = deque(maxlen=12)
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(
            argv, cwd=MODULES / program.module, env=environment, stdout=output, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            for line in process.stderr or ():
                last.append(line.rstrip())
                if line.startswith("go: downloading "):
                    task.detail(line.removeprefix("go: ").rstrip())
                elif not line.startswith(("go: ", "#", "\t")):
                    task.advance(1, line.rstrip())
        except BaseException:
            process.terminate()
            raise
        if process.wait() != 0:
            raise ClusterError(f"{program.name} could not be built with {argv[0]}:\n" + "\n".join(last))
        output.seek(0)
        return output.read().splitlines()
