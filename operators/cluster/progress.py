"""How long work is shown: bars that move on a terminal, a plain line every so often elsewhere."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

EVERY: Final = 15.0
"""Seconds between two plain lines of one task."""


class Task(Protocol):
    """One piece of work that is under way."""

    def total(self, amount: int) -> None:
        """Say how much there is to do; 0 when that is not known."""

    def advance(self, amount: int, detail: str = "") -> None:
        """Say that more was done, and on what."""

    def detail(self, text: str) -> None:
        """Say what is being worked on."""


class Progress(Protocol):
    """Where work is shown."""

    def note(self, text: str) -> None:
        """Show a sentence."""

    def task(self, title: str) -> contextlib.AbstractContextManager[Task]:
        """Show a piece of work for as long as the context lasts."""


class Bars:
    """A terminal: a spinner, a bar, what is being worked on, and the time that it has taken."""

    def __init__(self, console: Console) -> None:
        self._progress = RichProgress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}", table_column=None),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print above the bars."""
        self._progress.console.print(Text(text, style="dim"))

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A line of its own, which stays when the work is done."""
        task = _Bar(self._progress, self._progress.add_task(title, total=None, detail=""))
        yield task
        task.finish()


class _Bar:
    """A task on a terminal."""

    def __init__(self, progress: RichProgress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def total(self, amount: int) -> None:
        """See Task."""
        self._progress.update(self._task, total=amount or None)

    def advance(self, amount: int, detail: str = "") -> None:
        """See Task."""
        self._progress.update(self._task, advance=amount, detail=_tail(detail))

    def detail(self, text: str) -> None:
        """See Task."""
        self._progress.update(self._task, detail=_tail(text))

    def finish(self) -> None:
        """Show it as done."""
        self._progress.update(self._task, total=1, completed=1, detail="")


class Lines:
    """No terminal: a line when work begins, one every so often, and one when it is done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to tidy up."""

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """Lines that begin with the title."""
        task = _Line(title)
        self.note(title)
        yield task
        self.note(f"{title}: done in {task.elapsed:.0f} s")


class _Line:
    """A task without a terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = self._told = time.monotonic()
        self._total = self._done = 0

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def total(self, amount: int) -> None:
        """See Task."""
        self._total = amount
        self._done = 0

    def advance(self, amount: int, detail: str = "") -> None:
        """See Task."""
        self._done += amount
        self.detail(detail)

    def detail(self, text: str) -> None:
        """See Task."""
        if time.monotonic() - self._told < EVERY:
            return
        self._told = time.monotonic()
        share = f", {100 * self._done // self._total} %" if self._total else ""
        print(f"{self._title}: {self.elapsed:.0f} s{share}{', ' if text else ''}{text}", file=sys.stderr, flush=True)


def show(console: Console) -> Bars | Lines:
    """What suits the console."""
    return Bars(console) if console.is_terminal else Lines()


def _tail(text: str) -> str:
    """The end of a long text, which of an import path is the part that tells."""
    return text if len(text) <= 48 else f"…{text[-47:]}"
