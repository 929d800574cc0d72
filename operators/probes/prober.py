"""Tries the probes of every PodProbe, each at its time, and says when what they amount to has changed.

It runs in the operator's leader (docs/decisions/0008-prober-in-the-leader.md), and reads the caches that the
controllers read. What came of a try is judged in operators.core.probe.worker; what follows from it is the plan's.
"""

import asyncio
import resource
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from operators.core import objects, selectors
from operators.core.objects import PODPROBES, PODS, Key, Obj
from operators.core.plan import Say
from operators.core.pods import Pod
from operators.core.probe.plan import reference
from operators.core.probe.restarts import entries
from operators.core.probe.spec import Kind, Method, Wanted, read
from operators.core.probe.worker import Result, State
from operators.core.selectors import Selector
from operators.probes.worker import GATHERING, Group, Shared, Worker
from operators.runtime import metrics
from operators.runtime.controller import Surroundings
from operators.runtime.wake import NAMESPACE

_FILES: Final = 16_384


@dataclass(slots=True)
class _Set:
    """A PodProbe with the pods that it probes, by UID."""

    podprobe: Obj
    wanted: Wanted
    selector: Selector
    groups: dict[str, Group] = field(default_factory=dict)

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

    def states(self, key: Key, uid: str) -> Mapping[Kind, State]:
        """Return what is known of a pod's probes so far: nothing, before it has begun and after it has ended."""
        found = self._sets[key[0]].get(key)
        group = found.groups.get(uid) if found else None
        return {kind: worker.state for kind, worker in group.workers.items()} if group else {}

    async def run(self, around: Surroundings) -> None:
        """Follow PodProbes and pods, and probe, until cancelled."""
        self._around = around
        self._shared = Shared(around, self._now)
        _allow_files(_FILES)
        around.informers[PODPROBES].subscribe(self._podprobe_changed)
        around.informers[PODS].subscribe(self._pod_changed, replay=False)
        try:
            await self._shared.lag.watch()
        finally:
            for key in [key for sets in self._sets.values() for key in sets]:
                self._drop(key)
            for task in self._tasks:
                task.cancel()
            self._shared.tries.close()

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
            group = found.groups[pod.uid] = Group(found.key, pod, container, self._now())
            group.workers |= {kind: Worker(self._shared, group, probe) for kind, probe in found.wanted.probes.items()}
            self._around.wake(found.key, GATHERING)
        other = container.id != group.container.id
        group.pod, group.container = pod, container
        for worker in group.workers.values():
            worker.meet()
            if container.is_running and (other or not worker.has_begun):
                worker.begin()

    def _restart_in_place(self, found: _Set) -> None:
        """Ask each container on record to end, once."""
        if found.wanted.restart.method != Method.IN_PLACE:
            return
        for entry in entries(found.podprobe.get("status") or {}):
            group = found.groups.get(entry.uid)
            if group is None or group.container.id != entry.container or (entry.uid, entry.container) in self._asked:
                continue
            self._asked.add((entry.uid, entry.container))
            task = asyncio.create_task(self._end(group, found.wanted.restart.command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self, group: Group, command: tuple[str, ...]) -> None:
        """Have the command run by which a container ends; if it does not end, its pod is evicted in the end."""
        what = await self._shared.tries.run(group.pod, group.container.name, command)
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
