"""Which keys a change of a child wakes.

Mirrors the addPod/updatePod/deletePod handlers that upstream repeats in every controller: the owner before and the
owner after the change, and for an orphan each parent whose selector takes it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from operators.core import objects, selectors
from operators.core.objects import Key, Obj, Owner, Resource
from operators.core.pods import Pod
from operators.runtime.controller import Wake
from operators.runtime.informer import Informer, Informers

OWNER = "owner"
"""The index of children by the UID of their controller, or by `orphan(namespace)`."""
NAMESPACE = "namespace"
"""The index of objects by namespace."""

T = TypeVar("T", bound=Obj | Pod)


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


def owned(children: Informer[T], parent: Obj) -> list[T]:
    """Return the children that `parent` controls, by UID, and the orphans of its namespace that its selector takes."""
    selector = selectors.of(parent)
    orphans = children.by(OWNER, orphan(objects.key(parent)[0]))
    return [
        *children.by(OWNER, objects.uid(parent)),
        *(child for child in orphans if selector.matches(_metadata(child)[2])),
    ]


def controlling(parent: Resource) -> Wake:
    """Wake the parents, objects of `parent`, that a changed child belongs or belonged to."""

    def wakes(_: Informers, old: Obj | Pod | None, new: Obj | Pod | None) -> Iterator[Key]:
        for child in (old, new):
            if child is None:
                continue
            namespace, owner, _labels = _metadata(child)
            if owner is not None and owner.kind == parent.kind and owner.group == parent.group:
                yield namespace, owner.name

    return wakes


def owners(parent: Resource) -> Wake:
    """Wake the parents, objects of `parent`, that a changed child belongs, belonged or may now belong to."""
    certain = controlling(parent)

    def wakes(informers: Informers, old: Obj | Pod | None, new: Obj | Pod | None) -> Iterator[Key]:
        yield from certain(informers, old, new)
        last = new or old
        if last is None:
            return
        namespace, owner, labels = _metadata(last)
        changed = old is None or new is None or _metadata(old)[1:] != (owner, labels)
        if owner is None and changed:  # one that is gone may have been adopted without the cache ever showing it
            for candidate in informers[parent].by(NAMESPACE, namespace):
                if _takes(candidate, labels):
                    yield objects.key(candidate)

    return wakes


def _takes(parent: Obj, labels: Mapping[str, str]) -> bool:
    """Whether a parent's selector takes the labels; one without a selector that can be read takes nothing."""
    try:
        selector = selectors.of(parent)
    except (selectors.InvalidSelectorError, AttributeError, KeyError, TypeError):
        return False  # its own sync says what is wrong with it
    return not selector.is_empty and selector.matches(labels)


def _metadata(child: Obj | Pod) -> tuple[str, Owner | None, Mapping[str, str]]:
    if isinstance(child, Pod):
        return child.namespace, child.owner, child.labels
    return objects.key(child)[0], objects.controller_of(child), objects.labels(child)
