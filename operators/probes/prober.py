"""Tries the probes of every PodProbe, each at its time, and says when what they amount to has changed.

It runs in the operator's leader (docs/decisions/0008-prober-in-the-leader.md), and reads the caches that the
controllers read. What came of a try is judged in operators.core.probe.worker; what follows from it is the plan's.
"""

import asyncio
import logging
import resource
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from operators.core import objects, selectors
from operators.core.objects import PODPROBES, PODS, Key, Obj
from operators.core.plan import Say
from operators.core.pods import Pod
from operators.core.probe import schedule
from operators.core.probe.plan import reference
from operators.core.probe.restarts import entries
from operators.core.probe.spec import Kind, Method, Probe, Wanted, read
from operators.core.probe.worker import GRACE, Do, Result, State, due, judged, met
from operators.core.probed import Container
from operators.core.selectors import Selector
from operators.probes.found import Found
from operators.probes.lag import Lag
from operators.probes.tries import Tries
from operators.probes.wheel import Timer, Wheel
from operators.runtime import metrics
from operators.runtime.controller import Surroundings
from operators.runtime.wake import NAMESPACE

log = logging.getLogger(__name__)

GATHERING: Final = 0.02
"""Seconds that a change waits for others of the same PodProbe."""
AT_ONCE: Final = 6000
"""How many tries are under way at a time: each holds a socket."""
_RETRIES: Final = 3
"""How often a try that could not be made is made, as upstream."""
_FILES: Final = 16_384


@dataclass(slots=True, eq=False)
class _Group:
    """The probes of one PodProbe for one pod."""

    pod: Pod
    container: Container
    born: datetime
    states: dict[Kind, State] = field(default_factory=dict)
    phases: dict[Kind, float] = field(default_factory=dict)
    timers: dict[Kind, Timer] = field(default_factory=dict)
    tries: dict[Kind, asyncio.Task[None]] = field(default_factory=dict)

    def close(self) -> None:
        """Try nothing any more."""
        for timer in self.timers.values():
            timer.cancel()
        for task in self.tries.values():
            task.cancel()


