"""What `make test` runs: the layers of tests, cheapest first, each a pytest process, and a table of what they took.

    python -m tests.support.layers [LAYER…]
    python -m tests.support.layers all but LAYER…

A layer that takes longer than its share of the time fails. One that mostly waits runs beside another, and is shown
after it. `busy` is how much of the processors' time was used meanwhile, by whomever. The last line is the total.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Final
from xml.etree import ElementTree as ET

from rich.console import Console

from operators.cluster import binaries
from operators.cluster.progress import Progress, show
from operators.cluster.versions import DEFAULT, PROGRAMS
from tests.bench import usage
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
    beside: tuple[str, ...] = ()
    """Beside which layer it runs: the first of these that does."""
    patient: bool = False
    """Whether it computes, and lets those go first that watch what happens when."""


LAYERS: Final = (
    Layer("core", 120),
    Layer("properties", 1200, workers=2, beside=("e2e/one_by_one",), patient=True),
    Layer("runtime", 120),
    Layer("bench", 60),
    Layer("gitops", 180, workers=2),
    Layer("chart", 1200, workers=2, beside=("e2e/one_by_one",), patient=True),
    Layer("scheduler", 900),
    Layer("cluster", 480, beside=("scheduler",)),
    Layer("prometheus", 420, beside=("scheduler",)),
    Layer("apiserver", 600, workers=3),
    Layer("parity", 900, workers=8),
    Layer("e2e/side_by_side", 720, workers=5, asked_for=True, tries=2),
    Layer("e2e/one_by_one", 1200, asked_for=True, tries=2),
    Layer("e2e/native/side_by_side", 720, workers=5, asked_for=True, tries=2),
    Layer("e2e/native/one_by_one", 600, asked_for=True, tries=2),
)

_GROUP: Final = re.compile(r"@[^\]]*$")
"""What pytest-xdist puts behind the name of a case that runs on one worker with others."""
NEEDS_PROGRAMS: Final = {"scheduler", "gitops", "cluster", "apiserver", "parity", "prometheus"}


@dataclass(slots=True)
class Ran:
    """What came of a layer."""

    name: str
    seconds: float = 0.0
    busy: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    note: str = ""

    @property
    def failed(self) -> bool:
        """Whether anything in it did."""
        return bool(self.outcomes["failed"])


async def run(layer: Layer, folder: Path, output: IO[bytes] | None = None) -> Ran:
    """Run a layer and read its outcome from pytest's report; cases that failed run again, alone, where they may."""
    ran = Ran(layer.name)
    tests = ROOT / "tests" / layer.name
    if not any(tests.glob("test_*.py")):
        ran.note = "no tests yet"
        return ran
    workers = ["-n", str(layer.workers), "--dist", "loadgroup"] if layer.workers else []
    cases, notes = [str(tests)], []
    began, used = time.monotonic(), usage.machine_cpu_seconds()
    for attempt in range(1, layer.tries + 1):
        report = folder / f"{layer.name.replace('/', '-')}-{attempt}.xml"
        left = layer.limit - (time.monotonic() - began)
        code = await _pytest([*cases, f"--junit-xml={report}", *workers], left, output, patient=layer.patient)
        outcomes, cases = _outcomes(report)
        ran.outcomes = outcomes if attempt == 1 else ran.outcomes - Counter(failed=ran.outcomes["failed"]) + outcomes
        if code is None:
            notes.append(f"stopped at its limit of {layer.limit} s")
        if not code or not cases or code is None or attempt == layer.tries:
            break
        notes.append(f"failed at first: {', '.join(case.rpartition('::')[2] for case in cases)}")
        workers = []
    ran.seconds = time.monotonic() - began
    ran.busy = (usage.machine_cpu_seconds() - used) / ran.seconds / (os.cpu_count() or 1)
    if code != 0 and not ran.failed:
        ran.outcomes["failed"] += 1
        notes += [f"pytest ended with exit code {code}"] if code else []
    ran.note = "; ".join(notes)
    return ran


