"""`kopfwerk down`, `status` and `logs`: what one does with a cluster that runs."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from operators.cluster import registry
from operators.cluster.errors import ClusterError
from operators.cluster.registry import Record

_name = click.option("--name", default="default", show_default=True, help="Which cluster.")


@click.command
@_name
@click.option("--all", "every", is_flag=True, help="Stop every cluster of this user.")
def down(name: str, *, every: bool) -> None:
    """Stop a cluster, whether it runs in front or in the background. State in a --data-dir stays."""
    names = [record.name for record in registry.everyone()] if every else [name]
    for each in names:
        stopped = registry.stop(each)
        click.echo(f"cluster {each!r} {'is down' if stopped else 'did not run; removed what it left'}")


@click.command
@click.option("--name", help="Only this one.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(name: str | None, output: str) -> None:
    """Say which clusters there are, or how one of them is; exit code 1 where that one is not ready."""
    records = [registry.require(name)] if name else registry.everyone()
    rows = [_row(record) for record in records]
    if output == "json":
        click.echo(json.dumps(rows[0] if name else rows, indent=2))
    elif not rows:
        click.echo("no clusters; kopfwerk up starts one")
    else:
        _print(rows, components=name is not None or len(rows) == 1)
    if name and rows[0]["phase"] != registry.READY:
        raise SystemExit(1)


def _row(record: Record) -> dict[str, object]:
    """What is said of a cluster."""
    running = registry.is_running(record.name)
    phase = record.phase if running or record.phase == registry.FAILED else "gone"
    return {
        "name": record.name,
        "phase": phase,
        "message": record.message,
        "kubernetes": record.kubernetes,
        "nodes": record.nodes,
        "native": record.native,
        "server": record.server,
        "kubeconfig": record.kubeconfig,
        "dataDir": record.data_dir,
        "ageSeconds": round(time.time() - record.started),
        "components": {component: pid if running else 0 for component, pid in record.components.items()},
    }


def _print(rows: list[dict[str, object]], *, components: bool) -> None:
    """Say it as a table."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="")
    columns = {"NAME": "name", "STATUS": "phase", "KUBERNETES": "kubernetes", "NODES": "nodes", "SERVER": "server"}
    for title in (*columns, "AGE"):
        table.add_column(title, no_wrap=True)
    for row in rows:
        table.add_row(*(str(row[key]) for key in columns.values()), _age(int(str(row["ageSeconds"]))))
    console.print(table)
    for row in rows if components else ():
        listed = row["components"]
        if isinstance(listed, dict) and any(listed.values()):
            console.print("\n" + "\n".join(f"  {name:<25} pid {pid}" for name, pid in listed.items()))
            console.print(f"\n  export KUBECONFIG={row['kubeconfig']}")
        elif row["message"]:
            console.print(f"\n{row['message']}", markup=False)


def _age(seconds: int) -> str:
    """A time span as kubectl shows it."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


@click.command
@click.argument("component")
@_name
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows, until the cluster ends.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
def logs(component: str, name: str, *, follow: bool, tail: int | None) -> None:
    """Show the log of COMPONENT.

    etcd, kube-apiserver, kube-controller-manager, kube-scheduler, scheduler-extender, kwok or operator.
    """
    folder = registry.require(name).folder / "logs"
    path = folder / f"{component}.log"
    known = sorted(file.stem for file in folder.glob("*.log"))
    if component not in known:
        raise ClusterError(f"cluster {name!r} has no component {component!r}; it has {', '.join(known) or 'no logs'}")
    for text in _read(path, tail, until_gone=name if follow else None):
        click.echo(text, nl=False)


def _read(path: Path, tail: int | None, until_gone: str | None) -> Iterator[str]:
    """The lines of a log, and on as it grows where that is asked for."""
    with path.open(errors="replace") as file:
        lines = file.readlines()
        yield from lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
        while until_gone is not None:
            running = registry.is_running(until_gone)
            text = file.read()
            if text:
                yield text
            elif running:
                time.sleep(0.2)
            else:
                return
