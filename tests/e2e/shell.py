"""kubectl, helm and docker as a user calls them, and waiting for what they show."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

APP = "kopfwerk-e2e"
"""The name of the workloads' image; its tags are v1 and v2."""
RELEASE, NAMESPACE = "kopfwerk", "kopfwerk-system"
CHART = Path(__file__).parents[2] / "helm" / "kopfwerk"

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
    """Look until it is true, and return what was seen; what cannot be seen yet is not true yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if seen := look():
                return seen
            last = str(seen)
        except (AssertionError, LookupError) as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}; last seen: {last}")
        time.sleep(0.25)


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
