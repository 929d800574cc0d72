"""Pods that are placed together or not at all: what says of a pod that it is one of them.

Labels name the group, and how many of its pods have to be placed for any to be. The scheduler reads them; the
controllers write them for the kinds that ask for it by `spec.scheduling.schedulingPolicy.gang`, which is upstream's
field of a Job. docs/scheduler.md, "Gangs".
"""

from collections.abc import Iterable
from typing import Final

from operators.core import objects
from operators.core.objects import KOPFWERK, PODS, Obj
from operators.core.plan import Patch, Target
from operators.core.pods import Pod

POD_GROUP: Final = "kopfwerk.dev/pod-group"
"""The label with the group's name, in the pod's namespace."""
MIN_COUNT: Final = "kopfwerk.dev/pod-group-min-count"
"""The label with how many pods of the group have to be placed for any to be."""
TIMEOUT: Final = "kopfwerk.dev/pod-group-timeout-seconds"
"""The annotation with for how many seconds room is held for pods of the group that do not come."""

_LONGEST = 63 - len("-01234567")


def is_gang(obj: Obj) -> bool:
    """Whether the pods of a Job or StatefulSet are placed together.

    Only of ours: the same field of a built-in Job is for kube-scheduler's own gangs, and behind a gate.
    """
    return obj["apiVersion"].startswith(KOPFWERK) and _gang(obj) is not None


def labels(obj: Obj, wanted: int) -> dict[str, str]:
    """Return the labels of the pods of an object that is to have `wanted` pods; none where it asks for no gang."""
    gang = _gang(obj)
    if gang is None or not is_gang(obj):
        return {}
    return {POD_GROUP: group_of(obj), MIN_COUNT: str(max(1, min(int(gang.get("minCount") or wanted), wanted)))}


def group_of(obj: Obj) -> str:
    """Return the name of the group of an object's pods: no other object's, not even a later one's of the same name."""
    return f"{objects.name(obj)[:_LONGEST]}-{objects.uid(obj)[:8]}"


def corrections(obj: Obj, wanted: int, pods: Iterable[Pod]) -> tuple[Patch, ...]:
    """Return the writes that tell pods that wait for a node how many are wanted by now.

    Otherwise those that were made when there were to be more would wait for pods that never come.
    """
    wanted_labels = labels(obj, wanted)
    if not wanted_labels:
        return ()
    return tuple(
        Patch(Target(PODS, pod.namespace, pod.name, pod.uid), {"metadata": {"labels": wanted_labels}}, ignore=_GONE)
        for pod in pods
        if not pod.node and pod.is_active and wanted_labels.items() - pod.labels.items()
    )


_GONE: Final = frozenset({404})


def _gang(obj: Obj) -> Obj | None:
    gang: Obj | None = ((obj["spec"].get("scheduling") or {}).get("schedulingPolicy") or {}).get("gang")
    return gang
