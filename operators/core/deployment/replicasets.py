"""A Deployment's ReplicaSets: which is the new one, which are old, how they are numbered, changed and made.

Mirrors getNewReplicaSet in pkg/controller/deployment/sync.go and the annotation rules of util/deployment_util.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from operators.core import objects
from operators.core.deployment.observed import max_surge, replicas
from operators.core.hashing import template_hash
from operators.core.objects import Obj, Resource
from operators.core.plan import Create, Patch, Say, Target
from operators.core.semantic import HASH_LABEL, same_template

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
NOT_COPIED = frozenset(
    ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM, ROLLBACK_TO)
)
"""Annotations that belong to a Deployment or to a ReplicaSet, and do not go from one to the other."""

_LONGEST_HISTORY = 2000
_LONGEST_NAME = 253


def size(replicaset: Obj) -> int:
    """Return the number of pods that a ReplicaSet is asked for."""
    return int(replicaset["spec"].get("replicas", 1))


def count(replicaset: Obj, name: str) -> int:
    """Return a count of a ReplicaSet's status."""
    return int((replicaset.get("status") or {}).get(name, 0))


def available(replicaset: Obj) -> int:
    """Return the number of its pods that are available."""
    return count(replicaset, "availableReplicas")


def resource_of(deployment: Obj) -> Resource:
    """Return the resource of its ReplicaSets: those of the same API group."""
    return objects.replicasets(deployment["apiVersion"].partition("/")[0])


def revision(obj: Obj) -> int | None:
    """Return the revision in the annotation, 0 where there is none, None where it is no number."""
    try:
        return int(objects.annotations(obj).get(REVISION, "0"))
    except ValueError:
        return None


def by_age(replicaset: Obj) -> tuple[str, str]:
    """Sort oldest first, then by name."""
    return replicaset["metadata"]["creationTimestamp"], objects.name(replicaset)


def by_revision(replicaset: Obj) -> tuple[int, tuple[str, str]]:
    """Sort by revision, then oldest first."""
    return revision(replicaset) or 0, by_age(replicaset)


@dataclass(frozen=True, slots=True)
class Family:
    """A Deployment's ReplicaSets: the one that has its template now, and the others, oldest first."""

    new: Obj | None
    old: tuple[Obj, ...]

    @classmethod
    def of(cls, deployment: Obj, replicasets: Iterable[Obj]) -> "Family":
        """Sort them. Where several have the template, the oldest is the new one, so that the choice never changes."""
        ordered = sorted(replicasets, key=by_age)
        template = deployment["spec"]["template"]
        new = next((rs for rs in ordered if same_template(rs["spec"]["template"], template)), None)
        return cls(new, tuple(rs for rs in ordered if rs is not new))

    @property
    def all(self) -> tuple[Obj, ...]:
        """Every one, the new one last."""
        return self.old if self.new is None else (*self.old, self.new)

    @property
    def active(self) -> tuple[Obj, ...]:
        """Those that are asked for pods."""
        return tuple(rs for rs in self.all if size(rs))

    @property
    def active_old(self) -> tuple[Obj, ...]:
        """The old ones that are asked for pods."""
        return tuple(rs for rs in self.old if size(rs))

    @property
    def next_revision(self) -> int:
        """The revision that the new one has, or is to have: one more than any old one."""
        return max((revision(rs) or 0 for rs in self.old), default=0) + 1


@dataclass(slots=True)
class Change:
    """What is to become of one ReplicaSet, gathered so that it takes a single write."""

    replicaset: Obj
    size: int | None = None
    annotations: dict[str, str | None] = field(default_factory=dict)
    """None takes one away."""
    min_ready_seconds: int | None = None

    def patch(self) -> Patch | None:
        """Return the write, None where nothing changes. It fails if somebody changed the ReplicaSet meanwhile."""
        spec: Obj = {}
        said = None
        before = size(self.replicaset)
        if self.size is not None and self.size != before:
            spec["replicas"] = self.size
            direction = "up" if self.size > before else "down"
            said = Say(
                "Normal", "ScalingReplicaSet", f"Scaled {direction} replica set {{name}} from {before} to {self.size}"
            )
        if self.min_ready_seconds is not None:
            spec["minReadySeconds"] = self.min_ready_seconds
        current = objects.annotations(self.replicaset)
        annotations = {name: value for name, value in self.annotations.items() if current.get(name) != value}
        if not spec and not annotations:
            return None
        body: Obj = {"metadata": {"annotations": annotations}} if annotations else {}
        if spec:
            body["spec"] = spec
        target = Target.of(objects.replicasets(self.replicaset["apiVersion"].partition("/")[0]), self.replicaset)
        return Patch(target, body, self.replicaset["metadata"]["resourceVersion"], said=said)


