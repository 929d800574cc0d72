"""Whether two pod templates mean the same.

Mirrors apimachinery's equality.Semantic on JSON: missing, null and an empty list are the same, quantities are compared
by value, and an empty map is as good as none, as is a zero where the Go type has no pointer. An empty struct is not:
`emptyDir: {}` says more than its absence.
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from operators.core.objects import Obj

HASH_LABEL = "pod-template-hash"

_MAPS = frozenset(
    (
        "annotations",
        "labels",
        "limits",
        "matchLabels",
        "nodeSelector",
        "options",
        "overhead",
        "requests",
        "volumeAttributes",
    )
)
"""The fields that are maps in the Go types, and so may be empty without meaning anything."""
_QUANTITIES = frozenset(("limits", "requests", "overhead"))
"""The maps whose values are quantities."""
_ZEROS = frozenset(
    (
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "hostname",
        "initialDelaySeconds",
        "nodeName",
        "priorityClassName",
        "readOnly",
        "serviceAccountName",
        "stdin",
        "stdinOnce",
        "subPath",
        "subPathExpr",
        "subdomain",
        "tty",
        "value",
        "workingDir",
    )
)
"""Fields that are no pointers in the Go types, so that false, 0 and an empty text are as good as none."""
_QUANTITY_FIELDS = frozenset(("sizeLimit", "divisor"))
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def same_template(first: Obj, second: Obj) -> bool:
    """Whether two pod templates are equal but for the hash label (EqualIgnoreHash)."""
    if first.get("spec") == second.get("spec"):
        return _same(_without_hash(first).get("metadata"), _without_hash(second).get("metadata"), "metadata")
    return _same(_without_hash(first), _without_hash(second), "template")


def _without_hash(template: Obj) -> Obj:
    meta = template.get("metadata") or {}
    labels = meta.get("labels") or {}
    if HASH_LABEL not in labels:
        return template
    return template | {"metadata": meta | {"labels": {k: v for k, v in labels.items() if k != HASH_LABEL}}}


def _same(first: Any, second: Any, name: str) -> bool:
    if first == second:
        return True
    if _is_nothing(first, name) or _is_nothing(second, name):
        return _is_nothing(first, name) and _is_nothing(second, name)
    if isinstance(first, dict) and isinstance(second, dict):
        if name in _QUANTITIES:
            return first.keys() == second.keys() and all(_same_quantity(first[k], second[k]) for k in first)
        if name in _MAPS:
            return False  # its keys are no names of fields
        return all(_same(first.get(key), second.get(key), key) for key in first.keys() | second.keys())
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(_same(a, b, "") for a, b in zip(first, second, strict=True))
    return name in _QUANTITY_FIELDS and _same_quantity(first, second)


def _is_nothing(value: Any, name: str) -> bool:
    return value is None or value == [] or (value == {} and name in _MAPS) or (not value and name in _ZEROS)


def _same_quantity(first: Any, second: Any) -> bool:
    return quantity(str(first)) == quantity(str(second))


@lru_cache(maxsize=4096)
def quantity(text: str) -> Decimal | str:
    """Return the value of a quantity; what is none, as it is."""
    for suffix in (text[-2:], text[-1:]):
        if suffix in _SUFFIXES:
            number, factor = text.removesuffix(suffix), _SUFFIXES[suffix]
            break
    else:
        number, factor = text, Decimal(1)
    try:
        return Decimal(number) * factor
    except InvalidOperation:
        return text
