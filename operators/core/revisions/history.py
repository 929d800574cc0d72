"""The history of a template: its ControllerRevisions, oldest first, and the writes that make, renumber and forget them.

A revision is an object of apps/v1 whatever the API group of its owner: there is no kind of ours for it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import orjson

from operators.core import objects
from operators.core.objects import Obj, Resource
from operators.core.plan import Create, Delete, Patch, Target
from operators.core.revisions.defaults import with_defaults
from operators.core.revisions.patch import patch_bytes
from operators.core.semantic import same_template

CONTROLLERREVISIONS: Final = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")

HASH_LABEL: Final = "controller.kubernetes.io/hash"
"""The label by which a StatefulSet's revision says its hash."""

_LONGEST_PREFIX: Final = 223


def number(revision: Obj) -> int:
    """Return the number of a revision, which grows with each change of the template and each return to an old one."""
    return int(revision["revision"])


def sort(revisions: Iterable[Obj]) -> list[Obj]:
    """Return the revisions oldest first: by number, then by age, then by name."""
    return sorted(revisions, key=_order)


def _order(revision: Obj) -> tuple[int, str, str]:
    return number(revision), revision["metadata"].get("creationTimestamp", ""), objects.name(revision)


def next_number(history: Iterable[Obj]) -> int:
    """Return the number that the next revision gets: one more than any has, 1 for the first."""
    return max((number(revision) for revision in history), default=0) + 1


def template_of(revision: Obj) -> Obj:
    """Return the pod template that a revision holds, empty where somebody put anything else into it."""
    template: Obj = ((revision.get("data") or {}).get("spec") or {}).get("template") or {}
    return {field: value for field, value in template.items() if field != "$patch"}


def equal(revision: Obj, template: Obj) -> bool:
    """Whether a revision holds this template: the same, or one that means the same once every default is filled in."""
    held = template_of(revision)
    return held == template or same_template(with_defaults(held), with_defaults(template))


def collided(owner: Obj, holder: Obj) -> Obj | None:
    """Return the status of an owner whose new revision found its name taken by `holder`: one collision more.

    None where the holder is that revision, and only the cache has yet to show it.
    """
    controller = objects.controller_of(holder)
    is_ours = controller is not None and controller.uid == objects.uid(owner)
    if is_ours and equal(holder, owner["spec"]["template"]):
        return None
    before: Obj = owner.get("status") or {}
    return before | {"collisionCount": before.get("collisionCount", 0) + 1}


def find(history: Sequence[Obj], template: Obj) -> Obj | None:
    """Return the newest revision that holds this template. `history` is sorted."""
    return next((revision for revision in reversed(history) if equal(revision, template)), None)


def create(parent: Obj, *, number: int, digest: str, label: str = HASH_LABEL) -> Create:
    """Return the write that records the parent's present template.

    digest is the hash in its name (`revision_hash`, or what else the kind takes), which is also the value of `label`.
    The name being taken by another revision is a collision: then the digest has to be made anew, with a higher count.
    """
    template = parent["spec"]["template"]
    meta = template.get("metadata") or {}
    body: Obj = {
        "apiVersion": CONTROLLERREVISIONS.api_version,
        "kind": CONTROLLERREVISIONS.kind,
        "metadata": {
            "name": f"{objects.name(parent)[:_LONGEST_PREFIX]}-{digest}",
            "namespace": objects.key(parent)[0],
            "labels": {**(meta.get("labels") or {}), label: digest},
            "annotations": dict(objects.annotations(parent)),
            "ownerReferences": [objects.controller_reference(parent)],
        },
        "data": orjson.Fragment(patch_bytes(template)),
        "revision": number,
    }
    return Create(CONTROLLERREVISIONS, body)


def renumber(revision: Obj, to: int) -> Patch:
    """Return the write that makes an old revision the newest, since its template is back."""
    target = Target.of(CONTROLLERREVISIONS, revision)
    return Patch(target, {"revision": to}, revision["metadata"]["resourceVersion"])


def surplus(history: Sequence[Obj], live: Collection[str], limit: int) -> tuple[Delete, ...]:
    """Return the deletions of the oldest revisions beyond `limit`. `history` is sorted.

    Those named in `live` are in use: they stay, and do not count. A negative limit keeps all.
    """
    past = [revision for revision in history if objects.name(revision) not in live]
    if limit < 0 or len(past) <= limit:
        return ()
    return tuple(Delete(Target.of(CONTROLLERREVISIONS, revision)) for revision in past[: len(past) - limit])
