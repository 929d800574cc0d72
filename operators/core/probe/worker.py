"""One probe of one container: when it may be tried, and what its results amount to.

Mirrors doProbe in pkg/kubelet/prober/worker.go, with these deliberate differences: counts of results begin anew with a
container; a failed liveness probe goes on being tried, since its restart may have to wait, and a container that has
come to itself meanwhile needs none; and what is not known is not made up: a container that ran before anybody looked
has no result until it has earned one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from operators.core.pods import Pod
from operators.core.probe.spec import Kind, Probe
from operators.core.probed import Container

GRACE: Final = timedelta(seconds=10)
"""A container that has been running for longer than that when it is first looked at keeps the result it had."""


class Result(StrEnum):
    """What a probe found, or amounts to, by the names of upstream's metrics."""

    SUCCESS = "successful"
    FAILURE = "failed"
    UNKNOWN = "unknown"
    """Of a single try: it could not be made, and counts for nothing."""


_INITIAL: Final = {Kind.READINESS: Result.FAILURE, Kind.LIVENESS: Result.SUCCESS, Kind.STARTUP: None}


@dataclass(frozen=True, slots=True)
class State:
    """How a probe stands. result is None where there is none yet; run counts the last tries that found the same."""

    container: str = ""
    result: Result | None = None
    last: Result | None = None
    run: int = 0
    held: bool = False
    """Whether there is nothing to try until there is another container."""
    since: datetime | None = None
    """When the result became what it is."""
    message: str = ""
    """Of the try that made it so."""


class Do(StrEnum):
    """What to do when a probe's time has come."""

    TRY = "Try"
    WAIT = "Wait"


def met(state: State, probe: Probe, pod: Pod, container: Container, *, born: datetime, now: datetime) -> State:
    """Return the state for the container that there is now: before anything was tried, and as long as it does not run.

    born is when somebody began to look. A pod on its way out is left to end in quiet: only readiness goes on.
    """
    if not container.id:
        return state
    if container.id != state.container:
        before, state = state, _begun(probe, container, born, now)
        if state.result is not None and state.result == before.result:
            state = replace(state, since=before.since, message=before.message)  # nothing has become of it
    if not container.is_running:
        return _became(replace(state, last=None, run=0), Result.FAILURE, "the container does not run", now)
    if pod.terminating and probe.kind != Kind.READINESS:
        return _became(replace(state, held=True), Result.SUCCESS, "the pod is being deleted", now)
    return state


def _begun(probe: Probe, container: Container, born: datetime, now: datetime) -> State:
    """Return the state of a container that is new here.

    One that has been running for so long that its startup probe would have been given up must have started.
    """
    since = container.running_since
    if since is None or since >= born - GRACE:
        initial = _INITIAL[probe.kind]
        return State(container.id, initial, since=now if initial else None, message="not probed yet")
    patience = timedelta(seconds=probe.initial_delay + probe.failure_threshold * probe.period)
    if probe.kind == Kind.STARTUP and now - since > patience:
        return State(container.id, Result.SUCCESS, held=True, since=since, message="it has been running for long")
    return State(container.id)


def due(state: State, probe: Probe, container: Container, startup: State | None, now: datetime) -> Do:
    """Say whether to try: of a container that runs, after its initial delay, in the order of startup and the others.

    startup is the state of the startup probe, None where there is none.
    """
    if state.held or not container.id or container.running_since is None:
        return Do.WAIT
    if now - container.running_since < timedelta(seconds=probe.initial_delay):
        return Do.WAIT
    if not container.started:
        return Do.WAIT  # the kubelet's own startup probe comes first
    if probe.kind != Kind.STARTUP and startup is not None and startup.result != Result.SUCCESS:
        return Do.WAIT
    return Do.TRY


def judged(state: State, probe: Probe, found: Result, message: str, now: datetime) -> State:
    """Return the state after a try. A result takes effect once its threshold is reached.

    failureThreshold 3: failed, failed, successful, failed, failed, failed makes a failure at the sixth.
    """
    if found == Result.UNKNOWN:
        return state
    threshold = probe.failure_threshold if found == Result.FAILURE else probe.success_threshold
    if state.last == found and state.run >= threshold:
        return state  # it has been made of that already
    run = state.run + 1 if state.last == found else 1
    state = replace(state, last=found, run=run)
    if run < threshold:
        return state
    state = _became(state, found, message, now)
    if probe.kind == Kind.STARTUP:
        return replace(state, held=True, run=0)
    return state


def _became(state: State, result: Result, message: str, now: datetime) -> State:
    """Return the state with a result, whose time and message stay where it was the result already."""
    if state.result == result:
        return state
    return replace(state, result=result, since=now, message=message)
