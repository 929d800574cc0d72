"""What to do about what probes have found: conditions of pods, and restarts that are in the ledger."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from operators.core import conditions, objects
from operators.core.objects import PODS, Obj
from operators.core.plan import Batch, Delete, Patch, Plan, Say, Target
from operators.core.pods import Pod
from operators.core.probe.observed import Member, Observed
from operators.core.probe.restarts import Entry, entries, is_awaited, ledger
from operators.core.probe.spec import Kind, Method, condition_of, condition_type
from operators.core.probe.worker import Result

ASK_AGAIN: Final = timedelta(seconds=5)
"""How long after a disruption budget has refused an eviction it is asked again."""
PATIENCE: Final = timedelta(seconds=30)
"""How long a container that was asked to end has for that, before its pod is evicted."""


def plan(observed: Observed) -> Plan:
    """Set the conditions that have changed, and carry out the restarts that the status has on record."""
    if objects.is_terminating(observed.podprobe):
        return Plan()
    patches = tuple(_conditions(observed))
    evictions = tuple(_evictions(observed))
    batches = tuple(Batch(steps) for steps in (patches, evictions) if steps)
    return Plan(batches, requeue_after=_look_again(observed, waits=bool(evictions)))


def release(name: str, pods: list[Pod], now: datetime) -> Plan:
    """Take the condition of a PodProbe that is gone off the pods that have it.

    A pod that is gated by it would never be ready again without: there it says that nothing speaks against the pod.
    """
    type_ = condition_type(name)
    found = [pod for pod in pods if pod.probed is not None and type_ in pod.probed.conditions]
    steps = tuple(step for pod in sorted(found, key=lambda pod: pod.name) for step in _left(pod, type_, now))
    return Plan((Batch(steps),)) if steps else Plan()


def told(entry: Entry, member: Member, method: Method) -> Say:
    """Return the event about a pod whose container is going to be restarted, in upstream's words."""
    name = member.container.name if member.container else ""
    what = "will be restarted" if method == Method.IN_PLACE else "its pod will be evicted"
    return Say("Normal", "Killing", f"Container {name} failed {entry.probe.lower()} probe, {what}", about(member))


def about(member: Member) -> Obj:
    """Return what an event about a container of a pod refers to."""
    return reference(member.pod, member.container.name if member.container else "")


def reference(pod: Pod, container: str) -> Obj:
    """Return what an event about a container of a pod refers to."""
    meta = {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid, "resourceVersion": pod.resource_version}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "fieldPath": f"spec.containers{{{container}}}"}


def _conditions(observed: Observed) -> Iterator[Patch]:
    """Yield a patch for each pod whose condition does not say what its readiness probe amounts to."""
    type_ = condition_of(observed.podprobe)
    if Kind.READINESS not in observed.wanted.probes:
        for pod in (*(member.pod for member in observed.members), *observed.left):
            yield from _left(pod, type_, observed.now)
        return
    for member in observed.members:
        state = member.states.get(Kind.READINESS)
        if state is None or state.result is None or member.pod.probed is None:
            continue
        passes = state.result == Result.SUCCESS
        status, reason = ("True", "ProbePassed") if passes else ("False", "ProbeFailed")
        if member.pod.probed.conditions.get(type_) != status:
            message = "" if passes else state.message
            yield _patch(member.pod, conditions.new(type_, status, reason, message, state.since or observed.now))
    for pod in observed.left:
        yield from _left(pod, type_, observed.now)


def _left(pod: Pod, type_: str, now: datetime) -> Iterator[Patch]:
    """Yield the patch of a pod that is no longer probed, if its condition has anything to say."""
    if pod.probed is None or type_ not in pod.probed.conditions:
        return
    if type_ not in pod.probed.gates:
        yield _patch(pod, {"type": type_, "$patch": "delete"})
    elif pod.probed.conditions[type_] != "True":
        yield _patch(pod, conditions.new(type_, "True", "NotProbed", "No PodProbe of this name probes the pod", now))


def _patch(pod: Pod, condition: Obj) -> Patch:
    target = Target(PODS, pod.namespace, pod.name, pod.uid)
    body = {"status": {"conditions": [condition]}}
    return Patch(target, body, subresource="status", strategic=True, ignore=frozenset((404,)))


def _evictions(observed: Observed) -> Iterator[Delete]:
    """Yield an eviction for each restart on record about which nothing has been done, or nothing has come of it."""
    method, by_uid = observed.wanted.restart.method, {member.pod.uid: member for member in observed.members}
    if method == Method.NONE:
        return
    for entry in entries(observed.status):
        member = by_uid.get(entry.uid)
        if member is None or not is_awaited(entry, member):
            continue
        if method == Method.EVICT or observed.now - entry.time >= PATIENCE:
            refused = Say("Warning", "FailedEviction", "{error}", about(member))
            target = Target(PODS, member.pod.namespace, member.pod.name, member.pod.uid)
            yield Delete(target, failed=refused, evicts=True)


def _look_again(observed: Observed, *, waits: bool) -> timedelta | None:
    """Return when to look again: for a budget, for a container to end, for a place, or for the back-off to be over."""
    found = ledger(observed)
    ahead = [found.look_again] if found.look_again is not None else []
    if waits:
        ahead.append(ASK_AGAIN)
    if observed.wanted.restart.method == Method.IN_PLACE:
        waiting = (entry.time + PATIENCE - observed.now for entry in found.entries)
        ahead += (wait for wait in waiting if wait > timedelta())
    return min(ahead, default=None)
