"""Processes: what they say is kept, and none outlives the one that started it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from operators.cluster.process import Process

SHELL = "/bin/sh"


def shell(script: str, folder: Path) -> Process:
    """A process that runs a script."""
    return Process("shell", [SHELL, "-c", script], folder / "log")


def wait(process: Process) -> int:
    """Wait for a process to end by itself; its exit code."""
    assert process._popen is not None
    return process._popen.wait()


def test_output_and_exit_code(tmp_path: Path) -> None:
    """A process that ends by itself has died, with its last words at hand."""
    process = shell("seq 100; echo oops >&2; exit 3", tmp_path)
    process.start()
    wait(process)

    assert process.died
    assert process.exit_code == 3
    assert process.tail(2) == "100\noops"


@pytest.mark.parametrize(
    ("script", "want_exit_code"),
    [
        pytest.param("exec sleep 60", -signal.SIGTERM, id="ends when asked to"),
        pytest.param(
            "trap '' TERM; echo up; while :; do sleep 60 & wait; done", -signal.SIGKILL, id="has to be killed"
        ),
    ],
)
def test_stopping(script: str, want_exit_code: int, tmp_path: Path) -> None:
    """One that was stopped has not died, however it took it."""
    fifo = tmp_path / "up"
    os.mkfifo(fifo)
    process = shell(f"{script.replace('echo up', f'echo up > {fifo}')}", tmp_path)
    process.start()
    if "trap" in script:
        fifo.read_text()

    process.stop(grace=0.2)

    assert not process.died
    assert not process.running
    assert process.exit_code == want_exit_code


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    """Killed without a chance to tidy up, the parent leaves nothing behind."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = f"""
import signal
from pathlib import Path
from operators.cluster.process import Process
Process("child", ["/bin/sh", "-c", "echo $$ > {fifo}; exec sleep 60"], Path("{tmp_path}/log")).start()
signal.pause()
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    child = os.pidfd_open(int(fifo.read_text()))
    parent.kill()
    parent.wait()

    # A process descriptor becomes readable when the process has ended.
    assert select.select([child], [], [], 30)[0] == [child]
    os.close(child)
