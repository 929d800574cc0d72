"""Stock kubectl and the plugin as a user calls them, for the tests that compare the two."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operators.cluster import binaries
from operators.cluster.versions import DEFAULT, PROGRAMS

PLUGIN = Path(sys.executable).parent / "kubectl-kopfwerk"


@dataclass(frozen=True, slots=True)
class Said:
    """What a program printed, and how it ended."""

    stdout: str
    stderr: str
    code: int


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A shell with the pinned kubectl on its path, in one namespace of the cluster."""

    kubeconfig: Path
    namespace: str

    def environment(self) -> dict[str, str]:
        """Return the variables of the programs."""
        kubectl = binaries.find(PROGRAMS["kubectl"], DEFAULT, None)
        path = f"{kubectl.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path, "KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *args: str, stdin: str = "") -> Said:
        """Run stock kubectl."""
        return self._run("kubectl", *args, stdin=stdin)

    def plugin(self, *args: str, stdin: str = "") -> Said:
        """Run the plugin."""
        return self._run(str(PLUGIN), *args, stdin=stdin)

    def done(self, *args: str, stdin: str = "") -> str:
        """Run stock kubectl, which must succeed, and return what it prints."""
        said = self.kubectl(*args, stdin=stdin)
        assert said.code == 0, said.stderr
        return said.stdout

    def start(self, *args: str) -> "subprocess.Popen[str]":
        """Start the plugin and let it run."""
        command = [str(PLUGIN), *args, f"--namespace={self.namespace}"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment(), stdout=pipe, stderr=pipe, text=True)

    def _run(self, program: str, *args: str, stdin: str) -> Said:
        environment = self.environment()
        found = shutil.which(program, path=environment["PATH"])
        assert found, program
        place = f"--namespace={self.namespace}"
        head, dashes, tail = _around_dashes(args)
        command = [found, *head, place, *dashes, *tail]
        done = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=60
        )
        return Said(done.stdout, done.stderr, done.returncode)


def namespace(kubeconfig: Path, name: str) -> Iterator[CommandLine]:
    """Make a namespace, give a shell in it, and have it deleted at the end."""
    shell = CommandLine(kubeconfig, name)
    shell.done("create", "namespace", name)
    yield shell
    shell.done("delete", "namespace", name, "--wait=false")


def _around_dashes(args: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Split at `--`: what stands behind it is not for kubectl."""
    at = args.index("--") if "--" in args else len(args)
    return args[:at], args[at : at + 1], args[at + 1 :]
