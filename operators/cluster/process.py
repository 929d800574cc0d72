"""One program of the cluster as a process: started so that it cannot outlive us, and with its output in a file."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_LAUNCH: Final = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes the program after asking the kernel to kill it when the thread that started it is gone.

A hook between fork and exec would say the same, but may deadlock where the parent has threads."""


@dataclass(slots=True)
class Process:
    """A component. Start it from a thread that lives as long as the cluster: the kernel ties the process to it."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False
    """Whether it was stopped on purpose."""
    _popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program, in a process group of its own: a Ctrl-C at the terminal is ours to act upon."""
        self.stopped = False
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id; 0 before it was started."""
        return self._popen.pid if self._popen else 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs or was never started."""
        return self._popen.poll() if self._popen else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def died(self) -> bool:
        """Whether it ended without having been told to."""
        return not self.stopped and self.exit_code is not None

    def terminate(self) -> None:
        """Ask it to end, without waiting."""
        self.stopped = True
        if self._popen:
            self._popen.terminate()

    def stop(self, grace: float = 10.0) -> None:
        """Ask it to end and wait; after the grace it is killed."""
        self.terminate()
        if self._popen is None:
            return
        try:
            self._popen.wait(grace)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.stopped = True
        if self._popen:
            self._popen.kill()
            self._popen.wait()

    def tail(self, lines: int = 15) -> str:
        """The last lines of its output."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
