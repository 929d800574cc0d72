"""What must hold after every single write, whatever befalls the operator.

A plan rests on what the cache showed when it was made. `Rules.plans_from` notes that; a write may be as large as any
version of its object since then allowed, and no larger.
"""

from collections import defaultdict

from operators.core import objects, pods, selectors
from operators.core.deployment.observed import is_recreate, max_surge, max_unavailable, replicas
from operators.core.objects import PODS, Obj
from operators.core.semantic import same_template
from tests.properties.store import DEPLOYMENTS, REPLICASETS, Change, Store


class BrokenRuleError(AssertionError):
    """The operator did what it must never do."""


class Rules:
    """Looks at every write to the store."""

    store: Store

    def __init__(self) -> None:
        self.broken: str = ""
        self.checked = 0
        self._specs: defaultdict[str, list[tuple[int, Obj]]] = defaultdict(list)
        self._planned_from: dict[str, int] = {}
        self._harm = 0
        self._settled: dict[str, int] = {}

    def plans_from(self, parent: Obj) -> None:
        """Note that the operator now plans for `parent`, as its cache has it."""
        self._planned_from[objects.uid(parent)] = int(parent["metadata"]["resourceVersion"])

    def settle(self) -> None:
        """Note that everything is as it should be: whatever is not available from now on is somebody's doing."""
        self._harm = 0
        self._settled = {objects.uid(obj): self.store.version for obj in self.store.all(DEPLOYMENTS)}

    def check(self, change: Change) -> None:
        """Check one write. The first that breaks a rule is remembered: the operator might swallow an exception."""
        self.checked += 1
        before, after = change.before, change.after
        if after is not None and change.resource in (REPLICASETS, DEPLOYMENTS):
            self._specs[objects.uid(after)].append((change.version, after))
        if change.resource == PODS:
            self._check_pod(change, before, after)
        elif change.by_operator and after is not None:
            self._expect(
                (after.get("status") or {}).get("observedGeneration", 0) <= objects.generation(after),
                f"{objects.name(after)}: observedGeneration is ahead",
            )
            if change.resource == REPLICASETS:
                self._check_size(before, after)

    def _check_pod(self, change: Change, before: Obj | None, after: Obj | None) -> None:
        lost = before is not None and self._is_available(before) and (after is None or not self._is_available(after))
        if not change.by_operator:
            self._harm += lost
            return
        if before is None:
            assert after is not None
            self._check_created(after)
            return
        owner = objects.controller_of(before)
        if owner is not None:
            self._expect(not owner.uid.startswith("foreign"), f"{objects.name(before)} is another's, and was written")
        if lost and owner is not None and (rs := self.store.find(owner.uid)) is not None:
            self._check_availability(rs)

    def _check_created(self, pod: Obj) -> None:
        """No more active pods than any size that the ReplicaSet had since the plan was made."""
        owner = objects.controller_of(pod)
        assert owner is not None
        versions = self._since_plan(owner.uid)
        self._expect(bool(versions), f"{objects.name(pod)} was made for a ReplicaSet that never was")
        rs = versions[-1]
        active = [p for p in self.pods_of(rs) if pods.parse(p).is_active and self._matches(rs, p)]
        most = max(replicas(version) for version in versions)
        self._expect(len(active) <= most, f"{objects.name(rs)}: {len(active)} active pods where {most} are wanted")

    def _check_size(self, before: Obj | None, after: Obj) -> None:
        """No growth beyond replicas and surge, as any version of the Deployment since the plan had them."""
        owner = objects.controller_of(after)
        if owner is None or not (versions := self._since_plan(owner.uid)):
            return
        family = self.replicasets_of(versions[-1])
        if before is None:
            twins = [rs for rs in family if same_template(rs["spec"]["template"], after["spec"]["template"])]
            self._expect(len(twins) == 1, f"{owner.name}: {len(twins)} ReplicaSets of one template")
        if replicas(after) > (replicas(before) if before else 0):
            total = sum(replicas(rs) for rs in family)
            most = max(replicas(version) + max_surge(version) for version in versions)
            self._expect(total <= most, f"{owner.name}: {total} pods asked for where there may be {most}")

    def _check_availability(self, rs: Obj) -> None:
        """The operator itself takes no more available pods away than any version since calm allowed."""
        owner = objects.controller_of(rs)
        if owner is None or (settled := self._settled.get(owner.uid)) is None:
            return
        versions = self._versions(owner.uid, settled)
        least = min(0 if is_recreate(v) else replicas(v) - max_unavailable(v) for v in versions)
        left = sum(self._is_available(p) for r in self.replicasets_of(versions[-1]) for p in self.pods_of(r))
        self._expect(
            left >= least - self._harm,
            f"{owner.name}: {left} available pods left where {least} have to be, of which others took {self._harm}",
        )

    def _is_available(self, pod: Obj) -> bool:
        parsed = pods.parse(pod)
        if not parsed.is_active or parsed.owner is None:
            return False
        rs = self.store.find(parsed.owner.uid)
        if rs is None or not self._matches(rs, pod):
            return False
        return parsed.is_available(rs["spec"].get("minReadySeconds", 0), self.store.now())

    @staticmethod
    def _matches(rs: Obj, pod: Obj) -> bool:
        return selectors.of(rs).matches(objects.labels(pod))

    def pods_of(self, rs: Obj) -> list[Obj]:
        """Return the pods that a ReplicaSet controls."""
        return [pod for pod in self.store.all(PODS) if _is_controlled(pod, rs)]

    def replicasets_of(self, deployment: Obj) -> list[Obj]:
        """Return the ReplicaSets that a Deployment controls."""
        return [rs for rs in self.store.all(REPLICASETS) if _is_controlled(rs, deployment)]

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


def _is_controlled(obj: Obj, owner: Obj) -> bool:
    controller = objects.controller_of(obj)
    return controller is not None and controller.uid == objects.uid(owner)