@dataclass(slots=True)
class _Set:
    """A PodProbe with the pods that it probes, by UID."""

    podprobe: Obj
    wanted: Wanted
    selector: Selector
    groups: dict[str, _Group] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Namespace and name of the PodProbe."""
        return objects.key(self.podprobe)


class Prober:
    """Every probe of the process."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._sets: defaultdict[str, dict[Key, _Set]] = defaultdict(dict)
        """By namespace."""
        self._asked: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._lag = Lag()

    def states(self, key: Key, uid: str) -> Mapping[Kind, State]:
        """Return what is known of a pod's probes so far: nothing, before it has begun and after it has ended."""
        found = self._sets[key[0]].get(key)
        group = found.groups.get(uid) if found else None
        return dict(group.states) if group else {}

    async def run(self, around: Surroundings) -> None:
        """Follow PodProbes and pods, and probe, until cancelled."""
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._wheel = Wheel()
        self._tries = Tries(around.client, self._wheel)
        _allow_files(_FILES)
        around.informers[PODPROBES].subscribe(self._podprobe_changed)
        around.informers[PODS].subscribe(self._pod_changed, replay=False)
        try:
            await self._lag.watch()
        finally:
            for key in [key for sets in self._sets.values() for key in sets]:
                self._drop(key)
            for task in self._tasks:
                task.cancel()
            self._tries.close()

    def _podprobe_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Begin, end, or begin anew with what has changed; the status alone changes nothing but what is to restart."""
        if old is not None and (new is None or objects.uid(old) != objects.uid(new)):
            self._drop(objects.key(old))
        if new is None:
            return
        found = self._sets[objects.key(new)[0]].get(objects.key(new))
        wanted = read(new)
        if found is None:
            found = self._sets[objects.key(new)[0]][objects.key(new)] = _Set(new, wanted, selectors.of(new))
        elif found.wanted.probes != wanted.probes or found.wanted.container != wanted.container:
            for uid in list(found.groups):
                self._leave(found, uid)
        found.podprobe, found.wanted, found.selector = new, wanted, selectors.of(new)
        if old is None or objects.generation(old) != objects.generation(new) or objects.uid(old) != objects.uid(new):
            for pod in self._around.informers[PODS].by(NAMESPACE, found.key[0]):
                self._meet(found, pod)
        self._restart_in_place(found)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """Begin with a pod that is new, tell what has changed about it, and end with one that is gone."""
        pod = new or old
        if pod is None:
            return
        for found in self._sets[pod.namespace].values():
            if old is not None and (new is None or new.uid != old.uid):
                self._leave(found, old.uid)
            if new is not None:
                self._meet(found, new)

    def _drop(self, key: Key) -> None:
        found = self._sets[key[0]].pop(key, None)
        if found is None:
            return
        for uid in list(found.groups):
            self._leave(found, uid)
        metrics.forget_probes(*key)

    def _leave(self, found: _Set, uid: str) -> None:
        group = found.groups.pop(uid, None)
        if group is not None:
            group.close()
            for kind in group.states:
                metrics.prober_workers.labels(kind).dec()
            self._asked = {asked for asked in self._asked if asked[0] != uid}
            self._around.wake(found.key, GATHERING)

    def _meet(self, found: _Set, pod: Pod) -> None:
        """Look at a pod as it is now."""
        container = pod.probed.container(found.wanted.container) if pod.probed and _is_probed(found, pod) else None
        if container is None:
            self._leave(found, pod.uid)
            return
        group = found.groups.get(pod.uid)
        if group is None:
            group = found.groups[pod.uid] = _Group(pod, container, self._now())
            for kind in found.wanted.probes:
                group.states[kind] = State()
                group.phases[kind] = schedule.place(pod.uid, f"{found.key[1]}/{kind}", found.wanted.probes[kind].period)
                metrics.prober_workers.labels(kind).inc()
            self._around.wake(found.key, GATHERING)
        other = container.id != group.container.id or not group.timers
        group.pod, group.container = pod, container
        now = self._now()
        for kind, probe in found.wanted.probes.items():
            before = group.states[kind]
            group.states[kind] = met(before, probe, pod, container, born=group.born, now=now)
            if group.states[kind].result != before.result:
                self._around.wake(found.key, GATHERING)
            if other and container.is_running:
                self._begin(found, group, probe)

    def _begin(self, found: _Set, group: _Group, probe: Probe) -> None:
        """Set the time of the first try for a container."""
        since = group.container.running_since or group.born
        delay = (since + timedelta(seconds=probe.initial_delay) - self._now()).total_seconds()
        moment = schedule.first(
            self._loop.time(),
            group.phases[probe.kind],
            probe.period,
            delay=max(0.0, delay),
            is_new=since >= group.born - GRACE,
        )
        self._set(found, group, probe, moment)

    def _set(self, found: _Set, group: _Group, probe: Probe, moment: float) -> None:
        if (timer := group.timers.get(probe.kind)) is not None:
            timer.cancel()
        group.timers[probe.kind] = self._wheel.call_at(moment, partial(self._fire, found, group, probe, moment))

    def _fire(self, found: _Set, group: _Group, probe: Probe, moment: float) -> None:
        """Try, if it may be tried now; in any case set the next time."""
        state = group.states[probe.kind]
        if due(state, probe, group.container, group.states.get(Kind.STARTUP), self._now()) == Do.WAIT:
            self._again(found, group, probe, moment)
            return
        task = self._loop.create_task(self._try(found, group, probe, moment))
        group.tries[probe.kind] = task

    def _again(self, found: _Set, group: _Group, probe: Probe, moment: float) -> None:
        moment = schedule.after(moment, self._loop.time(), group.phases[probe.kind], probe.period)
        self._set(found, group, probe, moment)

    async def _try(self, found: _Set, group: _Group, probe: Probe, moment: float) -> None:
        """Make a try and take what came of it into account, unless there is another container by now."""
        container = group.container
        try:
            async with self._slots:
                started = self._loop.time()
                self._lag.note(started - moment)
                for _ in range(_RETRIES):
                    what = await self._tries.make(probe, group.pod, container)
                    if what.result != Result.UNKNOWN:
                        break
                self._count(found, probe, what, self._loop.time() - started)
            if group.states[probe.kind].container == container.id:
                self._judge(found, group, probe, what)
        except Exception:  # one probe's defect must not end it, nor any other
            log.exception("%s probe of %s/%s", probe.kind, *group.pod.key)
        if group is found.groups.get(group.pod.uid):
            self._again(found, group, probe, moment)

    def _judge(self, found: _Set, group: _Group, probe: Probe, what: Found) -> None:
        before = group.states[probe.kind]
        self._say(group, probe, what)
        after = group.states[probe.kind] = judged(before, probe, what.result, what.message, self._now())
        if after.result == before.result:
            return
        self._around.wake(found.key, GATHERING)
        if probe.kind == Kind.STARTUP and after.result == Result.SUCCESS:
            for other in found.wanted.probes.values():
                if other.kind != Kind.STARTUP:
                    self._begin(found, group, other)

    def _say(self, group: _Group, probe: Probe, what: Found) -> None:
        """Record the event that upstream records."""
        if what.result == Result.FAILURE:
            reason, message = "Unhealthy", f"{probe.kind} probe failed: {what.message}"
        elif what.result == Result.UNKNOWN:
            reason, message = "Unhealthy", f"{probe.kind} probe errored and resulted in unknown state: {what.message}"
        elif what.warns:
            reason, message = "ProbeWarning", f"{probe.kind} probe warning: {what.message}"
        else:
            return
        self._around.say(Say("Warning", reason, message, reference(group.pod, group.container.name)))

    def _count(self, found: _Set, probe: Probe, what: Found, took: float) -> None:
        metrics.probed(probe.kind, what.result, *found.key)
        if what.result == Result.SUCCESS:
            metrics.probe_took(probe.kind, *found.key, took)

    def _restart_in_place(self, found: _Set) -> None:
        """Ask each container on record to end, once."""
        if found.wanted.restart.method != Method.IN_PLACE:
            return
        for entry in entries(found.podprobe.get("status") or {}):
            group = found.groups.get(entry.uid)
            if group is None or group.container.id != entry.container or (entry.uid, entry.container) in self._asked:
                continue
            self._asked.add((entry.uid, entry.container))
            task = self._loop.create_task(self._end(group, found.wanted.restart.command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self, group: _Group, command: tuple[str, ...]) -> None:
        """Have the command run by which a container ends; if it does not end, its pod is evicted in the end."""
        what = await self._tries.run(group.pod, group.container.name, command)
        if what.result != Result.SUCCESS:
            message = f"Container {group.container.name} cannot be restarted in place: {what.message}"
            self._around.say(Say("Warning", "FailedKillPod", message, reference(group.pod, group.container.name)))


def _is_probed(found: _Set, pod: Pod) -> bool:
    return pod.namespace == found.key[0] and pod.probed is not None and found.selector.matches(pod.labels)


def _allow_files(number: int) -> None:
    """Let the process have that many sockets open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (number if hard == resource.RLIM_INFINITY else min(number, hard), hard)
        )
