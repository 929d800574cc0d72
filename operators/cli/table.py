"""The live table of workloads that `kopfwerk up` shows in front: what there is, and how far it has come."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from operators.cluster.api import Api, ApiError
from operators.core.objects import Obj

_GROUPS: Final = ("kopfwerk.dev", "apps")
_PLURALS: Final = ("deployments", "replicasets")
_EVERY: Final = 1.0


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


def render(workloads: list[Obj], most: int) -> RenderableType:
    """At most `most` rows of what `fetch` returned, with a bar for the replicas that are up to date and available."""
    if not workloads:
        return Text("no workloads yet", style="dim")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NAMESPACE", "KIND", "NAME"):
        table.add_column(title)  # where the terminal is narrow these are cut, and the others stay whole
    for title in ("READY", "UP-TO-DATE", "AVAILABLE", "PROGRESS"):
        table.add_column(title, no_wrap=True)
    for workload in workloads[:most]:
        table.add_row(*_row(workload))
    if len(workloads) > most:
        table.add_row("", "", f"… {len(workloads) - most} more")
    return table


def _row(workload: Obj) -> list[Any]:
    meta, status = workload["metadata"], workload.get("status") or {}
    wanted = workload["spec"].get("replicas", 1)
    available = status.get("availableReplicas", 0)
    is_deployment = workload["kind"].startswith("deployments")
    updated = status.get("updatedReplicas", 0) if is_deployment else status.get("replicas", 0)
    # A pod of an older template counts as available while it lasts: without those, what the rollout has reached.
    done = max(0, min(updated, available - (status.get("replicas", 0) - updated), wanted))
    return [
        *(
            Text(name, no_wrap=True, overflow="ellipsis")
            for name in (meta["namespace"], workload["kind"], meta["name"])
        ),
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

    def current() -> RenderableType:
        # The cursor waits on a line of its own: the terminal's ^C, put beside the table, would move what it erases.
        # That line, the header and how many more there are take three of the terminal's.
        return Group(render(fetch(api), max(1, console.height - 3)), "")

    with Live(console=console, auto_refresh=False, transient=True) as display:
        thread = threading.Thread(target=_keep, args=(current, display, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=2 * _EVERY)


def _keep(current: Callable[[], RenderableType], display: Live, ended: threading.Event) -> None:
    while not ended.is_set():
        # The apiserver may be busy or on its way down: the last table stays until there is a newer one.
        with contextlib.suppress(ApiError, OSError):
            display.update(current(), refresh=True)
        ended.wait(_EVERY)
