"""Label selectors, compiled once and asked often. Mirrors metav1.LabelSelectorAsSelector and labels.Selector."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import orjson

from operators.core.objects import Obj


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. `In` with one value is what matchLabels means."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet it."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case _:
                return value is None

    def __str__(self) -> str:
        values = sorted(self.values)
        match self.operator:
            case "In":
                return f"{self.key}={values[0]}" if len(values) == 1 else f"{self.key} in ({','.join(values)})"
            case "NotIn":
                return f"{self.key} notin ({','.join(values)})"
            case "Exists":
                return self.key
            case _:
                return f"!{self.key}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All of its requirements have to be met. One without any matches everything."""

    requirements: tuple[Requirement, ...]
    equal: tuple[tuple[str, str], ...]
    """The labels that have to have one value, which most selectors consist of."""

    @property
    def is_empty(self) -> bool:
        """Whether it selects everything."""
        return not self.requirements

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        for key, value in self.equal:
            if labels.get(key) != value:
                return False
        if len(self.equal) == len(self.requirements):
            return True
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


class InvalidSelectorError(ValueError):
    """A selector that says nothing that can be meant."""


def parse(selector: Obj) -> Selector:
    """Compile a metav1.LabelSelector. Raises InvalidSelectorError."""
    return _parse(orjson.dumps(selector, option=orjson.OPT_SORT_KEYS))


def of(parent: Obj) -> Selector:
    """Compile the `spec.selector` of a workload. Raises InvalidSelectorError."""
    return parse(parent["spec"].get("selector") or {})


@lru_cache(maxsize=16384)
def _parse(text: bytes) -> Selector:
    selector = orjson.loads(text)
    requirements = [Requirement(k, "In", frozenset((v,))) for k, v in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        operator, values = expression["operator"], frozenset(expression.get("values") or ())
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise InvalidSelectorError(f"{operator!r} is not a valid label selector operator")
        if (operator in ("In", "NotIn")) != bool(values):
            raise InvalidSelectorError(f"operator {operator} of key {expression['key']!r}: wrong number of values")
        requirements.append(Requirement(expression["key"], operator, values))
    requirements.sort(key=lambda requirement: (requirement.key, requirement.operator, sorted(requirement.values)))
    equal = tuple((r.key, next(iter(r.values))) for r in requirements if r.operator == "In" and len(r.values) == 1)
    return Selector(tuple(requirements), equal)
