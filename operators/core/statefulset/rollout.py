"""Which revision is current, which one is being rolled out, and what has to be written for that.

Mirrors getStatefulSetRevisions and newVersionedStatefulSetPod in stateful_set_control.go and stateful_set_utils.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from operators.core import objects, ownership, revisions, selectors
from operators.core.objects import Obj
from operators.core.ownership import Claim
from operators.core.plan import Batch, Create, Patch
from operators.core.statefulset.observed import Observed, is_rolling, partition, rolling_update, start


@dataclass(frozen=True, slots=True)
class Rollout:
    """The revisions of a StatefulSet. `write` is the creation or renumbering that its present template asks for.

    Where the update revision has yet to be created it is not in `history`, and nothing may be made of it: its name may
    turn out to be taken.
    """

    statefulset: Obj
    history: tuple[Obj, ...]
    current: str
    update: str
    write: Create | Patch | None

    @property
    def is_complete(self) -> bool:
        """Whether both revisions exist."""
        return not isinstance(self.write, Create)

    def revision_for(self, ordinal: int) -> str:
        """Return the revision from which a pod that is missing is made.

        Below the partition it is the current one. Without parameters of a rolling update it is so for as many pods as
        the status counts of it, which a rollout takes away from the top.
        """
        statefulset, above = self.statefulset, ordinal - start(self.statefulset)
        if rolling_update(statefulset) is not None:
            return self.current if above < partition(statefulset) else self.update
        left = (statefulset.get("status") or {}).get("currentReplicas", 0)
        return self.current if is_rolling(statefulset) and above < left else self.update

    def template(self, name: str) -> Obj:
        """Return the pod template of one of the two revisions."""
        return revisions.template_of(next(r for r in self.history if objects.name(r) == name))


def claim_revisions(observed: Observed) -> Claim[Obj]:
    """Return the revisions that are or become this StatefulSet's. None is let go: unlabelled ones just do not count."""
    selector = selectors.of(observed.statefulset)
    labelled = [revision for revision in observed.revisions if selector.matches(objects.labels(revision))]
    return ownership.claim(observed.statefulset, selector, labelled)


def adoption(observed: Observed) -> Iterator[Batch]:
    """Return the writes by which orphaned revisions become the StatefulSet's."""
    return ownership.batches(claim_revisions(observed), revisions.CONTROLLERREVISIONS, observed.statefulset)


def rollout(observed: Observed) -> Rollout:
    """Find the present template among the revisions, or say what to write so that it is the newest of them."""
    statefulset = observed.statefulset
    status = statefulset.get("status") or {}
    history = revisions.sort(claim_revisions(observed).owned)
    found = revisions.find(history, statefulset["spec"]["template"])
    write: Create | Patch | None = None
    if found is None:
        write = _create(statefulset, history)
        update = objects.name(write.body)
    else:
        update = objects.name(found)
        if found is not history[-1]:
            write = revisions.renumber(found, revisions.next_number(history))
    known = (objects.name(revision) for revision in history)
    current = next((name for name in known if name == status.get("currentRevision")), update)
    return Rollout(statefulset, tuple(history), current, update, write)


def _create(statefulset: Obj, history: list[Obj]) -> Create:
    count = (statefulset.get("status") or {}).get("collisionCount", 0)
    digest = revisions.revision_hash(revisions.patch_bytes(statefulset["spec"]["template"]), count)
    return revisions.create(statefulset, number=revisions.next_number(history), digest=digest)
