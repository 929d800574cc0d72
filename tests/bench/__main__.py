"""The command line: starts the cluster, runs the sides by turns, prints the table."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from operators.cluster import access
from operators.cluster.cluster import Cluster
from operators.runtime.client import Client
from tests.bench import cases as workload_cases
from tests.bench import cronjobs, jobs, profile, report, services, usage, world
from tests.bench.cases import Bench, warm_up
from tests.bench.report import Run
from tests.bench.sides import KCM, KCM_JSON, NATIVE, OURS, Running, Side

_OF_BATCH = jobs.CASES | cronjobs.CASES
CASES = workload_cases.CASES | _OF_BATCH | services.CASES

console = Console(highlight=False, width=max(120, Console().width))


@click.command(context_settings={"max_content_width": 100})
@click.option("--runs", default=3, show_default=True, help="How often each side runs each case.")
@click.option("--only", default=",".join(CASES), show_default=True, help="The cases, separated by commas.")
@click.option("--native", is_flag=True, help="Also measure Kopfwerk in native mode, on apps/v1.")
@click.option("--kcm-json", is_flag=True, help="Also measure kube-controller-manager with JSON in place of protobuf.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write everything there.")
@click.option(
    "--profile",
    "profile_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run Kopfwerk alone, under a sampling profiler, and leave a profile of each case in this folder.",
)
def main(
    *, runs: int, only: str, native: bool, kcm_json: bool, json_file: Path | None, profile_folder: Path | None
) -> None:
    """Compare Kopfwerk's controllers with kube-controller-manager's on one embedded apiserver."""
    cases = only.split(",")
    if unknown := set(cases) - CASES.keys():
        raise click.BadParameter(f"no such case: {', '.join(sorted(unknown))}", param_hint="--only")
    upstream = () if profile_folder else (KCM, KCM_JSON) if kcm_json else (KCM,)
    sides = [*upstream, OURS, *([NATIVE] if native else [])]
    if profile_folder:
        profile_folder.mkdir(parents=True, exist_ok=True)
    with Cluster(world.settings(), progress=lambda text: console.print(f"  {text}", style="dim")) as cluster:
        with cluster.api() as api:
            access.grant(api, native=True)
        circumstances = _circumstances(cluster)
        console.print("\n".join(circumstances))
        done = asyncio.run(_all(cluster, sides, cases, runs, profile_folder))
    console.print()
    console.print(report.as_table(done, [side.name for side in sides]))
    if json_file:
        json_file.write_text(json.dumps(report.as_json(done, [side.name for side in sides], circumstances), indent=1))


def _circumstances(cluster: Cluster) -> list[str]:
    """Say what the figures depend on."""
    machine = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    versions = f"Kubernetes {cluster.settings.release.kubernetes}, {cluster.settings.nodes} simulated nodes"
    with cluster.api() as api:
        return [f"{machine}; {versions}", *world.flow_control(api, cluster.processes["kube-apiserver"].argv)]


async def _all(
    cluster: Cluster, sides: Sequence[Side], cases: Sequence[str], runs: int, profiles: Path | None
) -> list[Run]:
    """Run the sides by turns, case by case."""
    done: list[Run] = []
    async with await Client.connect(str(cluster.kubeconfig)) as client:
        for case in cases:
            console.print(f"\n{case}: {CASES[case].__doc__}")
            for number in range(1, runs + 1):
                for side in sides:
                    file = profiles / f"{case}-{side.name}-{number}.txt" if profiles else None
                    run = await _one(cluster, client, side, case, file)
                    done.append(run)
                    figures = "  ".join(f"{p.name} {p.wall:.2f} s, CPU {p.cpu:.2f} s" for p in run.phases)
                    note = "" if run.was_quiet else "  (machine not quiet)"
                    console.print(f"  {number}/{runs} {side.name:9} {figures}  peak {run.peak_mb:.0f} MB{note}")
                    if file:
                        console.print(profile.as_table(file))
    return done


async def _one(cluster: Cluster, client: Client, side: Side, case: str, profile_file: Path | None) -> Run:
    """Run one case with one side: its process started for it, and nothing left of it afterwards."""
    quiet: list[bool] = []

    async def settle() -> None:
        quiet.append(await world.quiet(cluster))

    def writes() -> Counter[str]:
        with cluster.api() as api:
            return usage.writes(api.get("/metrics"))

    name = f"bench-{datetime.now(UTC):%H%M%S}"
    async with world.namespace(client, name):
        running = Running(cluster, side, profile_file)
        try:
            await (jobs.warm_up(client, side.group) if case in _OF_BATCH else warm_up(client, side.group, case))
            bench = Bench(
                client, side.group, name, running.pid, cluster.processes["kube-apiserver"].pid, settle, writes
            )
            await CASES[case](bench)
            peak = usage.peak_memory(running.pid)
        finally:
            running.stop()
        cluster.check()
    return Run(case, side.name, tuple(bench.phases), peak, all(quiet))


if __name__ == "__main__":
    main()
