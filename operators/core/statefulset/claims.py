"""The claims of a StatefulSet's pods: what they are called, when they are made, and who owns them.

Mirrors getPersistentVolumeClaims, isClaimOwnerUpToDate and updateClaimOwnerRefForSetAndPod in stateful_set_utils.go.
One difference: a claim that is to go with its StatefulSet has the reference from the start, not from the next sync on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operators.core import objects
from operators.core.objects import PODS, Obj, Resource
from operators.core.plan import Create, Patch, Say, Target
from operators.core.pods import Pod
from operators.core.statefulset.identity import member_of, pod_name
from operators.core.statefulset.observed import ordinals

CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")


def templates(statefulset: Obj) -> list[Obj]:
    """Return the claim templates."""
    return statefulset["spec"].get("volumeClaimTemplates") or []


def claim_name(statefulset: Obj, template: Obj, ordinal: int) -> str:
    """Return the name of a pod's claim, which is found by it again and again."""
    return f"{objects.name(template)}-{objects.name(statefulset)}-{ordinal}"


def may_claim(statefulset: Obj, name: str) -> bool:
    """Whether a claim's name is one that a pod of the set, with whichever ordinal, would give it."""
    prefixes = (f"{objects.name(template)}-{objects.name(statefulset)}-" for template in templates(statefulset))
    return any(name.startswith(prefix) for prefix in prefixes)


def claim_names(statefulset: Obj, pods: Iterable[Pod]) -> Iterator[str]:
    """Yield the names of the claims of all pods that there shall be, and of these."""
    made = templates(statefulset)
    if not made:
        return
    found = (member_of(statefulset, pod.name) for pod in pods)
    numbers = {*ordinals(statefulset), *(ordinal for ordinal in found if ordinal is not None)}
    for ordinal in sorted(numbers):
        for template in made:
            yield claim_name(statefulset, template, ordinal)


def volumes(statefulset: Obj, ordinal: int, others: Iterable[Obj]) -> list[Obj]:
    """Return a pod's volumes: its claims, and of the others those that have no claim's name."""
    own = {
        objects.name(template): {
            "name": objects.name(template),
            "persistentVolumeClaim": {"claimName": claim_name(statefulset, template, ordinal)},
        }
        for template in templates(statefulset)
    }
    return [*own.values(), *(volume for volume in others if volume["name"] not in own)]