class Changes:
    """The changes of one sync, a write for each ReplicaSet that has any."""

    def __init__(self, deployment: Obj) -> None:
        self._deployment = deployment
        self._changes: dict[str, Change] = {}

    def of(self, replicaset: Obj) -> Change:
        """Return what is gathered for a ReplicaSet so far."""
        return self._changes.setdefault(objects.uid(replicaset), Change(replicaset))

    def scale(self, replicaset: Obj, to: int, *, force: bool = False) -> bool:
        """Scale one, and say whether that changes its size. force renews the annotations even where it does not."""
        changed = size(replicaset) != to
        if changed or force:
            change = self.of(replicaset)
            change.size = to
            change.annotations |= replicas_annotations(self._deployment)
        return changed

    def patches(self) -> tuple[Patch, ...]:
        """Return the writes, in the order in which their ReplicaSets were first mentioned."""
        patches = (change.patch() for change in self._changes.values())
        return tuple(patch for patch in patches if patch is not None)


def replicas_annotations(deployment: Obj) -> dict[str, str]:
    """Return what proportional scaling later reads: how many were wanted, and the most that there might be."""
    wanted = replicas(deployment)
    return {DESIRED: str(wanted), MAXIMUM: str(wanted + max_surge(deployment))}


def new_annotations(deployment: Obj, current: Mapping[str, str], number: int) -> dict[str, str]:
    """Return the annotations that the new ReplicaSet is to have: the Deployment's, its revision and earlier ones.

    A revision never goes down. `current` are those that it has.
    """
    copied = {name: value for name, value in objects.annotations(deployment).items() if name not in NOT_COPIED}
    before = current.get(REVISION, "")
    try:
        if int(before or "0") >= number:
            return copied
    except ValueError:
        return copied
    copied[REVISION] = str(number)
    if before:
        copied[HISTORY] = _history(current.get(HISTORY, ""), before)
    return copied


def _history(earlier: str, before: str) -> str:
    """Append a revision, and forget the oldest where the annotation would grow too long."""
    revisions = [*earlier.split(","), before] if earlier else [before]
    while len(",".join(revisions)) > _LONGEST_HISTORY:
        revisions.pop(0)
    return ",".join(revisions)


def create(deployment: Obj, number: int, wanted: int) -> Create:
    """Return the write that makes the new ReplicaSet, with `wanted` pods from the start."""
    template = deployment["spec"]["template"]
    digest = template_hash(template, (deployment.get("status") or {}).get("collisionCount"))
    meta = template.get("metadata") or {}
    labels = {**(meta.get("labels") or {}), HASH_LABEL: digest}
    selector = deployment["spec"]["selector"]
    name = f"{objects.name(deployment)[: _LONGEST_NAME - 1 - len(digest)]}-{digest}"
    spec: Obj = {
        "replicas": wanted,
        "selector": selector | {"matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}},
        "template": template | {"metadata": meta | {"labels": labels}},
    }
    if seconds := deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = seconds
    body: Obj = {
        "apiVersion": deployment["apiVersion"],
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": objects.key(deployment)[0],
            "labels": labels,
            "annotations": new_annotations(deployment, {}, number) | replicas_annotations(deployment),
            "ownerReferences": [objects.controller_reference(deployment)],
        },
        "spec": spec,
    }
    said = Say("Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {wanted}") if wanted else None
    failed = Say("Warning", "ReplicaSetCreateError", f'Failed to create new replica set "{name}": {{error}}')
    return Create(resource_of(deployment), body, said, failed)