async def run_together(layers: list[Layer], folder: Path) -> list[Ran]:
    """Run layers at the same time. The first writes at once; what the others write is shown after it."""
    print(f"==> {', and beside it '.join(layer.name for layer in layers)}", flush=True)
    with contextlib.ExitStack() as files:
        logs = [files.enter_context(TemporaryFile(dir=folder)) for _ in layers[1:]]
        places = zip(layers, [None, *logs], strict=True)
        results = await asyncio.gather(*(run(layer, folder, output) for layer, output in places))
        for layer, log in zip(layers[1:], logs, strict=True):
            print(f"==> {layer.name}", flush=True)
            log.seek(0)
            shutil.copyfileobj(log, sys.stdout.buffer)
            sys.stdout.flush()
    return results


async def run_each(layers: list[Layer], folder: Path) -> list[Ran]:
    """Run layers in their order. Who is told to end tells pytest, which is in a session of its own."""
    if own := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, own.cancel)
    names = [layer.name for layer in layers]
    hosts = {layer.name: next((name for name in layer.beside if name in names), layer.name) for layer in layers}
    results = []
    for name in names:
        together = sorted((layer for layer in layers if hosts[layer.name] == name), key=lambda one: one.name != name)
        results += await run_together(together, folder) if together else []
    return results


async def _pytest(arguments: list[str], seconds: float, output: IO[bytes] | None, *, patient: bool) -> int | None:
    """Run pytest and return its exit code, None where it took too long."""
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, start_new_session=True, stdout=output, stderr=output
    )
    if patient:
        _give_way(process.pid)
    try:
        return await asyncio.wait_for(process.wait(), max(1, seconds))
    except TimeoutError:
        return None
    finally:
        await _end(process)


def _give_way(session: int) -> None:
    """Have a session's first process, and all that it will start, leave the processors to others."""
    os.setpriority(os.PRIO_PROCESS, session, 19)
    with contextlib.suppress(OSError):  # some kernels weigh sessions rather than processes
        Path(f"/proc/{session}/autogroup").write_text("19")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End pytest with all its workers: politely, so that clusters are stopped, and then not."""
    for kind in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        os.killpg(process.pid, kind)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 20)


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
            name = _GROUP.sub("", case.get("name", ""))
            again.append(f"{case.get('classname', '').replace('.', '/')}.py::{name}")
    return found, again


def _table(results: list[Ran]) -> str:
    """Lay out what each layer took."""
    rows: list[tuple[str, ...]] = [("layer", "passed", "failed", "skipped", "seconds", "busy", "")]
    for ran in results:
        counts = (str(ran.outcomes[kind]) for kind in ("passed", "failed", "skipped"))
        rows.append((ran.name, *counts, f"{ran.seconds:.1f}", f"{ran.busy:.0%}", ran.note))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        row[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:-1], widths[1:-1], strict=True))
        + f"  {row[-1]}"
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
    but = wanted[2:] if wanted[:2] == ["all", "but"] else []
    unknown = set(but or wanted) - {layer.name for layer in LAYERS}
    if unknown:
        print(f"no layer {', '.join(sorted(unknown))}; there are {', '.join(layer.name for layer in LAYERS)}")
        return 2
    if but:
        wanted = [layer.name for layer in LAYERS if not layer.asked_for and layer.name not in but]
    if not wanted or set(wanted) & NEEDS_PROGRAMS:
        # Once a machine, and it takes minutes: not out of a layer's time.
        print("==> programs of the cluster", flush=True)
        binaries.obtain(list(PROGRAMS.values()), DEFAULT, show(Console()))
    if not wanted or "chart" in wanted:
        print("==> programs and schemas for the chart", flush=True)
        _for_the_chart(show(Console()))
    if not wanted or "apiserver" in wanted:
        print("==> cert-manager, for the webhook's certificate, and Helm 4, which waits for our kinds", flush=True)
        for tool in (tools.HELM, tools.CERT_MANAGER, tools.HELM4):
            tools.obtain(tool, show(Console()))
    chosen = [layer for layer in LAYERS if layer.name in wanted or not (wanted or layer.asked_for)]
    with TemporaryDirectory() as folder:
        results = asyncio.run(run_each(chosen, Path(folder)))
    total = sum((ran.outcomes for ran in results), Counter[str]())
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"\n{_table(results)}\n\n{total['passed']} passed, {total['failed']} failed{skipped}")
    return int(any(ran.failed for ran in results))


if __name__ == "__main__":
    sys.exit(main(re.split(r"[\s,]+", " ".join(sys.argv[1:])) if sys.argv[1:] else []))
