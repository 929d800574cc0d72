"""What any rule about the operator's writes rests on.

A plan rests on what the cache showed when it was made. `Rules.plans_from` notes that; a write may be as large as any
version of its object since then allowed, and no larger.
"""

from collections import defaultdict
from typing import ClassVar

from operators.core import objects
from operators.core.objects import PODS, Obj, Resource
from operators.runtime.informer import Informers
from tests.properties.store import Change, Store


class BrokenRuleError(AssertionError):
    """The operator did what it must never do."""


class Rules:
    """Looks at every write to the store. A kind's own rules are a class of their own."""

    resources: ClassVar[tuple[Resource, ...]]
    """What the operator watches."""
    controllers: ClassVar[tuple[str, ...]]
    """Which controllers it runs."""
    store: Store

    def __init__(self) -> None:
        self.broken: str = ""
        self.checked = 0
        self._specs: defaultdict[str, list[tuple[int, Obj]]] = defaultdict(list)
        self._planned_from: dict[str, int] = {}

    def plans_from(self, parent: Obj, informers: Informers) -> None:
        """Note that the operator now plans for `parent`, as its cache has it."""
        self._planned_from[objects.uid(parent)] = int(parent["metadata"]["resourceVersion"])

    def others_act(self) -> None:
        """Let others do their part, whenever the kubelets do theirs."""

    def reported(self, pod: Obj) -> Obj:
        """Return what else a kubelet says of a pod that runs."""
        return {}

    def settle(self) -> None:
        """Note that everything is as it should be."""

    def check(self, change: Change) -> None:
        """Check one write. The first that breaks a rule is remembered: the operator might swallow an exception."""
        self.checked += 1
        if change.after is not None and change.resource != PODS:
            self._specs[objects.uid(change.after)].append((change.version, change.after))

    def check_rest(self) -> None:
        """Check that all is as it was asked for."""
        raise NotImplementedError

    def _since_plan(self, uid: str) -> list[Obj]:
        return self._versions(uid, self._planned_from.get(uid, 0))

    def _versions(self, uid: str, since: int) -> list[Obj]:
        """Return the versions of an object from the one at `since` on."""
        found = self._specs.get(uid, [])
        return [obj for i, (_, obj) in enumerate(found) if i + 1 == len(found) or found[i + 1][0] > since]

    def _expect(self, holds: bool, message: str) -> None:  # noqa: FBT001 - reads as assert does
        if not holds:
            self.broken = self.broken or message
            raise BrokenRuleError(message)


def is_controlled(obj: Obj, owner: Obj) -> bool:
    """Whether `owner` controls an object."""
    controller = objects.controller_of(obj)
    return controller is not None and controller.uid == objects.uid(owner)
