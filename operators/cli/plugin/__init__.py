"""`kubectl kopfwerk …`: what stock kubectl can do with built-in workloads alone, for the custom resources.

What decides is in operators.core.kubectl; whatever needs a server is done by the machine's kubectl.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click


def main() -> None:
    """Run the plugin. Errors are told in kubectl's way, and end with exit code 1 or that of the kubectl that failed."""
    import click  # noqa: PLC0415 - importing this package alone, as tools do, is to cost nothing

    from operators.cli.plugin.commands import commands  # noqa: PLC0415
    from operators.cli.plugin.kubectl import Failed, Kubectl  # noqa: PLC0415
    from operators.core.kubectl.kinds import Refused  # noqa: PLC0415

    try:
        commands.main(prog_name="kubectl kopfwerk", standalone_mode=False, obj=Kubectl())
    except Failed as failed:
        sys.exit(failed.code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.UsageError as error:
        sys.exit(f"error: {_usage_words(error)}")
    except (click.ClickException, Refused) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        sys.exit(message if message.startswith("error: ") else f"error: {message}")
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


def _usage_words(error: "click.UsageError") -> str:
    """Say in kubectl's words what was wrong with the command line."""
    import click  # noqa: PLC0415

    where = error.ctx.command_path if error.ctx else "kubectl kopfwerk"
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f"unknown command \"{error.command_name}\"\nSee '{where} -h' for help and examples"
    message = str(error.message)
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        message = f"unknown flag: {name}" if name[:2] == "--" else f"unknown shorthand flag: '{name[1:2]}' in {name}"
    elif isinstance(error, click.BadParameter) and error.param:
        message = f'invalid argument for "{error.param.opts[0]}" flag: {message}'
    return f"{message}\nSee '{where} --help' for usage."
