"""kubectl, helm and docker as a user calls them, and waiting for what they show."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from tests.support.documented import DOCUMENTS, ROOT, commands

APP = "kopfwerk-e2e"
"""The name of the workloads' image; its tags are v1 and v2."""
RELEASE, NAMESPACE = "kopfwerk", "kopfwerk-system"
CHART = ROOT / "helm" / "kopfwerk"

T = TypeVar("T")


def run(*argv: str, stdin: str = "", seconds: float = 330) -> str:
    """Run a program and return what it prints. Raises AssertionError, with what it complained of, where it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # with the plugin
    done = subprocess.run(
        argv,
        input=stdin,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
    return done.stdout


def eventually(what: str, look: Callable[[], T | None], seconds: float = 60) -> T:
    """Look until it is true, and return what was seen; what cannot be seen yet is not true yet.

    Looking is work for who is looked at: a third of the time at most.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        try:
            if seen := look():
                return seen
            last = str(seen)
        except (AssertionError, LookupError) as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}; last seen: {last}")
        time.sleep(max(0.25, 2 * (time.monotonic() - began)))


def documented(command: str, namespace: str = "default", folder: str | Path = ROOT, **instead: str) -> str:
    """Run a command just as the documents have it, in a namespace, with values `instead` of its words in capitals."""
    known = [one for document in DOCUMENTS for one in commands(document)]
    assert command in known, f"not in the documents any more: {command}"
    for word, value in instead.items():
        command = command.replace(word, value)
    with TemporaryDirectory() as private:
        own = Path(private) / "kubeconfig"
        own.write_text(run("kubectl", "config", "view", "--raw", "--minify", "--flatten"))
        own.chmod(0o600)
        place = ("kubectl", "config", "set-context", "--current", f"--namespace={namespace}", f"--kubeconfig={own}")
        run(*place)
        script = f"set -o pipefail; cd '{folder}'; export KUBECONFIG='{own}'; {command}"
        return run("bash", "-ec", script)


@dataclass(frozen=True)
class Shell:
    """kubectl in one namespace."""

    namespace: str

    def kubectl(self, *args: str, stdin: str = "", seconds: float = 330) -> str:
        """Run kubectl, which must succeed."""
        at = args.index("--") if "--" in args else len(args)  # what stands behind it is for another program
        place = f"--namespace={self.namespace}"
        return run("kubectl", *args[:at], place, *args[at:], stdin=stdin, seconds=seconds)

    def apply(self, *objs: dict[str, Any]) -> None:
        """Apply manifests."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objs)}))

    def get(self, what: str, *args: str) -> Any:
        """Return an object, or a list's items."""
        found = json.loads(self.kubectl("get", what, "-o", "json", *args))
        return found["items"] if found["kind"] == "List" else found

    def pods(self, **labels: str) -> list[Any]:
        """Return the pods with these labels that are not ending."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self.get("pods", f"--selector={selector}")
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def rolled_out(self, deployment: str = "web", seconds: float = 300) -> None:
        """Wait with the plugin, as with `kubectl rollout status`, until a rollout is complete."""
        name = f"deployment/{deployment}"
        self.kubectl("kopfwerk", "rollout", "status", name, f"--timeout={seconds:.0f}s", seconds=seconds + 10)
