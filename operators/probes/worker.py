"""One probe of one pod, tried again and again. Mirrors worker in pkg/kubelet/prober.

When it may be tried and what came of it is decided in operators.core.probe; here it is done, thousands of times a
second: so all that stays the same from one try to the next is looked up once.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from operators.core.objects import Key
from operators.core.plan import Say
from operators.core.pods import Pod
from operators.core.probe import schedule
from operators.core.probe.plan import reference
from operators.core.probe.spec import Kind, Probe
from operators.core.probe.worker import GRACE, Do, Result, State, due, judged, met
from operators.core.probed import Container
from operators.probes.found import Found
from operators.probes.lag import Lag
from operators.probes.tries import Tries
from operators.probes.wheel import Timer, Wheel
from operators.runtime import metrics
from operators.runtime.controller import Surroundings

log = logging.getLogger(__name__)

GATHERING: Final = 0.02
"""Seconds that a change waits for others of the same PodProbe."""
AT_ONCE: Final = 6000
"""How many tries are under way at a time: each holds a socket."""
_FULL: Final = 0.1
"""After how many seconds one is made for which there was no room."""
_RETRIES: Final = 3
"""How often a try that could not be made is made, as upstream."""


class Shared:
    """What all workers have in common, on the loop that runs."""

    def __init__(self, around: Surroundings, now: Callable[[], datetime]) -> None:
        self.loop = asyncio.get_running_loop()
        self.wheel = Wheel()
        self.tries = Tries(around.client, self.wheel)
        self.under_way = 0
        """How many tries are."""
        self.lag = Lag()
        self.now = now
        self.around = around


@dataclass(slots=True, eq=False)
class Group:
    """The probes of one PodProbe for one pod. born is when it was first looked at."""

    key: Key
    pod: Pod
    container: Container
    born: datetime
    workers: "dict[Kind, Worker]" = field(default_factory=dict)

    def close(self) -> None:
        """Try nothing any more."""
        for worker in self.workers.values():
            worker.close()


class Worker:
    """One of them."""

    __slots__ = (
        "_break_off",
        "_counts",
        "_group",
        "_left",
        "_moment",
        "_phase",
        "_probe",
        "_shared",
        "_started",
        "_timer",
        "_tried",
        "state",
    )

    def __init__(self, shared: Shared, group: Group, probe: Probe) -> None:
        self._shared, self._group, self._probe = shared, group, probe
        self._phase = schedule.place(group.pod.uid, f"{group.key[1]}/{probe.kind}", probe.period)
        self._counts = metrics.ProbeCounts(probe.kind, *group.key)
        self._moment = 0.0
        self._timer: Timer | None = None
        self._started = 0.0
        self._tried = ""
        """The container of the last try."""
        self._left = 0
        self._break_off: Callable[[], object] | None = None
        self.state = State()
        metrics.prober_workers.labels(probe.kind).inc()

    def close(self) -> None:
        """Try no more."""
        metrics.prober_workers.labels(self._probe.kind).dec()
        if self._timer is not None:
            self._timer.cancel()
        self._stop()

    @property
    def has_begun(self) -> bool:
        """Whether there is a time to try it."""
        return self._timer is not None

    def meet(self) -> None:
        """Look at the container that there is now."""
        group = self._group
        now = self._shared.now()
        self._become(met(self.state, self._probe, group.pod, group.container, born=group.born, now=now))

    def begin(self) -> None:
        """Set the time of the first try for a container. A try of the one before is of no use any more."""
        self._stop()
        group, probe = self._group, self._probe
        since = group.container.running_since or group.born
        delay = (since + timedelta(seconds=probe.initial_delay) - self._shared.now()).total_seconds()
        self._set(
            schedule.first(
                self._shared.loop.time(),
                self._phase,
                probe.period,
                delay=max(0.0, delay),
                is_new=since >= group.born - GRACE,
            )
        )

    def _set(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._moment = moment
        self._timer = self._shared.wheel.call_at(moment, self._fire)

    def _again(self) -> None:
        self._set(schedule.after(self._moment, self._shared.loop.time(), self._phase, self._probe.period))

    def _fire(self) -> None:
        """Try, if it may be tried now; in any case there is a next time."""
        startup = self._group.workers.get(Kind.STARTUP)
        before = startup.state if startup is not None else None
        shared = self._shared
        if due(self.state, self._probe, self._group.container, before, shared.now()) == Do.WAIT:
            self._again()
        elif shared.under_way >= AT_ONCE:
            self._timer = shared.wheel.call_at(shared.loop.time() + _FULL, self._fire)
        else:
            self._started, self._tried, self._left = shared.loop.time(), self._group.container.id, _RETRIES
            shared.lag.note(self._started - self._moment)
            shared.under_way += 1
            self._try()

    def _try(self) -> None:
        self._left -= 1
        self._break_off = self._shared.tries.begin(self._probe, self._group.pod, self._group.container, self._found)

    def _found(self, what: Found) -> None:
        """Take what came of a try into account, unless there is another container by now."""
        if what.result == Result.UNKNOWN and self._left:
            self._try()
            return
        self._over()
        try:
            self._counts.tried(what.result, self._shared.loop.time() - self._started)
            if self.state.container == self._tried:
                self._judge(what)
        except Exception:  # one probe's defect must not end it, nor any other
            log.exception("%s probe of %s/%s", self._probe.kind, *self._group.pod.key)
        self._again()

    def _over(self) -> None:
        """Have no try under way any more."""
        if self._break_off is not None:
            self._break_off = None
            self._shared.under_way -= 1

    def _stop(self) -> None:
        """Break off what is under way."""
        if self._break_off is not None:
            self._break_off()
            self._over()

    def _judge(self, what: Found) -> None:
        self._say(what)
        state = judged(self.state, self._probe, what.result, what.message, self._shared.now())
        has_changed = self._become(state)
        if has_changed and state.result == Result.SUCCESS and self._probe.kind == Kind.STARTUP:
            for other in self._group.workers.values():
                if other is not self:
                    other.begin()

    def _become(self, state: State) -> bool:
        """Take on a state; say so, and wake the controller, if it amounts to something else."""
        before, self.state = self.state, state
        if before.result == state.result:
            return False
        self._shared.around.wake(self._group.key, GATHERING)
        return True

    def _say(self, what: Found) -> None:
        """Record the event that upstream records."""
        kind = self._probe.kind
        if what.result == Result.FAILURE:
            reason, message = "Unhealthy", f"{kind} probe failed: {what.message}"
        elif what.result == Result.UNKNOWN:
            reason, message = "Unhealthy", f"{kind} probe errored and resulted in unknown state: {what.message}"
        elif what.warns:
            reason, message = "ProbeWarning", f"{kind} probe warning: {what.message}"
        else:
            return
        group = self._group
        self._shared.around.say(Say("Warning", reason, message, reference(group.pod, group.container.name)))
