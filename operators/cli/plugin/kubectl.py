"""The machine's own kubectl, which does everything that needs a connection.

So contexts, credentials, proxies and exec plugins are kubectl's own business, and there is no client here.
"""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NoReturn, TypeAlias

from operators.core.kubectl.kinds import Refused, group_kind, plural_of, resource_of
from operators.core.objects import Obj

Event: TypeAlias = tuple[str, Obj]
"""What a watch says: ADDED, MODIFIED or DELETED, and the object."""


class Failed(Exception):  # noqa: N818 - the exit code of a kubectl that has said itself what went wrong
    """A kubectl ended with this exit code, and has told the user why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class TimedOut(Exception):  # noqa: N818 - not an error until whoever set the limit says so
    """The time given is over."""


@dataclass(slots=True)
class Kubectl:
    """How to call kubectl: with the global options that the user gave."""

    flags: list[str] = field(default_factory=list)
    namespace: str | None = None

    def command(self, *args: str, namespace: str | None = None) -> list[str]:
        """Return the command line of `kubectl ARGS` with the global options."""
        place = namespace or self.namespace
        return [_program(), *self.flags, *([f"--namespace={place}"] if place else []), *args]

    def current_namespace(self) -> str:
        """Return the namespace in which objects without one are looked for."""
        if self.namespace:
            return self.namespace
        jsonpath = "--output=jsonpath={..namespace}"
        return self.read_text("config", "view", "--minify", jsonpath) or "default"

    def read_text(self, *args: str, stdin: str | None = None, namespace: str | None = None) -> str:
        """Return what a kubectl prints; its errors go to the user."""
        done = subprocess.run(
            self.command(*args, namespace=namespace), stdout=subprocess.PIPE, input=stdin, text=True, check=False
        )
        if done.returncode:
            sys.stdout.write(done.stdout)
            raise Failed(done.returncode)
        return done.stdout

    def read_objects(self, *args: str, namespace: str | None = None) -> tuple[list[Obj], int]:
        """Return the objects of `kubectl get ARGS`, and its exit code: where some are missing, there are others."""
        command = self.command("get", *args, "--output=json", namespace=namespace)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        return read_documents(done.stdout), done.returncode

    def list_objects(self, resource: str, selector: str, namespace: str) -> list[Obj]:
        """Return a namespace's objects of one resource that have the labels."""
        found, code = self.read_objects(resource, f"--selector={selector}", namespace=namespace)
        if code:
            raise Failed(code)
        return found

    @contextmanager
    def watching(self, *args: str, namespace: str | None = None) -> Iterator[Iterator[Event]]:
        """Give the events of `kubectl get ARGS --watch`, until the block ends. ARGS name a list."""
        events = ("--watch", "--output-watch-events", "--output=json")
        with self._reading("get", *args, *events, namespace=namespace) as found:
            yield found

    @contextmanager
    def watching_one(self, obj: Obj) -> Iterator[Iterator[Event]]:
        """Give what a workload is now, ADDED or DELETED, and its events from there on, until the block ends.

        `kubectl get NAME --watch` reads, then watches, and leaves out the first event as one that it has shown: what
        changes between the two is lost. A list says where its watch has to begin.
        """
        meta = obj["metadata"]
        collection = f"/apis/{obj['apiVersion']}/namespaces/{meta['namespace']}/{plural_of(obj)}"
        one = f"--raw={collection}?fieldSelector=metadata.name%3D{meta['name']}"
        listed = json.loads(self.read_text("get", one))
        typed = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}  # a list of built-in ones does without
        now = [("ADDED", typed | item) for item in listed["items"]] or [("DELETED", obj)]
        since = f"&watch=true&resourceVersion={listed['metadata']['resourceVersion']}"
        with self._reading("get", one + since) as events:
            yield itertools.chain(now, itertools.takewhile(lambda event: event[0] != "ERROR", events))

    @contextmanager
    def _reading(self, *args: str, namespace: str | None = None) -> Iterator[Iterator[Event]]:
        """Give the events that a kubectl prints, until the block ends."""
        command = self.command(*args, namespace=namespace)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            try:
                yield _events(child)
            finally:
                child.kill()

    def patch(self, obj: Obj, patch: Obj | list[Obj], *options: str, output: str, refusal: str) -> str:
        """Patch an object, JSON patch or merge patch by its form, and return what kubectl prints.

        A patch that is refused is refused here too, with the server's message after the words of `refusal`.
        """
        meta = obj["metadata"]
        form = "json" if isinstance(patch, list) else "merge"
        command = self.command(
            "patch", f"{resource_of(obj)}/{meta['name']}", f"--type={form}", f"--patch={json.dumps(patch)}",
            *options, f"--output={output}", namespace=meta.get("namespace"),
        )  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = done.stderr.splitlines(keepends=True)
        sys.stderr.writelines(line for line in lines if line.startswith("Warning:"))
        if done.returncode:
            said = "".join(line for line in lines if not line.startswith("Warning:"))
            raise Refused(f"{refusal}{_bare(said.strip(), group_kind(obj))}")
        return done.stdout

    def become(self, *args: str, namespace: str | None = None) -> NoReturn:
        """Go on as kubectl itself: for what talks to the user, or never ends."""
        sys.stdout.flush()
        command = self.command(*args, namespace=namespace)
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimedOut` where the block takes longer; 0 is no limit."""

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise TimedOut

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read_documents(text: str) -> list[Obj]:
    """Read JSON documents that stand one after the other."""
    found: list[Obj] = []
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        found += document["items"] if document["kind"] == "List" else [document]
    return found


def _events(child: "subprocess.Popen[str]") -> Iterator[Event]:
    """Read events as they come: each is a line."""
    for line in child.stdout or ():
        event: dict[str, Any] = json.loads(line)
        yield event["type"], event["object"]
    if child.wait():
        raise Failed(child.returncode)


def _bare(said: str, group_kind: str) -> str:
    """Return the server's own message, out of what kubectl makes of it for its user."""
    invalid = re.fullmatch(r'The \S+ (".*?" is invalid:) (.*)', said, re.DOTALL)
    if invalid:
        first, *others = (cause.removeprefix("* ") for cause in invalid[2].strip().splitlines())
        causes = f"[{', '.join((first, *others))}]" if others else first
        return f"{group_kind} {invalid[1]} {causes}"
    if said.startswith("Error from server ("):
        return said.partition("): ")[2]
    return said.removeprefix("error: ")


def _program() -> str:
    found = shutil.which("kubectl")
    if found is None:
        raise Refused("kubectl is not on the PATH, and this plugin works through it")
    return found
