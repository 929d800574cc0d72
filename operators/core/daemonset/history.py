"""The revisions of a DaemonSet's template: which is the present one, and what has to be written for that.

Mirrors constructHistory, dedupCurHistories and cleanupHistory in pkg/controller/daemon/update.go. Where several
revisions hold the present template, upstream gives every pod the label of the one that stays; here only the pods of the
others get it, since a pod of an older template would be taken for a new one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from operators.core import objects, ownership, revisions, selectors
from operators.core.daemonset.observed import Observed
from operators.core.hashing import template_hash
from operators.core.objects import PODS, Obj
from operators.core.ownership import Claim
from operators.core.plan import Batch, Create, Delete, Patch, Step, Target
from operators.core.pods import Pod
from operators.core.revisions import CONTROLLERREVISIONS

HASH_LABEL: Final = "controller-revision-hash"
"""The label by which pods and revisions say which template is theirs."""

_HISTORY_LIMIT: Final = 10


@dataclass(frozen=True, slots=True)
class History:
    """The revisions, oldest first. `current` holds the present template, None where it has yet to be recorded."""

    current: Obj | None
    duplicates: tuple[Obj, ...]
    old: tuple[Obj, ...]

    @property
    def is_clear(self) -> bool:
        """Whether there is exactly one revision of the present template."""
        return self.current is not None and not self.duplicates

    @property
    def digest(self) -> str:
        """The label's value for pods of the present template, empty where it has yet to be recorded."""
        return "" if self.current is None else digest_of(self.current)


def digest_of(revision: Obj) -> str:
    """Return the label's value for a revision's pods: its name, for one from before there was the label."""
    return objects.labels(revision).get(HASH_LABEL) or objects.name(revision)


def claim_revisions(observed: Observed) -> Claim[Obj]:
    """Return the revisions that are or become this DaemonSet's, and those that it lets go."""
    return ownership.claim(observed.daemonset, selectors.of(observed.daemonset), observed.revisions)


def history(observed: Observed) -> History:
    """Sort the revisions. Of several that hold the present template the newest is the current one."""
    template = observed.daemonset["spec"]["template"]
    known = revisions.sort(claim_revisions(observed).owned)
    same = [revision for revision in known if revisions.equal(revision, template)]
    names = {objects.name(revision) for revision in same}
    old = tuple(revision for revision in known if objects.name(revision) not in names)
    return History(same[-1] if same else None, tuple(same[:-1]), old)


def record(daemonset: Obj, present: History) -> Create:
    """Return the write that records the present template."""
    count = (daemonset.get("status") or {}).get("collisionCount")
    digest = template_hash(daemonset["spec"]["template"], count)
    number = revisions.next_number(present.old)
    return revisions.create(daemonset, number=number, digest=digest, label=HASH_LABEL)


def tidy(present: History, pods: Iterable[Pod]) -> Iterator[Batch]:
    """Return the writes that label, merge and renumber the revisions that there are, in this order."""
    known = (*present.old, *present.duplicates, *((present.current,) if present.current else ()))
    labels: list[Step] = [_label(revision) for revision in known if HASH_LABEL not in objects.labels(revision)]
    if labels:
        yield Batch(tuple(labels))
    if present.current is None:
        return
    if present.duplicates:
        merged = {digest_of(revision) for revision in present.duplicates}
        relabelled = tuple(_relabel(pod, present.digest) for pod in pods if pod.labels.get(HASH_LABEL) in merged)
        if relabelled:
            yield Batch(relabelled)
        yield Batch(tuple(Delete(Target.of(CONTROLLERREVISIONS, revision)) for revision in present.duplicates))
    number = revisions.next_number(present.old)
    if revisions.number(present.current) < number and not labels:  # a label gives it another resourceVersion
        yield Batch((revisions.renumber(present.current, number),))


def surplus(observed: Observed, present: History, pods: Iterable[Pod]) -> tuple[Delete, ...]:
    """Return the deletions of the oldest revisions beyond revisionHistoryLimit, but for those that pods are of."""
    live = {pod.labels.get(HASH_LABEL) for pod in pods}
    too_many = max(0, len(present.old) - observed.daemonset["spec"].get("revisionHistoryLimit", _HISTORY_LIMIT))
    unused = [revision for revision in present.old if digest_of(revision) not in live]
    return tuple(Delete(Target.of(CONTROLLERREVISIONS, revision)) for revision in unused[:too_many])


def _label(revision: Obj) -> Patch:
    body = {"metadata": {"labels": {HASH_LABEL: objects.name(revision)}}}
    return Patch(Target.of(CONTROLLERREVISIONS, revision), body, revision["metadata"]["resourceVersion"])


def _relabel(pod: Pod, digest: str) -> Patch:
    target = Target(PODS, pod.namespace, pod.name, pod.uid)
    return Patch(target, {"metadata": {"labels": {HASH_LABEL: digest}}})
