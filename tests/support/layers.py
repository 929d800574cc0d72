"""What `make test` runs: the layers of tests, cheapest first, each a pytest process, and a table of what they took.

    python -m tests.support.layers [LAYER…]

A layer that takes longer than its share of the time fails. The last line is the total of all of them.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from xml.etree import ElementTree as ET

from rich.console import Console

from operators.cluster import binaries
from operators.cluster.progress import Progress, show
from operators.cluster.versions import DEFAULT, PROGRAMS
from tests.support import kubernetes_schemas, tools

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of tests. `workers`: in how many processes; those that mostly wait have more than there are cores."""

    name: str
    limit: int
    """Seconds."""
    workers: int = 0
    asked_for: bool = False
    """Whether it runs only where it is named, since it needs more than this machine."""
    tries: int = 1
    """How often a case may be run. What needs more than this machine shares it with whatever goes on there."""


LAYERS: Final = (
    Layer("core", 120),
    Layer("properties", 600, workers=2),
    Layer("runtime", 120),
    Layer("bench", 60),
    Layer("scheduler", 900),
    Layer("gitops", 180, workers=2),
    Layer("chart", 420, workers=2),
    Layer("cluster", 480),
    Layer("apiserver", 600, workers=3),
    Layer("parity", 900, workers=8),
    Layer("prometheus", 420),
    Layer("e2e/side_by_side", 720, workers=4, asked_for=True, tries=2),
    Layer("e2e/one_by_one", 1200, asked_for=True, tries=2),
    Layer("e2e/native", 600, asked_for=True, tries=2),
)

NEEDS_PROGRAMS: Final = {"scheduler", "gitops", "cluster", "apiserver", "parity", "prometheus"}


@dataclass(slots=True)
class Ran:
    """What came of a layer."""

    name: str
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    note: str = ""

    @property
    def failed(self) -> bool:
        """Whether anything in it did."""
        return bool(self.outcomes["failed"])


def run(layer: Layer, folder: Path) -> Ran:
    """Run a layer and read its outcome from pytest's report; cases that failed run again, alone, where they may."""
    ran = Ran(layer.name)
    tests = ROOT / "tests" / layer.name
    if not any(tests.glob("test_*.py")):
        ran.note = "no tests yet"
        return ran
    workers = ["-n", str(layer.workers), "--dist", "loadgroup"] if layer.workers else []
    cases, notes = [str(tests)], []
    began = time.monotonic()
    for attempt in range(1, layer.tries + 1):
        report = folder / f"{layer.name.replace('/', '-')}-{attempt}.xml"
        code = _pytest([*cases, f"--junit-xml={report}", *workers], layer.limit - (time.monotonic() - began))
        outcomes, cases = _outcomes(report)
        ran.outcomes = outcomes if attempt == 1 else ran.outcomes - Counter(failed=ran.outcomes["failed"]) + outcomes
        if code is None:
            notes.append(f"stopped at its limit of {layer.limit} s")
        if not code or not cases or code is None or attempt == layer.tries:
            break
        notes.append(f"failed at first: {', '.join(case.rpartition('::')[2] for case in cases)}")
        workers = []
    ran.seconds = time.monotonic() - began
    if code != 0 and not ran.failed:
        ran.outcomes["failed"] += 1
        notes += [f"pytest ended with exit code {code}"] if code else []
    ran.note = "; ".join(notes)
    return ran


def _pytest(arguments: list[str], seconds: float) -> int | None:
    """Run pytest and return its exit code, None where it took too long."""
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            return process.wait(max(1, seconds))
        except subprocess.TimeoutExpired:
            _end(process)
            return None
        except KeyboardInterrupt:
            _end(process)
            raise


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End pytest with all its workers: politely, so that clusters are stopped, and then not."""
    for kind, patience in ((signal.SIGINT, 20), (signal.SIGKILL, 20)):
        os.killpg(process.pid, kind)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    process.wait()


def _outcomes(report: Path) -> tuple[Counter[str], list[str]]:
    """Count the cases of a report, and name those that failed as pytest takes them."""
    if not report.exists():
        return Counter(), []
    found: Counter[str] = Counter()
    again: list[str] = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # pytest's own file
        kinds = {part.tag for part in case}
        failed = "failed" if kinds & {"failure", "error"} else "passed"
        found["skipped" if "skipped" in kinds else failed] += 1
        if kinds & {"failure", "error"}:
            again.append(f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}")
    return found, again


def _table(results: list[Ran]) -> str:
    """Lay out what each layer took."""
    rows: list[tuple[str, ...]] = [("layer", "passed", "failed", "skipped", "seconds", "")]
    for ran in results:
        counts = (str(ran.outcomes[kind]) for kind in ("passed", "failed", "skipped"))
        rows.append((ran.name, *counts, f"{ran.seconds:.1f}", ran.note))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = (
        row[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:5], widths[1:5], strict=True))
        + f"  {row[5]}"
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _for_the_chart(progress: Progress) -> None:
    """Obtain what its tests start and compare with: once a machine too."""
    for tool in (tools.HELM, tools.KUBECONFORM):
        tools.obtain(tool, progress)
    for release in kubernetes_schemas.RELEASES:
        kubernetes_schemas.obtain(release, progress)


def main(wanted: list[str]) -> int:
    """Run the layers that are named, or all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # pytest is in a session of its own, and has to end too
    unknown = set(wanted) - {layer.name for layer in LAYERS}
    if unknown:
        print(f"no layer {', '.join(sorted(unknown))}; there are {', '.join(layer.name for layer in LAYERS)}")
        return 2
    if not wanted or set(wanted) & NEEDS_PROGRAMS:
        # Once a machine, and it takes minutes: not out of a layer's time.
        print("==> programs of the cluster", flush=True)
        binaries.obtain(list(PROGRAMS.values()), DEFAULT, show(Console()))
    if not wanted or "chart" in wanted:
        print("==> programs and schemas for the chart", flush=True)
        _for_the_chart(show(Console()))
    if not wanted or "apiserver" in wanted:
        print("==> cert-manager, for the webhook's certificate", flush=True)
        for tool in (tools.HELM, tools.CERT_MANAGER):
            tools.obtain(tool, show(Console()))
    results = []
    with TemporaryDirectory() as folder:
        for layer in LAYERS:
            if layer.name in wanted or not (wanted or layer.asked_for):
                print(f"==> {layer.name}", flush=True)
                results.append(run(layer, Path(folder)))
    total = sum((ran.outcomes for ran in results), Counter[str]())
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"\n{_table(results)}\n\n{total['passed']} passed, {total['failed']} failed{skipped}")
    return int(any(ran.failed for ran in results))


if __name__ == "__main__":
    sys.exit(main(re.split(r"[\s,]+", " ".join(sys.argv[1:])) if sys.argv[1:] else []))
