"""Which children are a parent's: those to keep, to adopt and to let go.

Mirrors BaseControllerRefManager in pkg/controller/controller_ref_manager.go: only orphans that the selector takes are
adopted, only children whose labels left the selector are released, and what another controller owns is never touched.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from operators.core import objects
from operators.core.objects import Obj, Owner, Resource
from operators.core.plan import Batch, Patch, Target
from operators.core.pods import Pod
from operators.core.selectors import Selector

C = TypeVar("C", Obj, Pod)


@dataclass(frozen=True, slots=True)
class Claim(Generic[C]):
    """owned: what is the parent's, once `adopt` is done. adopt is a part of it; release is not."""

    owned: tuple[C, ...]
    adopt: tuple[C, ...]
    release: tuple[C, ...]


class _Meta(NamedTuple):
    """What ownership asks of a child, be it a pod or an object."""

    target: tuple[str, str, str]
    version: str
    labels: Mapping[str, str]
    owner: Owner | None
    references: Sequence[Obj]
    terminating: bool


def _meta(child: Obj | Pod) -> _Meta:
    if isinstance(child, Pod):
        target = (child.namespace, child.name, child.uid)
        return _Meta(
            target, child.resource_version, child.labels, child.owner, child.owner_references, child.terminating
        )
    target = (*objects.key(child), objects.uid(child))
    return _Meta(
        target,
        child["metadata"]["resourceVersion"],
        objects.labels(child),
        objects.controller_of(child),
        objects.owner_references(child),
        objects.is_terminating(child),
    )


def claim(
    parent: Obj, selector: Selector, children: Iterable[C], is_member: Callable[[C], bool] = lambda _: True
) -> Claim[C]:
    """Sort the children. A parent that is being deleted adopts and releases nothing; nor is a child that is.

    is_member says what else than its labels makes a child the parent's, for kinds that have such a thing.
    """
    uid, going = objects.uid(parent), objects.is_terminating(parent)
    owned: list[C] = []
    adopt: list[C] = []
    release: list[C] = []
    for child in children:
        meta = _meta(child)
        if meta.owner is not None:
            if meta.owner.uid != uid:
                continue
            if selector.matches(meta.labels) and is_member(child):
                owned.append(child)
            elif not going:
                release.append(child)
        elif not going and not meta.terminating and selector.matches(meta.labels) and is_member(child):
            owned.append(child)
            adopt.append(child)
    return Claim(tuple(owned), tuple(adopt), tuple(release))


def batches(claim: Claim[C], resource: Resource, parent: Obj) -> Iterator[Batch]:
    """Return the writes that a claim asks for: release first, then adopt, the latter only while the parent lives.

    Each replaces the child's ownerReferences as a whole, so it carries the resourceVersion that they were read at.
    """
    uid = objects.uid(parent)
    if claim.release:
        yield Batch(tuple(_release(resource, child, uid) for child in claim.release))
    if claim.adopt:
        reference = objects.controller_reference(parent)
        yield Batch(tuple(_adopt(resource, child, reference) for child in claim.adopt), live_owner=True)


def _adopt(resource: Resource, child: Obj | Pod, reference: Obj) -> Patch:
    meta = _meta(child)
    references = [*(ref for ref in meta.references if ref["uid"] != reference["uid"]), reference]
    return _patch(resource, meta, references)


def _release(resource: Resource, child: Obj | Pod, uid: str) -> Patch:
    meta = _meta(child)
    references = [ref for ref in meta.references if ref["uid"] != uid]
    return _patch(resource, meta, references or None, frozenset({404, 422}))


def _patch(
    resource: Resource, meta: _Meta, references: list[Obj] | None, ignore: frozenset[int] = frozenset()
) -> Patch:
    body = {"metadata": {"ownerReferences": references}}
    return Patch(Target(resource, *meta.target), body, meta.version, ignore=ignore)
