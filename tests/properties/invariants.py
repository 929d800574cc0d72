"""What must hold after every single write of a Deployment or ReplicaSet, whatever befalls the operator."""

from operators.core import objects, pods, selectors
from operators.core.deployment.observed import is_recreate, max_surge, max_unavailable, replicas
from operators.core.objects import PODS, Obj
from operators.core.semantic import same_template
from tests.properties.rules import Rules, is_controlled
from tests.properties.store import DEPLOYMENTS, REPLICASETS, RESOURCES, Change


class WorkloadRules(Rules):
    """How many pods there may be and have to be, and whose."""

    resources = RESOURCES
    controllers = ("replicaset", "deployment")

    def __init__(self) -> None:
        super().__init__()
        self._harm = 0
        self._settled: dict[str, int] = {}

    def settle(self) -> None:
        """Note that everything is as it should be: whatever is not available from now on is somebody's doing."""
        self._harm = 0
        self._settled = {objects.uid(obj): self.store.version for obj in self.store.all(DEPLOYMENTS)}

    def check_rest(self) -> None:
        """Check that there are the pods that were asked for, and that every status says so."""
        for rs in self.store.all(REPLICASETS):
            active = [pod for pod in map(pods.parse, self.pods_of(rs)) if pod.is_active]
            assert len(active) == rs["spec"]["replicas"] == rs["status"]["availableReplicas"], objects.name(rs)
        for deployment in self.store.all(DEPLOYMENTS):
            spec, status = deployment["spec"], deployment["status"]
            if not spec.get("paused"):  # one that is paused may never have had a ReplicaSet
                counts = {status[f"{which}eplicas"] for which in ("r", "availableR", "updatedR")}
                assert counts == {spec["replicas"]}, objects.name(deployment)

    def check(self, change: Change) -> None:
        """Check one write."""
        super().check(change)
        before, after = change.before, change.after
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
        return [pod for pod in self.store.all(PODS) if is_controlled(pod, rs)]

    def replicasets_of(self, deployment: Obj) -> list[Obj]:
        """Return the ReplicaSets that a Deployment controls."""
        return [rs for rs in self.store.all(REPLICASETS) if is_controlled(rs, deployment)]
