"""Which nodes a DaemonSet's pods belong on.

Mirrors nodeShouldRunDaemonPod in pkg/controller/daemon/daemon_controller.go, RequiredNodeAffinity in
k8s.io/component-helpers and ToleratesTaint in k8s.io/api/core/v1. A selector that cannot be meant fits no node.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from operators.core import nodes, objects
from operators.core.objects import Obj
from operators.core.selectors import Requirement

_NUMBER: Final = re.compile(r"[+-]?[0-9]+")

_DEFAULTS: Final = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_NETWORK: Final = ("node.kubernetes.io/network-unavailable", "NoSchedule")


class Verdict(NamedTuple):
    """Whether a node should get a pod, and whether one that is there may stay."""

    run: bool
    stay: bool


_NEITHER: Final = Verdict(run=False, stay=False)


class Placement:
    """The demands of one pod template, read once and asked of each node."""

    def __init__(self, template: Obj) -> None:
        spec = template.get("spec") or {}
        self._node_name: str = spec.get("nodeName", "")
        self._tolerations = tolerations(spec)
        self._labels: Mapping[str, str] = spec.get("nodeSelector") or {}
        required = (((spec.get("affinity") or {}).get("nodeAffinity")) or {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution"
        )
        self._terms: list[Obj] | None = None if required is None else required.get("nodeSelectorTerms") or []

    def on(self, node: Obj) -> Verdict:
        """Judge a node. A taint that only keeps pods from being scheduled lets one that is there stay."""
        if self._node_name and self._node_name != objects.name(node):
            return _NEITHER
        if not self._is_wanted(node):
            return _NEITHER
        hostile = {taint["effect"] for taint in nodes.taints(node) if not self._tolerates(taint)}
        return Verdict(run=hostile <= {"PreferNoSchedule"}, stay="NoExecute" not in hostile)

    def _is_wanted(self, node: Obj) -> bool:
        """Whether nodeSelector and one of the terms of the required affinity take the node."""
        labels = objects.labels(node)
        if any(labels.get(key) != value for key, value in self._labels.items()):
            return False
        return self._terms is None or any(_matches(term, node) for term in self._terms)

    def _tolerates(self, taint: Obj) -> bool:
        return any(_tolerates(toleration, taint) for toleration in self._tolerations)


def tolerations(spec: Obj) -> list[Obj]:
    """Return the tolerations of a pod made from a template's `spec`: its own, and those that every daemon needs.

    What a node's troubles and being cordoned keep other pods off is no reason for a daemon to leave.
    """
    found: list[Obj] = list(spec.get("tolerations") or ())
    for key, effect in (*_DEFAULTS, *((_NETWORK,) if spec.get("hostNetwork") else ())):
        wanted = {"key": key, "operator": "Exists", "effect": effect}
        if any(_is_same(toleration, wanted) for toleration in found):
            found = [wanted if _is_same(toleration, wanted) else toleration for toleration in found]
        else:
            found.append(wanted)
    return found


def pinned(affinity: Obj | None, node: str) -> Obj:
    """Return a pod's affinity with its required node affinity replaced by the demand to be on `node`."""
    affinity = affinity or {}
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return affinity | {"nodeAffinity": (affinity.get("nodeAffinity") or {}) | required}


def _is_same(toleration: Obj, wanted: Obj) -> bool:
    return not toleration.get("value") and all(toleration.get(field) == value for field, value in wanted.items())


def _tolerates(toleration: Obj, taint: Obj) -> bool:
    """Whether one toleration covers a taint. Comparing by Lt and Gt is behind a gate that is off."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Equal":
            return bool((toleration.get("value") or "") == (taint.get("value") or ""))
        case "Exists":
            return True
        case _:
            return False


def _matches(term: Obj, node: Obj) -> bool:
    """Whether a term takes the node; one without demands takes none."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    names = {"metadata.name": objects.name(node)}
    return _all(expressions, objects.labels(node)) and all(_is_field(field, names) for field in fields)


def _all(expressions: Iterable[Obj], labels: Mapping[str, str]) -> bool:
    return all(_is_met(expression, labels) for expression in expressions)


def _is_met(expression: Obj, labels: Mapping[str, str]) -> bool:
    """Whether the labels meet one demand."""
    key, operator = expression["key"], expression["operator"]
    values: list[str] = expression.get("values") or []
    match operator:
        case "In" | "NotIn":
            return bool(values) and Requirement(key, operator, frozenset(values)).matches(labels)
        case "Exists" | "DoesNotExist":
            return not values and Requirement(key, operator).matches(labels)
        case "Gt" | "Lt":
            have = _number(labels.get(key))
            bound = _number(values[0]) if len(values) == 1 else None
            if have is None or bound is None:
                return False
            return have > bound if operator == "Gt" else have < bound
        case _:
            return False


def _is_field(expression: Obj, fields: Mapping[str, str]) -> bool:
    """Whether a field of the node is, or is not, the one value that is named."""
    values: list[str] = expression.get("values") or []
    if len(values) != 1 or expression["operator"] not in ("In", "NotIn"):
        return False
    return bool((fields.get(expression["key"], "") == values[0]) == (expression["operator"] == "In"))


def _number(text: str | None) -> int | None:
    """Read a whole number of 64 bits."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
