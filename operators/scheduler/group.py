"""The groups whose pods are placed together or not at all: what a pod says of its own, and which pods there are."""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from operators.core.gang import MIN_COUNT, POD_GROUP, TIMEOUT
from operators.core.objects import Key, Obj

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from operators.scheduler.pod import Pod

HELD_FOR: Final = 60
"""Seconds for which room is held for pods of a group that do not come, where the pod does not say for how long."""
_LONGEST: Final = 3600
"""The most that is believed of what a pod says."""


@dataclass(frozen=True, slots=True)
class Group:
    """What a pod says of its group."""

    key: Key
    """Its namespace and name."""
    min_count: int
    """How many of its pods have to be placed for any to be; 0 where that cannot be read."""
    timeout: int
    """For how many seconds room is held for it; 0 where that cannot be read."""
    gated: bool
    """Whether a scheduling gate keeps the pod from being placed."""
    asked: bool
    """Whether it was refused for its group's sake when it was last tried: kube-scheduler has nothing against it."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.key[1]

    @property
    def problem(self) -> str:
        """What is wrong with what the pod says, in words for its events; empty where nothing is."""
        if self.min_count and self.timeout:
            return ""
        what = f"annotation {TIMEOUT}" if self.min_count else f"label {MIN_COUNT}"
        return f"node(s) have no part in group {self.name}: {what} has to be a whole number from 1 on"


def parse(obj: Obj) -> Group | None:
    """Read what a pod says of its group, None where it is in none."""
    meta, spec = obj["metadata"], obj["spec"]
    labels = meta.get("labels") or {}
    name = labels.get(POD_GROUP)
    if not name:
        return None
    return Group(
        key=(meta["namespace"], name),
        min_count=_number(labels.get(MIN_COUNT, "")),
        timeout=min(_LONGEST, _number((meta.get("annotations") or {}).get(TIMEOUT, str(HELD_FOR)))),
        gated=bool(spec.get("schedulingGates")),
        asked=_was_asked((obj.get("status") or {}).get("conditions") or (), f"group {name}:"),
    )


def _was_asked(conditions: "Iterable[Obj]", words: str) -> bool:
    return any(one["type"] == "PodScheduled" and words in one.get("message", "") for one in conditions)


def _number(text: str) -> int:
    """Return a whole number from 1 on, 0 where the text is anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


EARLY_FOR: Final = 5.0
"""Seconds for which a pod is believed to exist that was asked about before the watch has told of it."""


class Groups:
    """The pods of every group that have not ended: those that the watch has told of, and others for a moment."""

    def __init__(self) -> None:
        self._pods: dict[Key, dict[str, Pod]] = {}
        self._keys: dict[str, Key] = {}
        self._early: dict[str, float] = {}
        self.begun_elsewhere = 0
        """How many of these pods have been found on nodes that nobody here had placed there."""

    def put(self, pod: "Pod") -> None:
        """Take note of a pod; one that is in no group any more is forgotten."""
        if self._early:
            self._early.pop(pod.uid, None)
        key = pod.group.key if pod.group is not None else None
        if self._keys.get(pod.uid, key) != key:
            self.remove(pod.uid)
        if key is not None:
            self._keys[pod.uid] = key
            self._pods.setdefault(key, {})[pod.uid] = pod

    def expect(self, pod: "Pod", now: float) -> None:
        """Take note of a pod that is asked about: perhaps the watch will tell of it only when others have been refused.

        Should it have told already that the pod is gone, it will be forgotten soon.
        """
        for uid in [uid for uid, until in self._early.items() if until <= now]:
            self.remove(uid)
        if pod.uid not in self._keys:
            self.put(pod)
            self._early[pod.uid] = now + EARLY_FOR

    def remove(self, uid: str) -> None:
        """Forget a pod."""
        if self._early:
            self._early.pop(uid, None)
        key = self._keys.pop(uid, None)
        if key is not None:
            pods = self._pods[key]
            del pods[uid]
            if not pods:
                del self._pods[key]

    def pods(self, key: Key) -> "Collection[Pod]":
        """Return the pods of a group."""
        return self._pods.get(key, {}).values()

    def pods_with(self, pod: "Pod") -> "list[Pod]":
        """Return the pods of a pod's group, itself first, as it is given."""
        others = self.pods(pod.group.key) if pod.group is not None else ()
        return [pod, *(one for one in others if one.uid != pod.uid)]

    def every_pod(self) -> "Iterator[Pod]":
        """Yield the pods of all groups."""
        return chain.from_iterable(pods.values() for pods in self._pods.values())

    def key(self, uid: str) -> Key | None:
        """Return the namespace and name of the group of a pod that is known."""
        return self._keys.get(uid)
