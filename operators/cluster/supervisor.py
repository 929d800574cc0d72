"""Keeps one named cluster: starts it, writes down how it is, notices when a component dies, and takes it down in order.

In front it is the `kopfwerk up` that the user sees; with `--detach` it is a process of its own in the background.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from operators.cluster import kubeconfig, registry
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.errors import ClusterError
from operators.cluster.registry import Record

_LOOK_EVERY: Final = 0.5
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Told(BaseException):
    """A signal told us to end."""


def supervise(
    settings: Settings,
    user_kubeconfig: Path | None,
    progress: Callable[[str], None],
    while_ready: Callable[[Record, Cluster], contextlib.AbstractContextManager[Any]],
) -> None:
    """Run a cluster until a signal ends it; `while_ready` is entered once it is ready. ClusterError when it fails."""
    name = settings.name
    folder = registry.folder(name)
    with contextlib.ExitStack() as held:
        held.enter_context(registry.take(folder, f"cluster {name!r} runs already; kopfwerk down --name {name} ends it"))
        if settings.data_dir is not None:
            complaint = f"{settings.data_dir} is in use by another cluster"
            held.enter_context(registry.take(settings.data_dir, complaint))
        _forget(folder)
        cluster = Cluster(replace(settings, folder=folder))
        record = _record(cluster, user_kubeconfig)
        record.save()
        cluster.progress = _writing_down(record, progress)
        try:
            _run(cluster, record, user_kubeconfig, while_ready)
        except ClusterError as error:
            record.phase, record.message = registry.FAILED, str(error)
            record.save()
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _run(
    cluster: Cluster,
    record: Record,
    user_kubeconfig: Path | None,
    while_ready: Callable[[Record, Cluster], contextlib.AbstractContextManager[Any]],
) -> None:
    """Start it, and keep it until a signal comes or a component dies."""
    with _signals(), contextlib.suppress(_Told), contextlib.ExitStack() as stack:
        stack.callback(_take_down, cluster, record)
        cluster.start()
        if user_kubeconfig is not None:
            stack.enter_context(_context_in(user_kubeconfig, cluster))
        record.phase, record.message = registry.READY, ""
        record.components = {process.name: process.pid for process in cluster.processes.values()}
        record.save()
        stack.enter_context(while_ready(record, cluster))
        while True:
            cluster.check()
            time.sleep(_LOOK_EVERY)


def _take_down(cluster: Cluster, record: Record) -> None:
    """Stop everything; a second signal must not leave half of it running, so signals are ignored from here on."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    record.phase = registry.STOPPING
    record.save()
    cluster.stop()


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Have signals raise _Told for as long as the context lasts."""

    def told(_number: int, _frame: FrameType | None) -> None:
        raise _Told

    before = {number: signal.signal(number, told) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _context_in(path: Path, cluster: Cluster) -> Iterator[None]:
    """Our context in the user's kubeconfig for as long as the cluster runs; what was current before is put back."""
    existing = kubeconfig.read(path)
    before = existing.get("current-context", "")
    kubeconfig.write(path, kubeconfig.merge(existing, kubeconfig.read(cluster.kubeconfig)))
    try:
        yield
    finally:
        kubeconfig.write(path, kubeconfig.without(kubeconfig.read(path), cluster.context, before))


def _record(cluster: Cluster, user_kubeconfig: Path | None) -> Record:
    """What to write down of a cluster."""
    settings = cluster.settings
    return Record(
        name=settings.name,
        pid=os.getpid(),
        started=time.time(),
        server=cluster.server,
        context=cluster.context,
        kubeconfig=str(user_kubeconfig or cluster.kubeconfig),
        kubernetes=settings.release.kubernetes,
        nodes=settings.nodes,
        native=settings.native,
        data_dir=str(settings.data_dir or ""),
    )


def _writing_down(record: Record, progress: Callable[[str], None]) -> Callable[[str], None]:
    """Tell of progress and write it down, for who waits for a cluster in the background."""

    def tell(text: str) -> None:
        record.message = text
        record.save()
        progress(text)

    return tell


def _forget(folder: Path) -> None:
    """Remove what an earlier cluster of the name left: one that was killed could not do it itself."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name not in {"lock", registry.OWN_LOG}:
            path.unlink()
