"""`kopfwerk`: the embedded cluster and the operator. A command's module is imported when the command runs."""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

import click

from operators.cluster.errors import ClusterError

_COMMANDS: Final = {
    "up": ("operators.cli.up", "Start a control plane with Kopfwerk's controllers."),
    "down": ("operators.cli.clusters", "Stop a cluster."),
    "status": ("operators.cli.clusters", "Say which clusters there are and how they are."),
    "logs": ("operators.cli.clusters", "Show a component's log."),
    "node": ("operators.cli.node", "Add, stop, start and remove simulated nodes."),
    "run": ("operators.cli.run", "Run the operator alone, against any cluster."),
    "scheduler-extender": ("operators.cli.scheduler_extender", "Decide for a kube-scheduler where pods go."),
    "webhook-certificate": ("operators.cli.webhook_certificate", "Make or renew the certificate of the webhook."),
}
"""Each command's module, which has it under its name, and what the list of commands says of it."""


class _Commands(click.Group):
    """Knows its commands by name and imports one only to run it: the list of them has to appear at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a user meets them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("kopfwerk"), prog_name="kopfwerk")
def kopfwerk() -> None:
    """Kubernetes' workload controllers as an operator, and a real control plane on this machine to run them in."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line: an error that a user can act on is one message and exit code 1."""
    try:
        return kopfwerk.main(arguments, prog_name="kopfwerk")
    except (ClusterError, OSError) as error:
        click.secho("error: ", fg="red", nl=False, err=True)
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
