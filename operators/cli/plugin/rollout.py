"""`kubectl kopfwerk rollout …`."""

import contextlib
import sys
from collections.abc import Callable
from datetime import datetime

import click

from operators.cli.plugin.kubectl import Failed, Kubectl, TimedOut, time_limit
from operators.cli.plugin.options import Duration, Group, dry_run, field_manager, option, pass_kubectl, switch
from operators.cli.plugin.resources import DRY_RUN, Printer, Selection, each, printing, selecting
from operators.core import objects
from operators.core.kubectl import choice, history, rollout, status
from operators.core.kubectl.kinds import Refused, group_of, plural_of
from operators.core.objects import Obj
from operators.core.revisions import CONTROLLERREVISIONS

LONGEST_PAUSE = 30
"""Seconds between two attempts to watch, at most."""


@click.group("rollout", cls=Group)
def commands() -> None:
    """Manage the rollout of one or many resources."""


@commands.command("status")
@selecting
@switch("--watch", "-w", default=True, help="Wait until the rollout is over.")
@option("--timeout", type=Duration(), default=0, help="How long to wait (1s, 2m, 3h); 0 is without end.")
@option("--revision", type=int, default=0, help="Fail where another revision than this one is rolled out.")
@pass_kubectl
def show_status(kubectl: Kubectl, selection: Selection, *, watch: bool, timeout: float, revision: int) -> None:
    """Show the status of the rollout, and wait for its end."""
    selection.check()
    _check_revision(revision)
    found, code = selection.read(kubectl)
    if not found and not code:
        _nothing_found(kubectl)

    def follow(obj: Obj) -> None:
        if not watch:
            click.echo(status.progress(obj, revision).message)
            return
        status.progress({**obj, "status": {}}, 0)  # a kind without rollouts is refused before the wait
        try:
            with time_limit(timeout):
                _follow(kubectl, obj, revision)
        except TimedOut:
            raise Refused("timed out waiting for the condition") from None

    each(found, code, follow)


@commands.command("history")
@selecting
@option("--revision", type=int, default=0, help="Show this revision in detail, with its pod template.")
@printing
@pass_kubectl
def show_history(kubectl: Kubectl, selection: Selection, printer: Printer, revision: int) -> None:
    """View previous rollout revisions and configurations."""
    selection.check()
    _check_revision(revision)

    def show(obj: Obj) -> None:
        history.check_history(obj)
        kept = _revisions(kubectl, obj)
        if not printer.output:
            _print_as_stock(["rollout", "history", f"--revision={revision}"], obj, kept)
            return
        by_revision = history.revisions(kept)
        if revision and revision not in by_revision:
            raise Refused("unable to find the specified revision")
        printer.show(kubectl, [by_revision[revision]] if revision else list(by_revision.values()), "")

    each(*selection.read(kubectl), show)


@commands.command("undo")
@selecting
@option("--to-revision", type=int, default=0, help="The revision to return to; 0 is the last but one.")
@dry_run
@printing
@pass_kubectl
def undo(kubectl: Kubectl, selection: Selection, printer: Printer, to_revision: int, dry_run: str) -> None:
    """Roll back to a previous rollout."""
    selection.check()

    def roll_back(obj: Obj) -> None:
        _warn_of_apply(obj)
        history.check_rollback(obj)
        kept = _revisions(kubectl, obj)
        target = history.rollback_target(obj, kept, to_revision)
        if dry_run == "client" and not printer.output:
            command = ["rollout", "undo", f"--to-revision={to_revision}", "--dry-run=client"]
            _print_as_stock(command, _without_apply(obj), kept)
            return
        patch = None if dry_run == "client" else history.rollback_patch(obj, target)
        said = "rolled back"
        if patch is None:
            said = f"skipped rollback (current template already matches revision {to_revision})"
        else:
            refusal = f"failed restoring revision {to_revision}: "
            kubectl.patch(obj, patch, f"--dry-run={dry_run}", output="name", refusal=refusal)
        printer.show(kubectl, [obj], said + DRY_RUN[dry_run])

    each(*selection.read(kubectl), roll_back)


