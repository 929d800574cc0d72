"""Containers of a pod template changed as `kubectl set image|env|resources` does, and the JSON patch that says so.

Mirrors k8s.io/kubectl pkg/cmd/set. Every function returns a new pod spec and leaves the old one as it is.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from operators.core.kubectl.kinds import Refused, kind_of, pod_template
from operators.core.objects import Obj

LISTS = ("containers", "initContainers")
"""Where containers are, in the order in which kubectl visits them."""

Change: TypeAlias = Callable[[Obj], Obj]
"""From a pod spec to the one wanted; the same where nothing is to change."""

_QUANTITY = re.compile(r"([+-]?[0-9]+\.?[0-9]*|[+-]?\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
_DECIMAL_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_POWERS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def is_selected(container: Obj, pattern: str) -> bool:
    """Whether a container's name fits a pattern in which `*` stands for any characters."""
    return fnmatch.fnmatchcase(container["name"], pattern.replace("[", "[[]").replace("?", "[?]"))


def with_images(spec: Obj, images: Mapping[str, str]) -> tuple[Obj, list[str]]:
    """Return `spec` with the images set by container name (`*` is every container), and the names nobody has."""
    named = {container["name"] for _, _, container in _containers(spec)}
    missing = [name for name in images if name != "*" and name not in named]

    def imaged(container: Obj) -> Obj:
        image = images.get(container["name"], images.get("*"))
        return container if image is None else {**container, "image": image}

    return _mapped(spec, imaged), missing


def with_environment(
    spec: Obj, env: Sequence[Obj], removed: Sequence[str], *, pattern: str = "*", overwrite: bool = True
) -> Obj:
    """Return `spec` with variables set and removed in the containers that fit `pattern`; removal wins over setting."""

    def equipped(container: Obj) -> Obj:
        if not is_selected(container, pattern):
            return container
        existing = container.get("env") or []
        if not overwrite:
            _refuse_overwriting(existing, env)
        merged = _merged_environment(existing, env, removed)
        return {**container, "env": merged} if merged or "env" in container else container

    return _mapped(spec, equipped)


def with_resources(spec: Obj, limits: Mapping[str, str], requests: Mapping[str, str], *, pattern: str = "*") -> Obj:
    """Return `spec` with amounts set in the containers that fit `pattern`; an equal amount keeps its spelling."""

    def provided(container: Obj) -> Obj:
        if not is_selected(container, pattern):
            return container
        resources = dict(container.get("resources") or {})
        for field, wanted in (("limits", limits), ("requests", requests)):
            if wanted:
                resources[field] = _merged_amounts(resources.get(field) or {}, wanted)
        return {**container, "resources": resources}

    return _mapped(spec, provided)


def has_selected(spec: Obj, pattern: str) -> bool:
    """Whether any container's name fits `pattern`."""
    return any(is_selected(container, pattern) for _, _, container in _containers(spec))


def amounts(text: str) -> dict[str, str]:
    """Read `cpu=200m,memory=1Gi`."""
    found: dict[str, str] = {}
    for statement in text.split(",") if text else ():
        parts = statement.split("=")
        if len(parts) != 2:
            raise Refused(f"invalid argument syntax {statement}, expected <resource>=<value>")
        quantity(parts[1])
        found[parts[0]] = parts[1]
    return found


def quantity(text: str) -> Decimal:
    """Return the number that a resource.Quantity stands for: `0.5` and `500m` are the same."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise Refused(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY_POWERS:
        return number * Decimal(2) ** _BINARY_POWERS[suffix]
    return number.scaleb(_DECIMAL_POWERS[suffix] if suffix in _DECIMAL_POWERS else int(suffix[1:] or 0))


def with_pod_spec(obj: Obj, spec: Obj) -> Obj:
    """Return a workload whose template has this pod spec."""
    kind = kind_of(obj)
    return _replaced(obj, (*kind.template, "spec"), spec) if kind else obj


def patch(before: Obj, after: Obj) -> list[Obj]:
    """Return the JSON patch from one version of a workload to the other, which differ in their containers alone.

    It says field by field what is new, and first makes sure that the container in that place is still the same one
    and that a list or a map is still as it was: so no concurrent change is lost.
    """
    kind = kind_of(before)
    path = "/" + "/".join((*kind.template, "spec")) if kind else ""
    steps: list[Obj] = []
    pairs = zip(_containers(pod_template(before)["spec"]), _containers(pod_template(after)["spec"]), strict=True)
    for (field, index, old), (_, _, new) in pairs:
        if old == new:
            continue
        place = f"{path}/{field}/{index}"
        steps.append({"op": "test", "path": f"{place}/name", "value": old["name"]})
        for key in sorted(key for key in new if new[key] != old.get(key)):
            if isinstance(old.get(key), list | dict):
                steps.append({"op": "test", "path": f"{place}/{key}", "value": old[key]})
            steps.append({"op": "add", "path": f"{place}/{key}", "value": new[key]})
    return steps


def _containers(spec: Obj) -> Iterator[tuple[str, int, Obj]]:
    for field in LISTS:
        for index, container in enumerate(spec.get(field) or ()):
            yield field, index, container


def _mapped(spec: Obj, change: Change) -> Obj:
    return spec | {field: [change(container) for container in spec[field]] for field in LISTS if spec.get(field)}


def _replaced(obj: Obj, path: Sequence[str], value: Obj) -> Obj:
    if not path:
        return value
    return {**obj, path[0]: _replaced(obj[path[0]], path[1:], value)}


def _merged_environment(existing: Sequence[Obj], env: Sequence[Obj], removed: Sequence[str]) -> list[Obj]:
    """Keep the order: a new value takes the place of the first old one of its name, other variables go to the end."""
    values: dict[str, Obj] = {}
    for variable in env:
        values.setdefault(variable["name"], variable)
    covered = set(removed)
    merged: list[Obj] = []
    for variable in existing:
        name = variable["name"]
        if name not in covered:
            merged.append(values.get(name, variable))
            if name in values:
                covered.add(name)
    return merged + [variable for name, variable in values.items() if name not in covered]


def _refuse_overwriting(existing: Sequence[Obj], env: Sequence[Obj]) -> None:
    current = {variable["name"]: variable.get("value", "") for variable in reversed(existing)}
    for variable in env:
        name = variable["name"]
        if name in current and current[name] != variable.get("value", ""):
            raise Refused(f"'{name}' already has a value ({current[name]}), and --overwrite is false")


def _merged_amounts(old: Mapping[str, str | float], wanted: Mapping[str, str]) -> dict[str, str | float]:
    same = {key for key in wanted if key in old and quantity(str(old[key])) == quantity(wanted[key])}
    return dict(old) | {key: value for key, value in wanted.items() if key not in same}
