"""A node as the rules see it, read once from its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from operators.core.objects import Obj
from operators.scheduler import requests
from operators.scheduler.requests import Requests

Taint: TypeAlias = tuple[str, str, str]
"""Key, value and effect."""


@dataclass(frozen=True, slots=True)
class Node:
    """What the rules ask about a node."""

    name: str
    labels: Mapping[str, str]
    unschedulable: bool
    taints: tuple[Taint, ...]
    allocatable: Requests
    images: Mapping[str, int]
    """Bytes of each image that it has, under each of the image's names."""


def parse(obj: Obj) -> Node:
    """Read a node. Raises KeyError, TypeError or InvalidQuantityError where it is malformed."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    return Node(
        name=meta["name"],
        labels=meta.get("labels") or {},
        unschedulable=bool(spec.get("unschedulable")),
        taints=tuple((t["key"], t.get("value", ""), t["effect"]) for t in spec.get("taints") or ()),
        allocatable=requests.amounts(status.get("allocatable")),
        images={
            name: image.get("sizeBytes", 0) for image in status.get("images") or () for name in image.get("names") or ()
        },
    )
