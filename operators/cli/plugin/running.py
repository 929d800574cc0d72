"""`kubectl kopfwerk run-now …`."""

import json

import click

from operators.cli.plugin.kubectl import Failed, Kubectl
from operators.cli.plugin.options import Command, dry_run, option, pass_kubectl
from operators.core.kubectl.kinds import resource_arguments
from operators.core.kubectl.running import job_from


@click.command("run-now", cls=Command)
@click.argument("cronjob")
@option("--name", default="", help="The Job's name; one is drawn where nothing is said.")
@option("--output", "-o", default="", help="json, yaml, name, or another of kubectl's formats.")
@dry_run
@pass_kubectl
def run_now(kubectl: Kubectl, cronjob: str, name: str, output: str, dry_run: str) -> None:
    """Run a CronJob now, whatever its schedule: run-now [cronjob/]NAME.

    What `kubectl create job JOB --from=cronjob/NAME` does for a built-in one.
    """
    found, code = kubectl.read_objects(*resource_arguments([cronjob if "/" in cronjob else f"cronjob/{cronjob}"]))
    if code:
        raise Failed(code)
    job = job_from(found[0], name)
    flags = [f"--dry-run={dry_run}", *([f"--output={output}"] if output else [])]
    namespace = job["metadata"]["namespace"]
    click.echo(
        kubectl.read_text("create", "--filename=-", *flags, stdin=json.dumps(job), namespace=namespace), nl=False
    )
