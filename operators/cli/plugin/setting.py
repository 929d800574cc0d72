"""`kubectl kopfwerk set image|env|resources`."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import click

from operators.cli.plugin.kubectl import Failed, Kubectl
from operators.cli.plugin.options import Group, dry_run, field_manager, option, pass_kubectl, switch
from operators.cli.plugin.resources import DRY_RUN, Printer, Selection, complain, printing, selecting
from operators.core import objects
from operators.core.kubectl import containers, environment
from operators.core.kubectl.kinds import Refused, plural_of, pod_template
from operators.core.objects import Obj

Change: TypeAlias = Callable[[Obj], Obj]
"""From a workload to the one wanted."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be changed, and how far the change may go."""

    selection: Selection
    printer: Printer
    dry_run: str
    local: bool
    every: bool
    manager: str

    def naming(self, args: Sequence[str]) -> "Target":
        """Return it with other arguments for resources."""
        return replace(self, selection=replace(self.selection, args=args))

    def read(self, kubectl: Kubectl) -> tuple[list[Obj], int]:
        """Return the objects to change, and the exit code of reading them."""
        selection = self.selection
        if self.every and selection.selector:
            raise Refused("cannot set --all and --selector at the same time")
        if not selection.args and not selection.files:
            raise Refused("one or more resources must be specified as <resource> <name> or <resource>/<name>")
        if self.local:
            if self.dry_run == "server":
                raise Refused("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")
            if selection.args:
                raise Refused(
                    "you must specify resources by --filename when --local is set.\n"
                    "Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
                )
            return selection.read_local(kubectl), 0
        if len(selection.args) == 1 and "/" not in selection.args[0] and not (self.every or selection.selector):
            raise Refused("resource(s) were provided, but no name was specified")
        return selection.read(kubectl)

    def write(self, kubectl: Kubectl, before: Obj, after: Obj, said: str, refusal: str) -> None:
        """Send a changed object, or only print it, as the options say; nothing, where nothing is new."""
        if before == after:
            return
        if self.local or self.dry_run == "client":
            self.printer.show(kubectl, [after], said + DRY_RUN[self.dry_run])
            return
        patch = containers.patch(before, after)
        flags = (f"--field-manager={self.manager}", f"--dry-run={self.dry_run}")
        self.printer.patch(kubectl, before, patch, *flags, said=said + DRY_RUN[self.dry_run], refusal=refusal)


@click.group("set", cls=Group)
def commands() -> None:
    """Set specific features on objects."""


