"""A real Prometheus: the machine's own, else Debian's package, unpacked into the cache and not installed."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from operators.cluster import folders
from operators.cluster.api import ApiError
from operators.cluster.errors import ClusterError

RULES: Final = Path(__file__).parents[2] / "helm/kopfwerk/files/monitoring/rules.yaml"
WINDOW: Final = 8
"""Seconds of which the rules look at the past, in place of minutes."""
INTERVAL: Final = "1s"
"""Between scrapes, and between evaluations of the rules."""
OPERATOR, SCHEDULER = JOBS = ("kopfwerk", "kopfwerk-scheduler")
"""The jobs that the alerts ask for."""
DEADLINE: Final = 90.0
"""Seconds in which whatever a test waits for has to come true, on a machine that is busy with other things."""
_PROGRAMS: Final = ("prometheus", "promtool")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server and its tool are."""

    prometheus: Path
    promtool: Path

    def check(self, *arguments: str, text: str = "") -> str:
        """Run promtool and return what it says; AssertionError where it finds fault."""
        ran = subprocess.run(
            [self.promtool, *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
        )
        assert ran.returncode == 0, f"promtool {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}"
        return ran.stdout


def obtain() -> Programs:
    """Return the programs, fetched first where the machine has them nowhere; ClusterError where they cannot be had."""
    own = [shutil.which(name) for name in _PROGRAMS]
    if all(own):
        return Programs(*(Path(str(path)) for path in own))
    target = folders.cache() / "bin" / "prometheus-debian"
    if not target.exists():
        _unpack(target)
    return Programs(*(target / name for name in _PROGRAMS))


def _unpack(target: Path) -> None:
    """Put the programs of Debian's package into a folder, in one step."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ClusterError("prometheus and promtool are not on the PATH, and this is no Debian to fetch them from")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        # Elsewhere than as root apt-get cannot bring its lists up to date, and need not where they are there.
        if _run(["apt-get", "download", "prometheus"], folder) and _run(["apt-get", "update"], folder):
            raise ClusterError("prometheus is not on the PATH, and apt-get cannot be brought up to date")
        if not list(folder.glob("*.deb")) and (why := _run(["apt-get", "download", "prometheus"], folder)):
            raise ClusterError(f"prometheus is not on the PATH, and its package cannot be had: {why}")
        (package,) = folder.glob("*.deb")
        if why := _run(["dpkg-deb", "--extract", str(package), "."], folder):
            raise ClusterError(f"{package.name} cannot be unpacked: {why}")
        (folder / "usr/bin").rename(target)


def _run(command: list[str], folder: Path) -> str:
    """Run a command and return why it failed, nothing where it did not."""
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return (ran.stderr.strip() or f"exit code {ran.returncode}") if ran.returncode else ""


def hastened(rules: str) -> str:
    """Return the rules with every `for` and every window of seconds in place of minutes: all that a test changes."""
    return re.sub(r"\[\d+[mh]\]", f"[{WINDOW}s]", re.sub(r"(\bfor: )\d+[mh]\b", r"\g<1>1s", rules))


def configuration(folder: Path) -> Path:
    """Write the configuration into a folder and return its file; a file there for each job says whom to scrape."""
    (folder / "rules.yaml").write_text(hastened(RULES.read_text()))
    content = {
        "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {
                "job_name": job,
                "honor_labels": True,
                "file_sd_configs": [{"files": [f"{job}.json"], "refresh_interval": "1s"}],
            }
            for job in JOBS
        ],
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server that runs."""

    url: str
    folder: Path

    def scrape(self, *addresses: str, job: str = OPERATOR) -> None:
        """Have these be scraped by a job, and nobody else."""
        scratch = self.folder / "targets.new"
        scratch.write_text(json.dumps([{"targets": list(addresses)}]))
        scratch.rename(self.folder / f"{job}.json")

    def get(self, path: str, **parameters: str) -> Any:
        """Ask its API. Raises OSError where it does not answer, AssertionError with what it says where it refuses."""
        try:
            with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:  # noqa: S310
                return json.load(answer)["data"]
        except HTTPError as error:
            if error.code == 503:  # it has only just been started: an outage
                raise
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression, now."""
        return list(self.get("query", query=expression)["result"])

    def firing(self, alert: str) -> list[dict[str, Any]]:
        """Return the alerts of a name that fire."""
        return [a for a in self.get("alerts")["alerts"] if a["state"] == "firing" and a["labels"]["alertname"] == alert]


def until(ask: Callable[[], T], what: str, deadline: float = DEADLINE) -> T:
    """Ask until the answer is true and return it; AssertionError where that takes too long. An outage is no answer."""
    end = time.monotonic() + deadline
    while True:
        try:
            answer = ask()
        except (OSError, ApiError) as error:
            if time.monotonic() > end:
                raise AssertionError(f"{what}: {error}") from error
        else:
            if answer:
                return answer
            assert time.monotonic() < end, f"{what}: not within {deadline:.0f} s"
        time.sleep(0.2)