def has_storage(statefulset: Obj, ordinal: int, pod: Pod) -> bool:
    """Whether the pod's volumes are its claims, as far as there are templates."""
    if not templates(statefulset):
        return True
    present = {volume["name"]: (volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in pod.volumes}
    return all(
        present.get(objects.name(template)) == claim_name(statefulset, template, ordinal)
        for template in templates(statefulset)
    )


@dataclass(frozen=True, slots=True)
class Retention:
    """What becomes of claims: with the StatefulSet (when_deleted), and with a pod that is too many (when_scaled)."""

    when_deleted: bool
    when_scaled: bool

    @classmethod
    def of(cls, statefulset: Obj) -> "Retention":
        """Read the policy: True is Delete."""
        policy = statefulset["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        return cls(policy.get("whenDeleted") == "Delete", policy.get("whenScaled") == "Delete")


@dataclass(frozen=True, slots=True)
class PodClaims:
    """The claims of one pod. `pod` is None where it has yet to be made; `existing` is every claim that there is."""

    statefulset: Obj
    ordinal: int
    pod: Pod | None
    existing: Mapping[str, Obj]

    @property
    def _named(self) -> Iterator[tuple[str, Obj]]:
        """Yield the name and the template of each."""
        for template in templates(self.statefulset):
            yield claim_name(self.statefulset, template, self.ordinal), template

    @property
    def present(self) -> Iterator[Obj]:
        """Yield those that exist."""
        return (self.existing[name] for name, _ in self._named if name in self.existing)

    @property
    def terminating(self) -> list[str]:
        """The names of those that are being deleted: as long as they are, no pod can be made that uses them."""
        return [objects.name(claim) for claim in self.present if objects.is_terminating(claim)]

    @property
    def is_stale(self) -> bool:
        """Whether one still belongs to an earlier pod of the name, and so is on its way out."""
        if not Retention.of(self.statefulset).when_scaled:
            return False
        references = (ref for claim in self.present for ref in objects.owner_references(claim))
        return any(ref["kind"] == PODS.kind and self._is_earlier(ref) for ref in references)

    def missing(self, verb: str = "") -> tuple[Create, ...]:
        """Return the writes that make those that there are not. A refusal keeps the pod from what `verb` says."""
        return tuple(self._create(name, template, verb) for name, template in self._named if name not in self.existing)

    def conflicting(self) -> tuple[Say, ...]:
        """Return what to say of claims that another controller has, against which the policy comes to nothing."""
        return tuple(
            Say(
                "Warning",
                "ConflictingController",
                f"PersistentVolumeClaim {objects.name(claim)} has a conflicting OwnerReference that acts as a manging "
                "controller, the retention policy is ignored for this claim",
            )
            for claim in self.present
            if self._has_other_controller(claim)
        )

    def ownership(self) -> tuple[Patch, ...]:
        """Return the writes that make their owners follow the policy."""
        name = pod_name(self.statefulset, self.ordinal)
        return tuple(
            Patch(
                Target.of(CLAIMS, claim),
                {"metadata": {"ownerReferences": self._owners(claim)}},
                claim["metadata"]["resourceVersion"],
                failed=Say(
                    "Warning",
                    "FailedUpdate",
                    f"Update Pod {name} in StatefulSet {objects.name(self.statefulset)} failed error: could not update "
                    f"claim {objects.name(claim)} for delete policy ownerRefs: {{error}}",
                ),
            )
            for claim in self.present
            if not self._is_up_to_date(claim)
        )

    def _create(self, name: str, template: Obj, verb: str) -> Create:
        statefulset = self.statefulset
        meta: dict[str, Any] = dict(template["metadata"])
        labels = {**(meta.get("labels") or {}), **(statefulset["spec"]["selector"].get("matchLabels") or {})}
        meta |= {"name": name, "namespace": objects.key(statefulset)[0], "labels": labels}
        if owners := self._wanted():
            meta["ownerReferences"] = owners
        body = template | {"apiVersion": CLAIMS.api_version, "kind": CLAIMS.kind, "metadata": meta}
        body.pop("status", None)
        pod, owner = pod_name(statefulset, self.ordinal), objects.name(statefulset)
        said = Say("Normal", "SuccessfulCreate", f"Create Claim {name} Pod {pod} in StatefulSet {owner} success")
        failed = f"Create Claim {name} for Pod {pod} in StatefulSet {owner} failed error: {{error}}"
        hence = f"{verb} Pod {pod} in StatefulSet {owner} failed error: failed to create PVC {name}: {{error}}"
        return Create(
            CLAIMS,
            body,
            said,
            failed=Say("Warning", "FailedCreate", failed),
            hence=Say("Warning", f"Failed{verb}", hence) if verb else None,
        )

    def _wanted(self) -> list[Obj]:
        """Return the references by which the policy makes the garbage collector delete a claim."""
        policy = Retention.of(self.statefulset)
        if policy.when_scaled and self.ordinal not in ordinals(self.statefulset):
            return [self._pod_reference()] if self.pod else []
        return [objects.controller_reference(self.statefulset)] if policy.when_deleted else []

    def _pod_reference(self) -> Obj:
        uid = self.pod.uid if self.pod else ""
        name = pod_name(self.statefulset, self.ordinal)
        both = {"controller": True, "blockOwnerDeletion": True}
        return {"apiVersion": PODS.api_version, "kind": PODS.kind, "name": name, "uid": uid, **both}

    def _owners(self, claim: Obj) -> list[Obj] | None:
        """Return the references that a claim is to have: other objects' stay, unless one of them controls it alone."""
        others = [ref for ref in objects.owner_references(claim) if not self._is_named(ref)]
        wanted = [] if self._has_other_controller(claim) else self._wanted()
        return [*others, *wanted] or None

    def _is_up_to_date(self, claim: Obj) -> bool:
        """Whether a claim's owners follow the policy, or are such that it is better left alone."""
        references = objects.owner_references(claim)
        if any(self._is_earlier(ref) for ref in references):
            return True
        own = self._uids()
        mine = [ref for ref in references if ref["uid"] in own]
        if self._has_other_controller(claim):
            return not mine
        if not all(ref.get("controller") for ref in mine):
            return False
        return {ref["uid"] for ref in mine} == {ref["uid"] for ref in self._wanted()}

    def _uids(self) -> set[str]:
        """Return the UIDs of the StatefulSet and of the pod."""
        return {objects.uid(self.statefulset), *((self.pod.uid,) if self.pod else ())}

    def _is_named(self, reference: Obj) -> bool:
        """Whether a reference names the StatefulSet or the pod, or an earlier object of that kind and name."""
        return any(
            all(reference.get(field) == own[field] for field in ("apiVersion", "kind", "name"))
            for own in (objects.controller_reference(self.statefulset), self._pod_reference())
        )

    def _is_earlier(self, reference: Obj) -> bool:
        """Whether a reference names a StatefulSet or pod that had the name before."""
        return self._is_named(reference) and reference["uid"] not in self._uids()

    def _has_other_controller(self, claim: Obj) -> bool:
        """Whether a policy that deletes meets a claim which anybody else controls, or something that is gone."""
        policy = Retention.of(self.statefulset)
        if not (policy.when_deleted or policy.when_scaled):
            return False
        references = objects.owner_references(claim)
        return any(self._is_earlier(ref) or (ref.get("controller") and not self._is_named(ref)) for ref in references)
