"""Which keys a change of a child wakes.

Mirrors the addPod/updatePod/deletePod handlers that upstream repeats in every controller: the owner before and the
owner after the change, and for an orphan each parent whose selector takes it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from operators.core import objects
from operators.core.objects import Key, Obj, Owner, Resource
from operators.core.pods import Pod
from operators.core.selectors import Selector
from operators.runtime.controller import Wake
from operators.runtime.informer import Informers

OWNER = "owner"
"""The index of children by the UID of their controller, or by `orphan(namespace)`."""
NAMESPACE = "namespace"
"""The index of objects by namespace."""

T = TypeVar("T", Obj, Pod)


def orphan(namespace: str) -> str:
    """Return the value of the owner index for objects without a controller: no UID looks like it."""
    return f"orphan/{namespace}"


def obj_indexers() -> dict[str, Callable[[Obj], Iterable[str]]]:
    """Return the indexes that every kind has."""
    return {
        OWNER: lambda obj: (_owner_value(objects.controller_of(obj), objects.key(obj)[0]),),
        NAMESPACE: lambda obj: (objects.key(obj)[0],),
    }


def pod_indexers() -> dict[str, Callable[[Pod], Iterable[str]]]:
    """Return the indexes of pods."""
    return {
        OWNER: lambda pod: (_owner_value(pod.owner, pod.namespace),),
        NAMESPACE: lambda pod: (pod.namespace,),
    }


def _owner_value(owner: Owner | None, namespace: str) -> str:
    return owner.uid if owner else orphan(namespace)
