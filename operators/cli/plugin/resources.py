"""The resources that a command is about: how the user names them, and how they and what befell them are printed."""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from operators.cli.plugin.kubectl import Failed, Kubectl, read_documents
from operators.cli.plugin.options import option, switch
from operators.core.kubectl.kinds import Refused, reference, resource_arguments
from operators.core.objects import Obj


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user named: arguments, files or labels."""

    args: Sequence[str] = ()
    files: Sequence[str] = ()
    selector: str = ""
    all_namespaces: bool = False

    def check(self) -> None:
        """Refuse a command that names nothing."""
        if not self.args and not self.files:
            raise Refused("required resource not specified")

    def read(self, kubectl: Kubectl) -> tuple[list[Obj], int]:
        """Return the live objects, and the exit code of the kubectl that read them: it tells about missing ones."""
        flags = [*self.files, *([f"--selector={self.selector}"] if self.selector else [])]
        if self.all_namespaces:
            flags.append("--all-namespaces")
        return kubectl.read_objects(*resource_arguments(self.args), *flags)

    def read_local(self, kubectl: Kubectl) -> list[Obj]:
        """Return the objects that the files hold, without asking the server."""
        return read_documents(kubectl.read_text("patch", "--local", *self.files, *_UNCHANGED, "--output=json"))


@dataclass(frozen=True, slots=True)
class Printer:
    """How objects are to be printed: in kubectl's formats, or as a line of success."""

    output: str = ""
    flags: Sequence[str] = ()

    def show(self, kubectl: Kubectl, objs: Sequence[Obj], said: str) -> None:
        """Print objects in the format asked for, or that each has been `said`."""
        if not self.output:
            for obj in objs:
                click.echo(f"{reference(obj)} {said}")
        elif objs:
            document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objs})
            command = ("patch", "--local", "--filename=-", *_UNCHANGED, f"--output={self.output}", *self.flags)
            click.echo(kubectl.read_text(*command, stdin=document), nl=False)

    def patch(self, kubectl: Kubectl, obj: Obj, patch: Obj | list[Obj], *options: str, said: str, refusal: str) -> None:
        """Patch an object and print the result."""
        flags = self.flags if self.output else ()
        printed = kubectl.patch(obj, patch, *options, *flags, output=self.output or "name", refusal=refusal)
        click.echo(printed if self.output else f"{printed.strip()} {said}\n", nl=False)


_UNCHANGED = ("--type=json", "--patch=[]")
"""The patch that changes nothing: with `--local`, it makes kubectl a reader and printer of any object."""

DRY_RUN = {"none": "", "client": " (dry run)", "server": " (server dry run)"}
"""What follows a line of success."""


def selecting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add kubectl's ways to name resources; the command gets them as `selection`."""

    @functools.wraps(function)
    def selected(*, args: Sequence[str], filename: Sequence[str], kustomize: str, recursive: bool, **rest: Any) -> Any:
        files = [f"--filename={name}" for name in filename]
        files += [f"--kustomize={kustomize}"] if kustomize else []
        files += ["--recursive"] if recursive else []
        selection = Selection(args, files, rest.pop("selector"), rest.pop("all_namespaces"))
        return function(selection=selection, **rest)

    return _decorated(selected, (
        click.argument("args", nargs=-1),
        option("--filename", "-f", multiple=True, help="A file, folder or URL that names resources."),
        option("--kustomize", "-k", default="", help="A kustomization directory that names resources."),
        switch("--recursive", "-R", help="Take a folder given with -f recursively."),
        option("--selector", "-l", default="", help="Labels of the resources: key1=value1,key2=value2."),
        switch("--all-namespaces", "-A", help="Look in every namespace."),
    ))  # fmt: skip


def printing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add kubectl's ways to print objects; the command gets them as `printer`."""

    @functools.wraps(function)
    def printed(
        *, output: str, template: str, show_managed_fields: bool, allow_missing_template_keys: bool, **rest: Any
    ) -> Any:
        flags = [f"--template={template}"] if template else []
        flags.append(f"--show-managed-fields={str(show_managed_fields).lower()}")
        flags.append(f"--allow-missing-template-keys={str(allow_missing_template_keys).lower()}")
        return function(printer=Printer(output, flags), **rest)

    return _decorated(printed, (
        option("--output", "-o", default="", help="json, yaml, name, or another of kubectl's formats."),
        option("--template", default="", help="The template, or its file, for -o=go-template."),
        switch("--show-managed-fields", help="Keep managedFields in JSON and YAML."),
        switch("--allow-missing-template-keys", default=True, help="Let a template ask for what is not there."),
    ))  # fmt: skip


def each(objs: Iterable[Obj], code: int, act: Callable[[Obj], None]) -> None:
    """Act on every object, and only then say what was refused; `code` is what reading them ended with."""
    refusals: list[str] = []
    for obj in objs:
        try:
            act(obj)
        except Refused as refused:
            refusals.append(str(refused))
    complain(refusals, code)


def complain(refusals: Sequence[str], code: int = 0) -> None:
    """Say what was refused as kubectl does, one or several, and fail where anything did."""
    if len(refusals) == 1:
        start = "" if refusals[0].startswith("error: ") else "error: "
        click.echo(start + refusals[0], err=True)
    elif refusals:
        click.echo("\n".join(refusals), err=True)
    if refusals or code:
        sys.stdout.flush()
        raise Failed(code or 1)


def _decorated(function: Callable[..., Any], decorators: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function
