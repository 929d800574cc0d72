"""What to do for a DaemonSet: see that each node has what it should, then move pods to the present template.

Mirrors syncDaemonSet, updateDaemonSet and syncNodes in pkg/controller/daemon/daemon_controller.go. A revision that has
yet to be recorded is a step of its own, since its name may turn out to be taken; so is merging several into one, since
until then it does not show which pods are new. Where both are due, pods are deleted
before others are made (upstream: after): so a quota that refuses the one never keeps the other.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from operators.core import objects, ownership
from operators.core.daemonset.demand import demand
from operators.core.daemonset.history import HASH_LABEL, claim_revisions, history, record, surplus, tidy
from operators.core.daemonset.members import GENERATION_LABEL, Members, claim_pods
from operators.core.daemonset.observed import Observed, is_rolling, min_ready_seconds
from operators.core.daemonset.placement import pinned, tolerations
from operators.core.daemonset.rolling import moves
from operators.core.objects import PODS, Obj
from operators.core.plan import Batch, Create, Delete, Plan, Say, Target
from operators.core.pods import Pod
from operators.core.replicaset.plan import pod_of
from operators.core.revisions import CONTROLLERREVISIONS

BURST: Final = 250
"""The most pods that one sync creates, and the most that it deletes (BurstReplicas)."""

_CREATED: Final = Say("Normal", "SuccessfulCreate", "Created pod: {name}")
_NOT_CREATED: Final = Say("Warning", "FailedCreate", "Error creating: {error}")
_DELETED: Final = Say("Normal", "SuccessfulDelete", "Deleted pod: {name}")
_NOT_DELETED: Final = Say("Warning", "FailedDelete", "Error deleting: {error}")
_SELECTS_ALL: Final = Say(
    "Warning", "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required."
)


def selects_all(daemonset: Obj) -> bool:
    """Whether a DaemonSet's selector takes every pod, with which nothing is done."""
    selector = daemonset["spec"].get("selector") or {}
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def plan(observed: Observed) -> Plan:
    """Decide what to write. One that is being deleted is left alone: the garbage collector does the rest."""
    daemonset = observed.daemonset
    if selects_all(daemonset):
        return Plan(events=(_SELECTS_ALL,))
    if objects.is_terminating(daemonset):
        return Plan()
    claim, present = claim_pods(observed), history(observed)
    batches = [
        *ownership.batches(claim_revisions(observed), CONTROLLERREVISIONS, daemonset),
        *ownership.batches(claim, PODS, daemonset),
        *tidy(present, claim.owned),
    ]
    if present.current is None:
        batches.append(Batch((record(daemonset, present),)))
    if not present.is_clear:
        return Plan(tuple(batches))
    members = Members.of(observed, claim.owned, present.digest)
    wanted = demand(observed, members)
    doomed, missing = wanted.delete, wanted.create
    if not doomed and not missing and is_rolling(daemonset):
        doomed, missing = moves(daemonset, members)
    batches += _writes(daemonset, members, doomed[:BURST], missing[:BURST])
    if forgotten := surplus(observed, present, claim.owned):
        batches.append(Batch(forgotten))
    waits = [wait for wait in (wanted.again, _next_availability(observed, claim.owned)) if wait]
    return Plan(tuple(batches), tuple(wanted.events), min(waits, default=None), frozenset(wanted.retried))


def _writes(daemonset: Obj, members: Members, doomed: Iterable[Pod], missing: Iterable[str]) -> Iterable[Batch]:
    deletions = tuple(Delete(Target(PODS, pod.namespace, pod.name, pod.uid), _DELETED, _NOT_DELETED) for pod in doomed)
    if deletions:
        yield Batch(deletions)
    body = _body(daemonset, members)
    creations = tuple(Create(PODS, _on(body, name), _CREATED, _NOT_CREATED) for name in missing)
    if creations:
        yield Batch(creations, slow_start=True)


def _body(daemonset: Obj, members: Members) -> Obj:
    """Return a pod of the present template, on no node yet."""
    body = pod_of(daemonset)
    labels = {**body["metadata"].get("labels", {}), HASH_LABEL: members.digest}
    if members.generation is not None:
        labels[GENERATION_LABEL] = members.generation
    spec = body["spec"] | {"tolerations": tolerations(body["spec"])}
    return body | {"metadata": body["metadata"] | {"labels": labels}, "spec": spec}


def _on(body: Obj, node: str) -> Obj:
    """Return a pod that only `node` can take."""
    return body | {"spec": body["spec"] | {"affinity": pinned(body["spec"].get("affinity"), node)}}


def _next_availability(observed: Observed, owned: Iterable[Pod]) -> timedelta | None:
    """Return when the next ready pod will have been ready for minReadySeconds."""
    minimum = min_ready_seconds(observed.daemonset)
    waits = (pod.available_in(minimum, observed.now) for pod in owned) if minimum else ()
    return min((wait for wait in waits if wait), default=None)
