"""Terms of node and pod affinity, compiled once. Mirrors component-helpers' nodeaffinity and framework.AffinityTerm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from operators.core import selectors
from operators.core.objects import Obj
from operators.core.selectors import InvalidSelectorError, Requirement, Selector
from operators.scheduler.fields import text

NOTHING: Final = Selector((Requirement("", "In", frozenset()),), ())
"""What a selector that is absent selects."""
_OPERATORS: Final = frozenset(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
"""Of a node selector."""


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One term of a node selector: all of its expressions on labels, and on the node's name, have to hold."""

    labels: tuple[Requirement, ...]
    names: tuple[Requirement, ...]
    weight: int = 0


@dataclass(frozen=True, slots=True)
class PodTerm:
    """A term of pod affinity or anti-affinity: which pods it is about, and in which topology."""

    namespaces: frozenset[str]
    namespace_selector: Selector
    selector: Selector
    topology_key: str
    weight: int = 0

    def matches(self, namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
        """Whether a pod of that namespace with those labels is one that it is about."""
        if namespace not in self.namespaces and not self.namespace_selector.matches(namespace_labels):
            return False
        return self.selector.matches(labels)


def node_terms(terms: list[Obj] | None) -> tuple[NodeTerm, ...]:
    """Compile `nodeSelectorTerms`; a term without expressions matches no node and is left out, as upstream does."""
    return tuple(_node_term(term, 0) for term in terms or () if _has_expressions(term))


def preferred_node_terms(terms: list[Obj] | None) -> tuple[NodeTerm, ...]:
    """Compile the preferred terms, but those that cannot count."""
    return tuple(
        _node_term(term["preference"], int(term["weight"]))
        for term in terms or ()
        if term.get("weight") and _has_expressions(term["preference"])
    )


def pod_terms(terms: list[Obj] | None, namespace: str) -> tuple[PodTerm, ...]:
    """Compile required terms of a pod in that namespace."""
    return tuple(_pod_term(term, namespace, 0) for term in terms or ())


def preferred_pod_terms(terms: list[Obj] | None, namespace: str) -> tuple[PodTerm, ...]:
    """Compile preferred terms of a pod in that namespace."""
    return tuple(_pod_term(term["podAffinityTerm"], namespace, int(term["weight"])) for term in terms or ())


def optional_selector(selector: Obj | None) -> Selector:
    """Compile a label selector; one that is absent selects nothing, an empty one everything."""
    return NOTHING if selector is None else selectors.parse(selector)


def number(text: str | None) -> int | None:
    """Read a label's value as Gt and Lt do: a decimal number of 64 bits, or none."""
    if text is None or not text.lstrip("+-").isascii() or not text.lstrip("+-").isdigit() or text.count("-") > 1:
        return None
    try:
        found = int(text)
    except ValueError:
        return None
    return found if -(2**63) <= found < 2**63 else None


def holds(requirement: Requirement, value: str | None) -> bool:
    """Whether a requirement of a node selector holds for a label's value; None where the node has no such label."""
    if requirement.operator in ("Gt", "Lt"):
        found, bound = number(value), number(next(iter(requirement.values), None))
        if found is None or bound is None:
            return False
        return found > bound if requirement.operator == "Gt" else found < bound
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case _:
            return value is None


def _has_expressions(term: Obj) -> bool:
    return bool(term.get("matchExpressions") or term.get("matchFields"))


def _node_term(term: Obj, weight: int) -> NodeTerm:
    return NodeTerm(_requirements(term.get("matchExpressions")), _requirements(term.get("matchFields")), weight)


def _requirements(expressions: list[Obj] | None) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(text(expression, "key"), _operator(expression), frozenset(map(str, expression.get("values") or ())))
        for expression in expressions or ()
    )


def _operator(expression: Obj) -> str:
    found = text(expression, "operator")
    if found not in _OPERATORS:
        raise InvalidSelectorError(f"{found!r} is not a valid node selector operator")
    return found


def _pod_term(term: Obj, namespace: str, weight: int) -> PodTerm:
    """Compile a term: without namespaces and namespace selector it is about the pod's own namespace."""
    named, selector = term.get("namespaces") or (), term.get("namespaceSelector")
    return PodTerm(
        namespaces=frozenset(named) if named or selector is not None else frozenset((namespace,)),
        namespace_selector=optional_selector(selector),
        selector=optional_selector(term.get("labelSelector")),
        topology_key=text(term, "topologyKey"),
        weight=weight,
    )
