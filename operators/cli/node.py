"""`kopfwerk node`: simulated nodes come, stop, start again, are drained and go while a cluster runs."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from operators.cluster import binaries, nodes, registry
from operators.cluster.api import Api
from operators.cluster.errors import ClusterError
from operators.cluster.nodes import Size
from operators.cluster.registry import Record
from operators.cluster.versions import RELEASES

_READY_WITHIN: Final = 30.0
_SIZE: Final = Size()

_cluster = click.option("--name", "cluster", default="default", show_default=True, help="Which cluster.")
_names = click.argument("names", metavar="NODE...", nargs=-1, required=True)


@click.group
def node() -> None:
    """Add, stop, start, drain and remove simulated nodes."""


@node.command
@_cluster
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@click.option("--zone", help="Their zone.  [default: zone-a, zone-b and zone-c by turns]")
@click.option("--cpu", default=_SIZE.cpu, show_default=True, help="CPUs that each has.")
@click.option("--memory", default=_SIZE.memory, show_default=True, help="Memory that each has.")
@click.option("--pods", default=_SIZE.pods, show_default=True, help="How many pods each takes.")
def add(cluster: str, count: int, zone: str | None, **size: str) -> None:
    """Add nodes and wait until they are ready."""
    api = _api(cluster)
    names = nodes.add(api, count, zone, Size(**size))
    _until_ready(api, names)
    for name in names:
        click.echo(f"node {name} added")


@node.command
@_cluster
@_names
def stop(cluster: str, names: tuple[str, ...]) -> None:
    """Let the kubelets of nodes die: heartbeats end, and their pods change no more.

    The control plane notices when the node's Lease is overdue (50 s by default): the node becomes NotReady, its pods
    unready and, after their tolerations (300 s by default), they are deleted, but stay until the node is back or gone.
    """
    _each(cluster, names, nodes.stop, "stopped")


@node.command
@_cluster
@_names
def start(cluster: str, names: tuple[str, ...]) -> None:
    """Let the kubelets of nodes return, and wait until the nodes are ready."""
    _each(cluster, names, nodes.start, "started")
    _until_ready(_api(cluster), list(names))


@node.command
@_cluster
@_names
@click.option("--timeout", default="0s", show_default=True, help="How long to wait for evictions; 0s is for ever.")
def drain(cluster: str, names: tuple[str, ...], timeout: str) -> None:
    """Cordon nodes and evict their pods, as kubectl drain does; kubectl uncordon ends it."""
    record = _running(cluster)
    command = [
        str(binaries.kubectl(RELEASES[record.kubernetes])),
        *(f"--kubeconfig={record.kubeconfig}", f"--context={record.context}"),
        *("drain", *names, f"--timeout={timeout}", "--ignore-daemonsets", "--delete-emptydir-data", "--force"),
    ]
    raise SystemExit(subprocess.run(command, check=False).returncode)


@node.command
@_cluster
@_names
def rm(cluster: str, names: tuple[str, ...]) -> None:
    """Delete nodes. The control plane deletes their pods within a minute or two."""
    _each(cluster, names, nodes.remove, "deleted")


def _each(cluster: str, names: tuple[str, ...], do: Callable[[Api, str], Any], done: str) -> None:
    api = _api(cluster)
    for name in names:
        do(api, name)
        click.echo(f"node {name} {done}")


def _running(cluster: str) -> Record:
    record = registry.require(cluster)
    if not registry.is_running(cluster):
        raise ClusterError(f"cluster {cluster!r} does not run; kopfwerk up --name {cluster} starts it")
    return record


def _api(cluster: str) -> Api:
    record = _running(cluster)
    return Api(record.server, Path(record.data_dir or record.folder) / "pki")


def _until_ready(api: Api, names: list[str]) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    for name in names:
        while not nodes.is_ready(api, name):
            if time.monotonic() > deadline:
                raise ClusterError(f"node {name} is not ready after {_READY_WITHIN:.0f} s; see kopfwerk logs kwok")
            time.sleep(0.05)