def _patching(name: str, rule: Callable[[Obj], Obj], said: str, text: str) -> None:
    """Add a command that patches every resource as `rule` says."""

    @commands.command(name, help=text)
    @selecting
    @field_manager("kubectl-rollout")
    @printing
    @pass_kubectl
    def patch(kubectl: Kubectl, selection: Selection, printer: Printer, field_manager: str) -> None:
        selection.check()
        found, code = selection.read(kubectl)
        if not found and not code:
            _nothing_found(kubectl)
        flags = (f"--field-manager={field_manager}",)
        refusal = "failed to patch: "
        each(found, code, lambda obj: printer.patch(kubectl, obj, rule(obj), *flags, said=said, refusal=refusal))


def _restart(obj: Obj) -> Obj:
    return rollout.restart(obj, datetime.now().astimezone().isoformat(timespec="seconds").replace("+00:00", "Z"))


_patching("pause", rollout.pause, "paused", "Mark the provided resource as paused.")
_patching("resume", rollout.resume, "resumed", "Resume a paused resource.")
_patching("restart", _restart, "restarted", "Restart a resource: every pod is replaced.")


def _follow(kubectl: Kubectl, obj: Obj, revision: int) -> None:
    """Print every step of a rollout until it is done, over as many watches as that takes."""
    seen, pause_s = False, 1
    while True:
        with (
            contextlib.suppress(Failed) if seen else contextlib.nullcontext(),
            kubectl.watching_one(obj) as events,
        ):
            for kind, latest in events:
                seen, pause_s = True, 1
                if kind == "DELETED" or latest["metadata"]["uid"] != objects.uid(obj):
                    raise Refused("object has been deleted")
                step = status.progress(latest, revision)
                click.echo(step.message)
                if step.done:
                    return
        _wait(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE)


def _wait(seconds: float) -> None:
    """Let a server that has closed a watch, or cannot be reached, have some time."""
    import time  # noqa: PLC0415 - hardly ever needed, and starting up is to be quick

    time.sleep(seconds)


def _revisions(kubectl: Kubectl, obj: Obj) -> list[Obj]:
    """Return what a workload keeps its templates in and controls, oldest first."""
    plural = history.REVISIONED[obj["kind"]]
    group = CONTROLLERREVISIONS.group if plural == CONTROLLERREVISIONS.plural else group_of(obj)
    selector = choice.selector_text(obj["spec"]["selector"])
    found = kubectl.list_objects(f"{plural}.{group}", selector, obj["metadata"]["namespace"])
    return history.controlled_by(obj, found)


def _print_as_stock(args: list[str], obj: Obj, kept: list[Obj]) -> None:
    from operators.cli.plugin import lookalike  # noqa: PLC0415 - a server is rarely needed, and slow to import

    done = lookalike.stock(args, obj, kept)
    click.echo(done.stdout, nl=False)
    if done.returncode:
        raise Refused(done.stderr.strip())
    sys.stderr.write(done.stderr)


def _warn_of_apply(obj: Obj) -> None:
    if history.LAST_APPLIED in objects.annotations(obj):
        click.echo(
            f"Warning: resource {plural_of(obj)}/{objects.name(obj)} was previously managed with 'kubectl apply'. "
            f"Rolling back will not update the {history.LAST_APPLIED} annotation, which may cause unexpected behavior "
            "on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration "
            "file instead.",
            err=True,
        )


def _without_apply(obj: Obj) -> Obj:
    """Return the object less the annotation that has been warned of already."""
    kept = {key: value for key, value in objects.annotations(obj).items() if key != history.LAST_APPLIED}
    return {**obj, "metadata": {**obj["metadata"], "annotations": kept}}


def _check_revision(revision: int) -> None:
    if revision < 0:
        raise Refused(f"revision must be a positive integer: {revision}")


def _nothing_found(kubectl: Kubectl) -> None:
    click.echo(f"No resources found in {kubectl.current_namespace()} namespace.", err=True)
