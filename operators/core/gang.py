"""Pods that are placed together or not at all: what says of a pod that it is one of them.

A label names the group, and an annotation how many of its pods have to be placed for any to be. The scheduler reads
both; the controllers write them for the kinds that ask for it by `spec.scheduling.schedulingPolicy.gang`, which is
upstream's field of a Job. docs/scheduler.md, "Gangs".
"""

from typing import Final

from operators.core import objects
from operators.core.objects import KOPFWERK, Obj

POD_GROUP: Final = "kopfwerk.dev/pod-group"
"""The label with the group's name, in the pod's namespace."""
MIN_COUNT: Final = "kopfwerk.dev/pod-group-min-count"
"""The annotation with how many pods of the group have to be placed for any to be."""
TIMEOUT: Final = "kopfwerk.dev/pod-group-timeout-seconds"
"""The annotation with for how many seconds room is held for pods of the group that do not come."""

_LONGEST = 63 - len("-01234567")


def policy(obj: Obj) -> Obj | None:
    """Return what a Job or StatefulSet says about its gang, None where its pods are placed one by one.

    Only of ours: the same field of a built-in Job is for kube-scheduler's own gangs, and behind a gate.
    """
    if not obj["apiVersion"].startswith(KOPFWERK):
        return None
    gang: Obj | None = ((obj["spec"].get("scheduling") or {}).get("schedulingPolicy") or {}).get("gang")
    return gang


def group_of(obj: Obj) -> str:
    """Return the name of the group of an object's pods: no other object's, not even a later one's of the same name."""
    return f"{objects.name(obj)[:_LONGEST]}-{objects.uid(obj)[:8]}"


def min_count(obj: Obj, wanted: int) -> int | None:
    """Return how many pods have to be placed together of `wanted` that there shall be, None where they need not be."""
    gang = policy(obj)
    return None if gang is None else min(int(gang.get("minCount") or wanted), wanted)


def marked(body: Obj, obj: Obj, wanted: int) -> Obj:
    """Return a new pod's body, marked as one of the group of `obj` where that asks for it."""
    count = min_count(obj, wanted)
    if count is None:
        return body
    meta = body["metadata"]
    labels = {**meta.get("labels", {}), POD_GROUP: group_of(obj)}
    annotations = {**meta.get("annotations", {}), MIN_COUNT: str(count)}
    return body | {"metadata": meta | {"labels": labels, "annotations": annotations}}
