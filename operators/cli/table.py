"""The live table of workloads that `kopfwerk up` shows in front: what there is, and how far it has come."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from operators.cluster.api import Api, ApiError
from operators.core.objects import Obj

_GROUPS: Final = ("kopfwerk.dev", "apps")
_PLURALS: Final = ("deployments", "replicasets")
_EVERY: Final = 1.0
_MOST: Final = 30
"""Rows that are shown; a table higher than the terminal would flicker."""


def fetch(api: Api) -> list[Obj]:
    """Every Deployment, and every ReplicaSet that no controller owns, of both API groups; none where not served."""
    found: list[Obj] = []
    for group in _GROUPS:
        for plural in _PLURALS:
            try:
                items: list[Obj] = api.get(f"/apis/{group}/v1/{plural}")["items"]
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            kind = plural if group == "apps" else f"{plural}.{group}"
            owned = [
                item for item in items if any(o.get("controller") for o in item["metadata"].get("ownerReferences", ()))
            ]
            found += [{**item, "kind": kind} for item in items if item not in owned]
    return found


def render(workloads: list[Obj]) -> Table:
    """The table of what `fetch` returned, with a bar for the replicas that are up to date and available."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NAMESPACE", "KIND", "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "PROGRESS"):
        table.add_column(title, no_wrap=True)
    for workload in workloads[:_MOST]:
        table.add_row(*_row(workload))
    if len(workloads) > _MOST:
        table.add_row("", "", f"… {len(workloads) - _MOST} more")
    if not workloads:
        table.add_row("", "", "no workloads yet", style="dim")
    return table


def _row(workload: Obj) -> list[Any]:
    meta, status = workload["metadata"], workload.get("status") or {}
    wanted = workload["spec"].get("replicas", 1)
    available = status.get("availableReplicas", 0)
    is_deployment = workload["kind"].startswith("deployments")
    updated = status.get("updatedReplicas", 0) if is_deployment else status.get("replicas", 0)
    done = min(updated, available, wanted)
    return [
        meta["namespace"],
        workload["kind"],
        meta["name"],
        f"{status.get('readyReplicas', 0)}/{wanted}",
        str(updated) if is_deployment else "",
        str(available),
        ProgressBar(total=max(wanted, 1), completed=done if wanted else 1, width=20),
    ]


@contextlib.contextmanager
def live(api: Api, console: Console) -> Iterator[None]:
    """Show the table, kept up to date by a thread of its own, for as long as the context is entered.

    Shows nothing where the console is no terminal. The thread uses `api` alone: no other may, meanwhile.
    """
    if not console.is_terminal:
        yield
        return
    ended = threading.Event()
    with Live(render([]), console=console, auto_refresh=False, transient=True) as display:
        thread = threading.Thread(target=_keep, args=(lambda: fetch(api), display, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=2 * _EVERY)


def _keep(fetch_all: Callable[[], list[Obj]], display: Live, ended: threading.Event) -> None:
    while not ended.is_set():
        # The apiserver may be busy or on its way down: the last table stays until there is a newer one.
        with contextlib.suppress(ApiError, OSError):
            display.update(render(fetch_all()), refresh=True)
        ended.wait(_EVERY)
