"""What must hold after every single write of a StatefulSet, whatever befalls the operator.

What the operator could know when it made a plan is how the pods were at the version that its cache had: `_pods_seen`
takes that from the store's own history, so that a cache which is wrong breaks rules too.
"""

from operators.core import objects, pods, revisions
from operators.core.objects import PODS, Obj
from operators.core.pods import Pod
from operators.core.revisions import CONTROLLERREVISIONS
from operators.core.statefulset import CLAIMS
from operators.core.statefulset.claims import claim_name, templates
from operators.core.statefulset.identity import POD_INDEX_LABEL, POD_NAME_LABEL, member_of, revision_of
from operators.core.statefulset.observed import (
    is_parallel,
    is_rolling,
    max_unavailable,
    min_ready_seconds,
    ordinals,
    partition,
    replicas,
)
from operators.runtime.informer import Informers
from tests.properties.rules import Rules, is_controlled
from tests.properties.store import STATEFULSETS, Change
from tests.support.builders import NOW


class OrderRules(Rules):
    """One at a time and in order, nobody twice, no claim lost, and no rollout beyond its bounds."""

    resources = (PODS, STATEFULSETS, CLAIMS, CONTROLLERREVISIONS)
    controllers = ("statefulset",)

    def __init__(self) -> None:
        super().__init__()
        self._seen = {"": (0, NOW)}
        """Up to which version, and at what time, a StatefulSet's pods were seen, by its UID."""
        self._doomed: set[int] = set()

    def plans_from(self, parent: Obj, informers: Informers) -> None:
        """Note which pods the plan rests on: they have to include all that the operator wrote before."""
        super().plans_from(parent, informers)
        revision, uid = informers[PODS].revision, objects.uid(parent)
        self._seen[uid] = (revision, self.store.now())
        self._doomed = set()

    def check(self, change: Change) -> None:
        """Check one write."""
        super().check(change)
        if not change.by_operator:
            return
        before, after = change.before, change.after
        if change.resource == CLAIMS:
            self._expect(after is not None, "a claim was deleted")
        if change.resource == PODS:
            if before is None and after is not None:
                self._check_created(after)
            elif before is not None:
                self._check_changed(before, after)

    def _check_created(self, pod: Obj) -> None:
        """A pod is who it says, is wanted, comes after its claims and, in order, after all before it are available."""
        owner = objects.controller_of(pod)
        assert owner is not None
        versions, name = self._since_plan(owner.uid), objects.name(pod)
        parent = versions[-1]
        ordinal = member_of(parent, name)
        self._expect(ordinal is not None, f"{name} is no member's name")
        assert ordinal is not None
        self._expect(any(ordinal in ordinals(version) for version in versions), f"{name} was made, and is not wanted")
        found = objects.labels(pod)
        self._expect(found[POD_NAME_LABEL] == name, f"{name} says that it is another")
        self._expect(found[POD_INDEX_LABEL] == str(ordinal), f"{name} has the index of another")
        for template in templates(parent):
            key = ("ns", claim_name(parent, template, ordinal))
            self._expect(self._has_been(CLAIMS, key, owner.uid), f"{name} was made before its claim")
        if not is_parallel(parent):
            seen = self._pods_seen(parent)
            for version in versions:
                earlier = [other for other in ordinals(version) if other < ordinal]
                if all(self._lets_go_on(version, seen.get(other)) for other in earlier):
                    return
            self._expect(holds=False, message=f"{name} was made before all that come before it were available")

    def _check_changed(self, before: Obj, after: Obj | None) -> None:
        """What is another's is not touched; what is deleted was too many, of use to nobody, or due for replacement."""
        name, owner = objects.name(before), objects.controller_of(before)
        if owner is not None:
            self._expect(not owner.uid.startswith("foreign"), f"{name} is another's, and was written")
        is_deletion = after is None or (objects.is_terminating(after) and not objects.is_terminating(before))
        if not is_deletion or owner is None:
            return
        versions = self._since_plan(owner.uid)
        seen = self._pods_seen(versions[-1])
        ordinal = member_of(versions[-1], name)
        assert ordinal is not None
        pod = seen.get(ordinal)
        if pod is None or pod.is_terminated:
            return
        self._expect(
            any(self._may_go(version, ordinal, pod, seen) for version in versions),
            f"{name} was deleted, and neither order nor bounds let it",
        )
        self._doomed.add(ordinal)

    def _may_go(self, version: Obj, ordinal: int, pod: Pod, seen: dict[int, Pod]) -> bool:
        """Whether a version of the StatefulSet lets a pod be deleted, besides those of the same plan."""
        if ordinal not in ordinals(version):
            if is_parallel(version):
                return True
            higher = [other for other in seen if other > ordinal and other not in ordinals(version)]
            stay = [self._lets_go_on(version, seen.get(other)) for other in ordinals(version)]
            return not higher and all(stay)
        if not is_rolling(version) or ordinal - ordinals(version).start < partition(version):
            return False
        if self._is_present(version, pod):
            return False
        if not self._is_available(version, pod):
            return True
        missing = [other for other in ordinals(version) if not self._is_well(version, seen.get(other))]
        taken = self._doomed.intersection(ordinals(version)).difference(missing)
        return len(missing) + len(taken) + 1 <= max_unavailable(version)

    def _is_present(self, version: Obj, pod: Pod) -> bool:
        """Whether a pod is of a version's template."""
        found = next((r for r in self._all_revisions() if objects.name(r) == revision_of(pod)), None)
        return found is not None and revisions.equal(found, version["spec"]["template"])

    def _all_revisions(self) -> list[Obj]:
        """Return every revision that there ever was."""
        return [
            change.after for change in self.store.history if change.resource == CONTROLLERREVISIONS and change.after
        ]

    def _pods_seen(self, parent: Obj) -> dict[int, Pod]:
        """Return the StatefulSet's pods, by ordinal, as they were at the version that the plan rests on."""
        revision, _ = self._seen[objects.uid(parent)]
        last: dict[objects.Key, Obj | None] = {}
        for change in self.store.history:
            if change.version > revision:
                break
            if change.resource == PODS:
                obj = change.after if change.after is not None else change.before
                assert obj is not None
                last[objects.key(obj)] = change.after
        found: dict[int, Pod] = {}
        for obj in last.values():
            if obj is None or not (is_controlled(obj, parent) or objects.controller_of(obj) is None):
                continue
            ordinal = member_of(parent, objects.name(obj))
            if ordinal is not None and objects.labels(obj).get("app") == "web":
                found[ordinal] = pods.parse(obj)
        return found

    def _is_available(self, version: Obj, pod: Pod) -> bool:
        _, moment = self._seen[objects.uid(version)]
        return pod.is_available(min_ready_seconds(version), moment)

    def _is_well(self, version: Obj, pod: Pod | None) -> bool:
        return pod is not None and not pod.terminating and self._is_available(version, pod)

    def _lets_go_on(self, version: Obj, pod: Pod | None) -> bool:
        return self._is_well(version, pod) and pod is not None and pod.phase == "Running"

    def _has_been(self, resource: objects.Resource, key: objects.Key, uid: str) -> bool:
        """Whether an object was there when the plan was made, or has come since."""
        planned, there = self._planned_from[uid], False
        for change in self.store.history:
            obj = change.after if change.after is not None else change.before
            assert obj is not None
            if change.resource == resource and objects.key(obj) == key:
                there = change.after is not None or (there and change.version > planned)
        return there

    def check_rest(self) -> None:
        """Check that all pods are there, and of the revisions that they shall be of."""
        for parent in self.store.all(STATEFULSETS):
            status, wanted = parent["status"], replicas(parent)
            assert status["replicas"] == status["readyReplicas"] == status["availableReplicas"] == wanted
            found = {
                member_of(parent, objects.name(pod)): pod for pod in self.store.all(PODS) if is_controlled(pod, parent)
            }
            assert set(found) == set(ordinals(parent))
            for ordinal, pod in found.items():
                assert ordinal is not None
                if is_rolling(parent) and ordinal - ordinals(parent).start >= partition(parent):
                    assert revision_of(pods.parse(pod)) == status["updateRevision"], objects.name(pod)
            if is_rolling(parent) and partition(parent) == 0:
                assert status["currentRevision"] == status["updateRevision"]
                assert status["updatedReplicas"] == status["currentReplicas"] == wanted