def _targeting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every `set` command has; the command gets them as `target`."""

    @functools.wraps(function)
    def targeted(*, selection: Selection, printer: Printer, dry_run: str, local: bool, **rest: Any) -> Any:
        target = Target(selection, printer, dry_run, local, rest.pop("all"), rest.pop("field_manager"))
        return function(target=target, **rest)

    decorated: Callable[..., Any] = targeted
    for decorate in (
        printing,
        field_manager("kubectl-set"),
        dry_run,
        switch("--local", help="Change what the files say, and ask no server."),
        switch("--all", help="Every resource of the types, in the namespace."),
        selecting,
    ):
        decorated = decorate(decorated)
    return decorated


_containers = option("--containers", "-c", default="*", help="The containers to change; * stands for any characters.")


@commands.command("image")
@_targeting
@pass_kubectl
def image(kubectl: Kubectl, target: Target) -> None:
    """Update the image of a pod template: image (-f FILENAME | TYPE NAME) CONTAINER=IMAGE ..."""
    resources, images = environment.split_images(target.selection.args)
    if not images:
        raise Refused("at least one image update is required")
    if len(images) > 1 and "*" in images:
        raise Refused(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        )
    complaints: list[str] = []

    def change(obj: Obj) -> Obj:
        spec, missing = containers.with_images(pod_template(obj)["spec"], images)
        complaints.extend(f'error: unable to find container named "{name}"' for name in missing)
        return containers.with_pod_spec(obj, spec)

    words = ("image updated", "failed to patch image update to pod template: ")
    _change_each(kubectl, target.naming(resources), change, words, complaints)


@commands.command("env")
@_targeting
@_containers
@option("--env", "-e", multiple=True, help="NAME=value to set, NAME- to remove, or - for lines of standard input.")
@option("--from", "from_", default="", help="A ConfigMap or Secret whose keys become variables: configmap/NAME.")
@option("--keys", multiple=True, help="The keys to take from it; all where nothing is said.")
@option("--prefix", default="", help="What to put before every name.")
@switch("--list", help="Print the environment, and change nothing.")
@switch("--resolve", help="With --list, print the values that references stand for.")
@switch("--overwrite", default=True, help="Let new values replace old ones.")
@pass_kubectl
def env(kubectl: Kubectl, /, target: Target, **options: Any) -> None:
    """Update environment variables on a pod template: env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N-."""
    resources, changes = environment.split_environment(target.selection.args)
    if options["list"] and target.printer.output:
        raise Refused("--list and --output may not be specified together")
    keys = [key for text in options["keys"] for key in text.split(",")]
    if keys and not options["from_"]:
        raise Refused("when specifying --keys, a configmap or secret must be provided with --from")
    edits = environment.read_edits((*options["env"], *changes), sys.stdin)
    variables = [*edits.variables, *_referring(kubectl, options["from_"], keys)]
    variables = environment.prefixed(variables, options["prefix"])
    pattern = options["containers"]

    def change(obj: Obj) -> Obj:
        spec = pod_template(obj)["spec"]
        if not containers.has_selected(spec, pattern):
            who = f"{obj['kind']}/{objects.name(obj)}"
            click.echo(f'Warning: {who} does not have any containers matching "{pattern}"', err=True)
        removed, overwrite = edits.removed, options["overwrite"]
        equipped = containers.with_environment(spec, variables, removed, pattern=pattern, overwrite=overwrite)
        return containers.with_pod_spec(obj, equipped)

    target = target.naming(resources)
    if options["list"]:
        found, code = target.read(kubectl)
        listed = [change(obj) for obj in found]
        _list_environment(kubectl, listed, f"--containers={pattern}", f"--resolve={str(options['resolve']).lower()}")
        complain([], code)
    else:
        words = ("env updated", "failed to patch env update to pod template: ")
        _change_each(kubectl, target, change, words)


@commands.command("resources")
@_targeting
@_containers
@option("--limits", default="", help="What a container may have at most: cpu=200m,memory=512Mi.")
@option("--requests", default="", help="What a container is to have at least: cpu=100m,memory=256Mi.")
@pass_kubectl
def resources(kubectl: Kubectl, /, target: Target, limits: str, requests: str, **options: str) -> None:
    """Update resource requests and limits on objects with pod templates."""
    if not limits and not requests:
        raise Refused("you must specify an update to requests or limits (in the form of --requests/--limits)")
    most, least = containers.amounts(limits), containers.amounts(requests)
    pattern, complaints = options["containers"], list[str]()

    def change(obj: Obj) -> Obj:
        spec = pod_template(obj)["spec"]
        if not containers.has_selected(spec, pattern):
            complaints.append(f"error: unable to find container named {pattern}")
        return containers.with_pod_spec(obj, containers.with_resources(spec, most, least, pattern=pattern))

    words = ("resource requirements updated", "failed to patch resources update to pod template ")
    _change_each(kubectl, target, change, words, complaints)


def _change_each(
    kubectl: Kubectl, target: Target, change: Change, words: tuple[str, str], complaints: Sequence[str] = ()
) -> None:
    """Change every object, and only then say what was refused, after the complaints that `change` has made."""
    found, code = target.read(kubectl)
    pairs: list[tuple[Obj, Obj]] = []
    refusals: list[str] = []
    for obj in found:
        try:
            pairs.append((obj, change(obj)))
        except Refused as refused:
            refusals.append(f"error: {plural_of(obj)}/{objects.name(obj)} {refused}")
    for before, after in pairs:
        try:
            target.write(kubectl, before, after, *words)
        except Refused as refused:
            refusals.append(str(refused))
    complain([*complaints, *refusals], code)


def _referring(kubectl: Kubectl, source: str, keys: Sequence[str]) -> list[Obj]:
    """Return variables that refer to a ConfigMap or Secret."""
    if not source:
        return []
    found, code = kubectl.read_objects(source)
    if code:
        raise Failed(code)
    variables: list[Obj] = []
    for obj in found:
        added, warnings = environment.references(obj, keys)
        variables += added
        click.echo("".join(f"{warning}\n" for warning in warnings), err=True, nl=False)
    return variables


def _list_environment(kubectl: Kubectl, objs: Sequence[Obj], *flags: str) -> None:
    """Have kubectl list the environment: it takes its own kinds from standard input, and resolves references."""
    items = [{**obj, "apiVersion": "apps/v1"} for obj in objs if pod_template(obj)]
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    command = kubectl.command("set", "env", "--local", "--list", "--filename=-", *flags)
    done = subprocess.run(command, input=document, text=True, check=False)
    if done.returncode:
        raise Failed(done.returncode)
