"""What to do for a StatefulSet: its next step, in the order of its pods.

Mirrors updateStatefulSet, processReplica and processCondemned in pkg/controller/statefulset/stateful_set_control.go. A
new revision is a step of its own; after it come, in this order and as far as pods let each other go on: making and
repairing pods from the lowest ordinal up, removing those that are too many from the highest down, replacing those of an
old revision.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from operators.core import gang, objects, ownership, revisions
from operators.core.objects import PODS
from operators.core.plan import Batch, Plan, Say, Step
from operators.core.pods import Pod
from operators.core.statefulset import pods
from operators.core.statefulset.claims import PodClaims
from operators.core.statefulset.identity import pod_name, revision_of
from operators.core.statefulset.members import Health, Members, claim_pods, is_running_and_ready
from operators.core.statefulset.observed import Observed, is_parallel, is_rolling, min_ready_seconds, replicas
from operators.core.statefulset.rolling import pods_to_replace, stuck_pod
from operators.core.statefulset.rollout import Rollout, adoption, rollout

_HISTORY_LIMIT = 10


def plan(observed: Observed) -> Plan:
    """Decide what to write."""
    statefulset = observed.statefulset
    claim = claim_pods(observed)
    batches = [*adoption(observed), *ownership.batches(claim, PODS, statefulset)]
    if objects.is_terminating(statefulset):
        return Plan(tuple(batches))
    present = rollout(observed)
    if present.write is not None:
        batches.append(Batch((present.write,)))
    events: list[Say] = []
    if present.is_complete:
        batches += _batch(gang.corrections(statefulset, replicas(statefulset), claim.owned))
        walk = _Walk(observed, present, Members.of(statefulset, claim.owned))
        walk.run()
        batches += walk.batches
        events = walk.events
        batches += _batch(_forget(present, claim.owned))
    return Plan(tuple(batches), tuple(events), _next_availability(observed, claim.owned))


class _Walk:
    """One pass over the pods, which gathers what to write until something has to be waited for."""

    def __init__(self, observed: Observed, present: Rollout, members: Members) -> None:
        self.batches: list[Batch] = []
        self.events: list[Say] = []
        self._observed = observed
        self._statefulset = observed.statefulset
        self._rollout = present
        self._members = members
        self._health = Health.of(observed)

    def run(self) -> None:
        """Bring the replicas about, then remove, then replace; each only once there is nothing left to wait for."""
        statefulset, members = self._statefulset, self._members
        going_on = self._side_by_side() if is_parallel(statefulset) else self._in_order()
        if not going_on or not self._remove():
            return
        if is_rolling(statefulset):
            ended = {pod.uid for pod in members.replicas if pod is not None and pod.is_terminated}
            doomed = pods_to_replace(self._rollout, members, self._health)
            self._add(pods.delete(statefulset, pod) for pod in doomed if pod.uid not in ended)

    def _in_order(self) -> bool:
        """Take one step for the first pod that needs one, and say whether there was nothing to do or to wait for."""
        for ordinal, pod in self._members.places():
            if pod is None:
                self._create(ordinal)
                return False
            if pod.is_terminated:
                self._end(pod)
                return False
            if pod.phase == "Pending":
                self._supply(ordinal, pod)
            if not self._health.lets_go_on(pod):
                self._unstick()
                return False
            self._repair(ordinal, pod)
        return True

    def _side_by_side(self) -> bool:
        """Take a step for every pod that needs one, and say whether none was kept from being made.

        First go the pods whose claims are there: should a claim be refused, what can run does.
        """
        statefulset = self._statefulset
        first: list[Step] = []
        storage: list[Step] = []
        then: list[Step] = []
        blocked = False
        for ordinal, pod in self._members.places():
            if pod is not None and pod.phase == "Running":
                continue
            claims = self._claims(ordinal, pod)
            if pod is None and not claims.is_stale:
                missing = claims.missing("Create")
                storage += missing
                if claims.terminating:
                    self.events.append(self._being_deleted(ordinal, claims.terminating))
                    blocked = True
                else:
                    (then if missing else first).append(pods.create(self._rollout, ordinal))
            elif pod is not None and pod.is_terminated and not pod.terminating:
                first.append(pods.delete(statefulset, pod))
            elif pod is not None and pod.phase == "Pending":
                storage += claims.missing()
                self.events += claims.conflicting()
                blocked = blocked or bool(claims.terminating)
        for steps in (first, storage, then):
            self._add(steps, slow_start=True)
        for ordinal, pod in self._members.places():
            if pod is not None and not pod.is_terminated:
                self._repair(ordinal, pod)
        return not blocked

    def _create(self, ordinal: int) -> None:
        """Make a pod, its claims first; not while a claim of an earlier pod of that name is on its way out."""
        claims = self._claims(ordinal, None)
        if claims.is_stale:
            return
        self._add(claims.missing("Create"))
        if claims.terminating:
            self.events.append(self._being_deleted(ordinal, claims.terminating))
        else:
            self._add((pods.create(self._rollout, ordinal),))

    def _end(self, pod: Pod) -> None:
        """Delete a pod that has failed or succeeded, so that another can have its name."""
        if not pod.terminating:
            self._add((pods.delete(self._statefulset, pod),))

    def _supply(self, ordinal: int, pod: Pod) -> None:
        """Make the claims that somebody took from a pod before it ran."""
        claims = self._claims(ordinal, pod)
        self._add(claims.missing())
        self.events += claims.conflicting()
        self._add(claims.ownership())

    def _repair(self, ordinal: int, pod: Pod) -> None:
        """Give a pod back what makes it a member of the set, and its claims the owners that they are to have."""
        claims = self._claims(ordinal, pod)
        patch, patches = pods.repair(self._statefulset, ordinal, pod), claims.ownership()
        if patch is None and not patches:
            return
        if patch is not None and "spec" in patch.body:
            self._add(claims.missing("Update"))
        if patches:
            self.events += claims.conflicting()
        if patch is None:  # then it is the last claim of which is said that the pod was updated
            said = pods.said(self._statefulset, "Update", pod.name)
            self._add((*patches[:-1], replace(patches[-1], said=said)))
            return
        self._add(patches)
        self._add((patch,))

    def _unstick(self) -> None:
        """Replace the pod that is waited for, where that is what the rollout would come to."""
        pod = stuck_pod(self._rollout, self._members, self._health)
        if pod is not None:
            self._add((pods.delete(self._statefulset, pod),))

    def _remove(self) -> bool:
        """Give the claims of pods that are too many their owners, remove pods, and say whether to go on.

        In order, one pod goes at a time, the highest first, and only while all others are available; one that is not
        may itself go, if it is the only one.
        """
        statefulset, condemned = self._statefulset, self._members.condemned
        disowned: list[Step] = []
        for ordinal, pod in condemned:
            claims = self._claims(ordinal, pod)
            if patches := claims.ownership():
                self.events += claims.conflicting()
                disowned += patches
        self._add(disowned)
        if is_parallel(statefulset):
            self._add((pods.delete(statefulset, pod) for _, pod in condemned if not pod.terminating), slow_start=True)
            return True
        if not condemned:
            return True
        highest = condemned[0][1]
        lowest_sick = next((pod for _, pod in reversed(condemned) if self._health.is_unavailable(pod)), None)
        healthy = is_running_and_ready(highest) and self._health.is_available(highest)
        if not highest.terminating and (healthy or highest is lowest_sick):
            self._add((pods.delete(statefulset, highest),))
        return False

    def _claims(self, ordinal: int, pod: Pod | None) -> PodClaims:
        return PodClaims(self._statefulset, ordinal, pod, self._observed.claims)

    def _being_deleted(self, ordinal: int, names: list[str]) -> Say:
        """Say why a pod cannot be made. It will be once the claims are gone, which wakes the StatefulSet."""
        reasons = [f"pvc {name} is being deleted" for name in names]
        error = reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]"
        return pods.failed(self._statefulset, "Create", pod_name(self._statefulset, ordinal), error)

    def _add(self, steps: Iterable[Step], *, slow_start: bool = False) -> None:
        self.batches += _batch(steps, slow_start=slow_start)


def _batch(steps: Iterable[Step], *, slow_start: bool = False) -> tuple[Batch, ...]:
    """Return a batch of the steps, none where there are none."""
    made = tuple(steps)
    return (Batch(made, slow_start=slow_start),) if made else ()


def _forget(present: Rollout, owned: Iterable[Pod]) -> Iterable[Step]:
    """Return the deletions of revisions beyond revisionHistoryLimit that nobody uses."""
    live = {present.current, present.update, *(revision_of(pod) for pod in owned)}
    limit = present.statefulset["spec"].get("revisionHistoryLimit", _HISTORY_LIMIT)
    return revisions.surplus(present.history, live, limit)


def _next_availability(observed: Observed, owned: Iterable[Pod]) -> timedelta | None:
    """Return when the next ready pod will have been ready for minReadySeconds."""
    minimum = min_ready_seconds(observed.statefulset)
    waits = (pod.available_in(minimum, observed.now) for pod in owned) if minimum else ()
    return min((wait for wait in waits if wait), default=None)
