"""Holds what the operator asks of the world against the rights that are declared: none is missing, none is idle."""

from collections.abc import Iterable

from operators.controllers import controllers
from operators.core.objects import Resource
from operators.runtime.access import cluster_rules
from tests.support.audit import Right, allowed

ASKED: set[Right] = set()
"""What any operator of this process has sent requests for."""

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def note(method: str, resource: Resource, name: str, subresource: str) -> None:
    """Note a request, in RBAC's words."""
    verb = _VERBS.get(method) or ("get" if name else "list")
    ASKED.add(Right(resource.group, f"{resource.plural}/{subresource}".rstrip("/"), verb))


def note_watch(resource: Resource) -> None:
    """Note a watch."""
    ASKED.add(Right(resource.group, resource.plural, "watch"))


def check(*names: str, unasked: Iterable[tuple[str, str, str]] = ()) -> None:
    """Check that the named controllers, which have just been through everything, used all their rights and no others.

    unasked: rights that they need without a request for them, or that it takes a rarer accident to use.

    Left out: events, which are sent behind a controller's back; `finalizers`, of which an apiserver asks where it wants
    to know who may block a deletion, but nobody sends a request.
    """
    declared = [controller for controller in controllers(native=False) if controller.name in names]
    assert len(declared) == len(names)
    rights = {right for right in allowed(cluster_rules(declared)) if not _is_elsewhere(right)}
    missing = ASKED - allowed(cluster_rules(controllers(native=False)))
    assert not missing, f"not declared: {missing}"
    idle = rights - ASKED - set(unasked)
    assert not idle, f"never used: {idle}"


def _is_elsewhere(right: Right) -> bool:
    return right.resource == "events" or right.resource.endswith("/finalizers")
