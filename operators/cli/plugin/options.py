"""kubectl's way with options, on click: how they are spelled, where they stand, and which ones every command has."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import click

from operators.cli.plugin.kubectl import Kubectl

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

TAIL = "kopfwerk.tail"
"""Where a context keeps what stood behind `--`; nothing, where there was no `--`."""

pass_kubectl = click.make_pass_decorator(Kubectl, ensure=True)

_GLOBAL_VALUES = (
    "as", "as-group", "as-uid", "as-user-extra", "cache-dir", "certificate-authority", "client-certificate",
    "client-key", "cluster", "context", "kubeconfig", "kuberc", "log-flush-frequency", "password", "profile",
    "profile-output", "proxy-url", "request-timeout", "server,s", "tls-server-name", "token", "user", "username",
    "v,v", "vmodule",
)  # fmt: skip
_GLOBAL_SWITCHES = ("disable-compression", "insecure-skip-tls-verify", "match-server-version", "warnings-as-errors")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """A Go duration: `30s`, `1h30m`, `0`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, int | float):
            return float(value)
        parts = re.findall(r"([0-9.]+)([a-z]+)", value)
        flag = param.opts[0] if param else ""
        if value != "0" and "".join(number + unit for number, unit in parts) != value:
            wrong = "missing unit in" if re.fullmatch(r"[0-9.]+", value) else "invalid"
            raise click.UsageError(
                f'invalid argument "{value}" for "{flag}" flag: time: {wrong} duration "{value}"', ctx
            )
        for unit in (unit for _, unit in parts if unit not in _UNITS):
            wrong = f'unknown unit "{unit}" in duration "{value}"'
            raise click.UsageError(f'invalid argument "{value}" for "{flag}" flag: time: {wrong}', ctx)
        return sum((float(number) * _UNITS[unit] for number, unit in parts), 0.0)


class Switch(click.Option):
    """A boolean as kubectl has them: `--watch`, `--watch=false`, `-w`, `-w=false`, and joined to others as in `-it`."""

    def __init__(self, param_decls: Sequence[str], **attributes: Any) -> None:
        attributes |= {"type": bool, "metavar": "[=true|false]"}
        super().__init__(param_decls, **attributes)


class DryRun(click.Option):
    """`--dry-run`, whose value may be left out."""

    @staticmethod
    def read(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
        """Return `none`, `client` or `server`."""
        old = {"unchanged": "client", "true": "client", "false": "none"}
        if value in old:
            click.echo(
                f"W --dry-run is deprecated in this form and can be replaced with --dry-run={old[value]}.", err=True
            )
            return old[value]
        if value not in ("none", "client", "server"):
            raise click.ClickException(f'Invalid dry-run value ({value}). Must be "none", "server", or "client".')
        return value


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a global option as kubectl's to be."""
    kubectl = ctx.find_root().ensure_object(Kubectl)
    name = param.opts[0]
    if name == "--namespace":
        kubectl.namespace = value or kubectl.namespace
    else:
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        kubectl.flags += [f"{name}={str(one).lower() if isinstance(one, bool) else one}" for one in values]


def _global_options() -> list[click.Parameter]:
    options: list[click.Parameter] = [
        click.Option(["--namespace", "-n"], expose_value=False, callback=_remember, help="The namespace to look in."),
    ]
    for names in _GLOBAL_VALUES:
        long, _, short = names.partition(",")
        spelled = [f"--{long}", *([f"-{short}"] if short else [])]
        repeated = long in ("as-group", "as-user-extra")
        options.append(click.Option(spelled, expose_value=False, callback=_remember, hidden=True, multiple=repeated))
    options += [Switch([f"--{name}"], expose_value=False, callback=_remember, hidden=True) for name in _GLOBAL_SWITCHES]
    return options


_GLOBAL_OPTIONS = _global_options()
"""Every command has the same ones, and click keeps nothing of a command in them."""


class Command(click.Command):
    """A command that reads options as kubectl does and has its global ones.

    keeps_tail: what follows `--` is no argument of the command, but is left in `ctx.meta[TAIL]`.
    """

    def __init__(self, *args: Any, keeps_tail: bool = False, **kwargs: Any) -> None:
        self.keeps_tail = keeps_tail
        kwargs["params"] = [*(kwargs.get("params") or ()), *_GLOBAL_OPTIONS]
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        kwargs.setdefault("epilog", 'Every option that "kubectl options" lists is understood too.')
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, after bringing kubectl's spellings into click's."""
        if self.keeps_tail and "--" in args:
            at = args.index("--")
            ctx.meta[TAIL], args = args[at + 1 :], args[:at]
        return super().parse_args(ctx, spelled(args, self.get_params(ctx)))


class Group(click.Group):
    """A group of commands, which takes the global options before the command's name, too."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["params"] = [*(kwargs.get("params") or ()), *_GLOBAL_OPTIONS]
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command's name."""
        known = spelled(args, self.get_params(ctx), until_word=True)
        return super().parse_args(ctx, known)


def spelled(args: Sequence[str], params: Sequence[click.Parameter], *, until_word: bool = False) -> list[str]:
    """Spell every option that is known as `--name=value`, and leave what is unknown to click to complain about.

    until_word: what follows the first argument that is no option belongs to somebody else.
    """
    options = {name: param for param in params if isinstance(param, click.Option) for name in param.opts}
    out: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--" or (until_word and not arg.startswith("-")):
            return [*out, arg, *rest]
        name, equals, value = arg.partition("=")
        if len(arg) > 1 and arg[0] == "-" and arg[1] != "-":
            name, value = arg[:2], arg[2:].removeprefix("=")
            equals = "=" if arg[2:] else ""
            if isinstance(options.get(name), Switch) and equals and arg[2] != "=":
                rest.insert(0, f"-{arg[2:]}")
                equals = ""
        option = options.get(name)
        if option is None or option.is_flag:
            out.append(arg)
            continue
        if not equals:
            if isinstance(option, Switch | DryRun):
                value = "true" if isinstance(option, Switch) else "unchanged"
            elif rest:
                value = rest.pop(0)
            else:
                raise click.UsageError(f"flag needs an argument: {name}")
        out.append(f"{option.opts[0]}={value}")
    return out


def option(*names: str, **kwargs: Any) -> Decorator:
    """Add an option with a value; its long name first."""
    return click.option(*names, **kwargs)


def switch(*names: str, **kwargs: Any) -> Decorator:
    """Add a boolean option; its long name first."""
    return click.option(*names, cls=Switch, default=kwargs.pop("default", False), **kwargs)


def field_manager(default: str) -> Decorator:
    """Add `--field-manager`."""
    return option("--field-manager", default=default, show_default=True, help="The manager that owns what is set.")


def dry_run(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--dry-run`."""
    help_text = "none, client (print what would be sent) or server (send it, but keep nothing)."
    decorate = click.option("--dry-run", cls=DryRun, default="none", callback=DryRun.read, help=help_text)
    return decorate(function)
