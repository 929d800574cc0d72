"""A pod from which the Services of a test are called."""

from tests.e2e.manifests import Obj, pod
from tests.e2e.shell import Shell, eventually

CLIENT: Obj = pod("client")
"""Waits to be told whom to call."""
NAME = "/etc/hostname"
"""The path at which a server says in which pod it is."""


def ask(shell: Shell, url: str, times: int = 1, host: str = "", pod: str = "client") -> list[str]:
    """Call from a pod, and return the answers. AssertionError where one fails."""
    command = ("python", "-m", "app.web", "get", str(times), url, *([host] if host else []))
    return shell.kubectl("exec", pod, "--", *command).split()


def healthy(shell: Shell, pod: str, *, well: bool) -> None:
    """Have the server in a pod say how it is; it answers in either case."""
    shell.kubectl("exec", pod, "--", *(("rm", "/tmp/unwell") if well else ("touch", "/tmp/unwell")))


class Caller:
    """A pod that calls all the while."""

    def __init__(self, shell: Shell, url: str, name: str = "caller") -> None:
        """Let it begin, and wait until it gets answers."""
        self._shell, self._name = shell, name
        shell.apply(pod(name, "call", url))
        eventually("answers", lambda: self.lines() and not self.lines()[-1].startswith("failed"), 90)
        self._before = len(self.lines())

    def lines(self) -> list[str]:
        """Return every line that it has written."""
        return [line for line in self._shell.kubectl("logs", self._name).splitlines() if line]

    def answers(self) -> list[str]:
        """Return what it has got since the first answer."""
        return self.lines()[self._before :]

    def latest(self, number: int = 40) -> list[str]:
        """Return the last answers, none as long as there are fewer."""
        lines = self.answers()
        return lines[-number:] if len(lines) >= number else []
