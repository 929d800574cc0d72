"""What a PodProbe's status says: for each of its probes, of how many pods it passes and fails, and what came last."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from operators.core import objects
from operators.core.objects import Obj, format_time
from operators.core.plan import Outcome, Say
from operators.core.probe.observed import Member, Observed
from operators.core.probe.plan import told
from operators.core.probe.restarts import Ledger, entries, ledger
from operators.core.probe.spec import Kind, condition_of
from operators.core.probe.worker import Result, State

_SAYS: Final = {"True": Result.SUCCESS, "False": Result.FAILURE}


def report(observed: Observed, _outcome: Outcome) -> Obj | None:
    """Return the status to write, None where the one there says the same.

    Its ledger is what the next sync acts on. It is not moved on by the writes of this one: they show in the pods.
    """
    if objects.is_terminating(observed.podprobe):
        return None
    new = _status(observed, ledger(observed))
    return None if new == observed.status else new


def announce(observed: Observed, status: Obj) -> Iterable[Say]:
    """Return an event about each container that is going to be restarted: it is on record now."""
    before = {entry.uid for entry in entries(observed.status)}
    after = {entry.uid: entry for entry in entries(status) if entry.uid not in before}
    method = observed.wanted.restart.method
    return [told(after[m.pod.uid], m, method) for m in observed.members if m.pod.uid in after]


def _status(observed: Observed, found: Ledger) -> Obj:
    before = observed.status
    status: Obj = {
        "observedGeneration": objects.generation(observed.podprobe),
        "matched": len(observed.members),
        "restarts": before.get("restarts", 0) + len(found.new),
    }
    for kind in observed.wanted.probes:
        states = [_state(observed, member, kind) for member in observed.members]
        status[kind.lower()] = _of_probe(before.get(kind.lower()) or {}, states)
    if found.last is not None:
        status["lastRestartTime"] = format_time(found.last)
        status["restartDelaySeconds"] = int(found.delay.total_seconds())
    if found.entries:
        status["restarting"] = [entry.obj() for entry in found.entries]
    return status


def _state(observed: Observed, member: Member, kind: Kind) -> State:
    """Return the state of a probe: where there is none yet, as after a change of the leader, what the pod says."""
    state = member.states.get(kind) or State()
    if state.result is None and kind == Kind.READINESS and member.pod.probed is not None:
        says = member.pod.probed.conditions.get(condition_of(observed.podprobe), "")
        return replace(state, result=_SAYS.get(says))
    return state


def _of_probe(before: Obj, states: list[State]) -> Obj:
    """Return the counts, and the last transition with its message: of any pod, one that has gone since included."""
    of = {"passing": _count(states, Result.SUCCESS), "failing": _count(states, Result.FAILURE)}
    last = max((s for s in states if s.since and s.result), key=_when, default=None)
    known = before.get("lastTransitionTime")
    if last is None or last.since is None or (known and objects.parse_time(known) > last.since):
        return of | {name: before[name] for name in ("lastTransitionTime", "lastMessage") if name in before}
    return of | {"lastTransitionTime": format_time(last.since), "lastMessage": last.message}


def _count(states: list[State], result: Result) -> int:
    return sum(state.result == result for state in states)


def _when(state: State) -> tuple[datetime, str]:
    if state.since is None:
        raise ValueError("nothing has become of it yet")
    return state.since, state.message
