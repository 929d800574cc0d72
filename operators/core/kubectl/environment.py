"""The arguments of `kubectl set image` and `set env`: which of them are resources, and what the others ask for.

Mirrors k8s.io/kubectl pkg/cmd/set/env and pkg/cmd/util (GetResourcesAndPairs, ParsePairs).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from operators.core.kubectl.kinds import Refused
from operators.core.objects import Obj

_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_NAME_RULE = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
    "start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
    "'[-._a-zA-Z][-._a-zA-Z0-9]*')"
)


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to happen to the environment."""

    variables: tuple[Obj, ...] = ()
    removed: tuple[str, ...] = ()


def split_images(args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Split `deploy/web nginx=nginx:2 *=busybox` into resources and images by container name."""
    resources, pairs = _split(args, lambda arg: ("=" in arg and not arg.startswith("=")) or _is_removal(arg))
    if pairs is None:
        stray = next(arg for arg in args[len(resources) :] if not ("=" in arg or _is_removal(arg)))
        raise Refused(f"all resources must be specified before image changes: {stray}")
    invalid = [pair for pair in pairs if "=" not in pair]
    if invalid:
        raise Refused(f"invalid image format: {', '.join(invalid)}")
    return resources, dict(pair.split("=", 1) for pair in pairs)


def split_environment(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split `deploy/web A=1 B-` into resources and changes."""
    resources, changes = _split(args, lambda arg: "=" in arg[1:] or arg.endswith("-"))
    if changes is None:
        raise Refused(f"all resources must be specified before environment changes: {' '.join(args)}")
    return resources, changes


def read_edits(changes: Iterable[str], stdin: Iterable[str]) -> Edits:
    """Read `NAME=value`, `NAME-` and `-`, which stands for the lines of standard input."""
    variables: list[Obj] = []
    named: set[str] = set()
    removed: list[str] = []
    for change in changes:
        name, equals, value = change.partition("=")
        if change == "-":
            variables += _read_lines(stdin)
        elif equals:
            _check_name(name)
            named.add(name)
            variables.append({"name": name, "value": value})
        elif change.endswith("-"):
            removed.append(change[:-1])
        else:
            raise Refused(f"unknown environment variable: {change}")
    if named & set(removed):
        raise Refused("can not both modify and remove the same environment variable in the same command")
    return Edits(tuple(variables), tuple(removed))


def references(source: Obj, keys: Sequence[str]) -> tuple[list[Obj], list[str]]:
    """Return variables that refer to the keys of a ConfigMap or Secret (all, where `keys` is empty), and warnings."""
    reference = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}.get(source["kind"])
    if reference is None:
        raise Refused("unsupported resource specified in --from")
    variables: list[Obj] = []
    warnings: list[str] = []
    for key in sorted(source.get("data") or {}):
        if keys and key not in keys:
            continue
        name = re.sub(r"[^a-zA-Z0-9_]", "_", key).upper()
        if name != key:
            warnings.append(f"Warning: key {key} transferred to {name}")
        value_from = {reference: {"name": source["metadata"]["name"], "key": key}}
        variables.append({"name": name, "valueFrom": value_from})
    return variables, warnings


def prefixed(variables: Iterable[Obj], prefix: str) -> list[Obj]:
    """Return the variables with `prefix` before every name."""
    return [{**variable, "name": prefix + variable["name"]} for variable in variables]


def _split(args: Sequence[str], is_change: Callable[[str], bool]) -> tuple[list[str], list[str] | None]:
    """Split at the first change; None for the changes where a resource follows one."""
    first = next((index for index, arg in enumerate(args) if is_change(arg)), len(args))
    changes = list(args[first:])
    return list(args[:first]), changes if all(map(is_change, changes)) else None


def _is_removal(arg: str) -> bool:
    return arg.endswith("-") and arg != "-"


def _check_name(name: str) -> None:
    errors = [] if _NAME.fullmatch(name) else [_NAME_RULE]
    if name in (".", ".."):
        errors.append(f"must not be '{name}'")
    elif name.startswith(".."):
        errors.append("must not start with '..'")
    if errors:
        raise Refused(f'"{name}" is not a valid key name: {";".join(errors)}')


def _read_lines(lines: Iterable[str]) -> list[Obj]:
    """Read `NAME=value` lines; what follows a `#` and every other line mean nothing."""
    pairs = (line.rstrip("\n").partition("#")[0].partition("=") for line in lines)
    return [{"name": name, "value": value} for name, equals, value in pairs if equals]
