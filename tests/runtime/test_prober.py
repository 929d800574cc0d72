"""The prober in virtual time: when it tries, in which order, how it follows pods, and what it says."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from operators.core.objects import PODPROBES, PODS, Key, Obj
from operators.core.plan import Say
from operators.core.pods import Pod
from operators.core.probe.spec import Kind, Probe
from operators.core.probe.worker import Result
from operators.core.probed import Container
from operators.probes import worker as module
from operators.probes.found import Found
from operators.probes.prober import Prober
from operators.runtime.controller import Surroundings
from operators.runtime.informer import Informer, Informers
from operators.runtime.wake import obj_indexers, pod_indexers
from tests.runtime.scripted import Scripted
from tests.support.builders import NOW
from tests.support.probes import podprobe, probed
from tests.support.virtual import virtual

OK, BAD, HUH = Result.SUCCESS, Result.FAILURE, Result.UNKNOWN


@dataclass
class World:
    """A prober among pods, whose probes find what `finds` says."""

    finds: Callable[[Probe, Pod], Result] = lambda _probe, _pod: OK
    takes: float = 0.0
    tried: list[tuple[float, str, str]] = field(default_factory=list)
    woken: list[Key] = field(default_factory=list)
    said: list[Say] = field(default_factory=list)

    def __post_init__(self) -> None:
        client = Scripted()
        self.informers = Informers()
        self.podprobes = Informer(client, PODPROBES, lambda obj: obj, obj_indexers())
        self.pods: Informer[Pod] = Informer(client, PODS, lambda pod: pod["parsed"], pod_indexers())
        self.informers.add(self.podprobes)
        self.informers.add(self.pods)
        self.prober = Prober(lambda: NOW + timedelta(seconds=asyncio.get_running_loop().time()))
        self._version = 0

    def put(self, pod: Pod) -> None:
        """Show a pod, new or changed."""
        self._version += 1
        meta = {"namespace": pod.namespace, "name": pod.name, "resourceVersion": str(self._version)}
        self.pods._store({"metadata": meta, "parsed": pod})

    def ask(self, obj: Obj, generation: int = 1) -> None:
        """Show a PodProbe, new or changed."""
        self._version += 1
        meta = obj["metadata"] | {"resourceVersion": str(self._version), "generation": generation}
        self.podprobes._store(obj | {"metadata": meta})

    async def run(self, seconds: float) -> None:
        """Let time pass."""
        if not hasattr(self, "_task"):
            wake = lambda key, _after: self.woken.append(key)  # noqa: E731
            around = Surroundings(self.informers, Scripted(), wake, self.said.append)
            self._task = asyncio.create_task(self.prober.run(around))
        await asyncio.sleep(seconds)
        if self._task.done():
            self._task.result()

    async def end(self) -> None:
        """Stop."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def results(self, name: str = "pod") -> dict[Kind, Result | None]:
        """Return what the probes of a pod amount to."""
        return {kind: state.result for kind, state in self.prober.states(("ns", "web"), f"uid-{name}").items()}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose tries are made here."""
    made = World()

    class Tries:
        """Stands for the network."""

        def __init__(self, _client: object, _wheel: object) -> None:
            """Need nothing."""

        def close(self) -> None:
            """Have nothing to close."""

        def begin(
            self, probe: Probe, pod: Pod, _container: Container, told: Callable[[Found], None]
        ) -> Callable[[], object]:
            """Find what the world says, when it has taken its time."""
            loop = asyncio.get_running_loop()
            made.tried.append((loop.time(), pod.name, str(probe.kind)))
            return loop.call_later(made.takes, lambda: told(Found(made.finds(probe, pod), "why"))).cancel

    monkeypatch.setattr(module, "Tries", Tries)
    return made


def times(world: World, kind: str = "Readiness") -> list[float]:
    """Return when a kind was tried."""
    return [when for when, _, what in world.tried if what == kind]


@virtual
async def _every_period(world: World) -> None:
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"periodSeconds": 5}))
    await world.run(60)
    await world.end()
    found = times(world)
    assert found[0] <= 1
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert 2.5 <= gaps[0] <= 7.5
    assert gaps[1:] == pytest.approx([5.0] * len(gaps[1:]))


def test_every_period(world: World) -> None:
    """The first try is made at once, the others keep to a grid."""
    _every_period(world)


@virtual
async def _spread(world: World) -> None:
    for number in range(1000):
        world.put(probed(f"pod-{number}", running=3600))
    world.ask(podprobe(readiness={"periodSeconds": 10}))
    await world.run(10)
    await world.end()
    seconds = [sum(int(when) == second for when in times(world)) for second in range(10)]
    assert sum(seconds) == 1000
    assert max(seconds) < 150


def test_a_thousand_do_not_fire_together(world: World) -> None:
    """Pods that are all there already are spread over the period."""
    _spread(world)


@virtual
async def _slow(world: World) -> None:
    world.takes = 2.5
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"periodSeconds": 1, "timeoutSeconds": 3}))
    await world.run(20)
    await world.end()
    found = times(world)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert min(gaps) > 2.499
    assert max(gaps) < 3.6


def test_a_probe_never_overlaps_itself(world: World) -> None:
    """What takes longer than a period is tried again when it is over, and nothing is made up for."""
    _slow(world)


@virtual
async def _order(world: World) -> None:
    world.finds = lambda probe, _pod: BAD if probe.kind == Kind.STARTUP and len(world.tried) < 4 else OK
    world.put(probed(running=0))
    world.ask(podprobe(startup={"periodSeconds": 5, "failureThreshold": 10}, readiness={}, liveness={}))
    await world.run(100)
    assert world.results() == dict.fromkeys(Kind, OK)
    await world.end()
    kinds = [kind for _, _, kind in world.tried]
    assert kinds[:4] == ["Startup"] * 4
    assert "Startup" not in kinds[4:]
    assert {"Readiness", "Liveness"} <= set(kinds[4:6])
    assert world.tried[5][0] - world.tried[3][0] <= 1.001


def test_startup_comes_first(world: World) -> None:
    """Readiness and liveness wait for it, and follow at once."""
    _order(world)


@virtual
async def _delay(world: World) -> None:
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"initialDelaySeconds": 7.5, "periodSeconds": 1}))
    await world.run(20)
    await world.end()
    assert 7.5 <= times(world)[0] <= 8.6


def test_initial_delay(world: World) -> None:
    """It is not tried before, and soon after."""
    _delay(world)


@virtual
async def _errors(world: World) -> None:
    world.finds = lambda _probe, _pod: HUH
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"periodSeconds": 5}))
    await world.run(2)
    assert world.results() == {Kind.READINESS: BAD}  # as it began
    await world.end()
    assert len(world.tried) == 3
    assert [say.message for say in world.said] == ["Readiness probe errored and resulted in unknown state: why"]


def test_what_could_not_be_made_is_tried_three_times(world: World) -> None:
    """As upstream does; then it is said, and counts for nothing."""
    _errors(world)


@virtual
async def _another(world: World) -> None:
    world.takes = 3
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"periodSeconds": 10, "timeoutSeconds": 5}))
    await world.run(2)
    world.put(probed(running=-2, container="c2"))
    world.finds = lambda _probe, _pod: BAD
    await world.run(2.5)
    assert world.results() == {Kind.READINESS: BAD}  # as it began
    await world.end()
    assert world.said == []


def test_a_try_of_another_container_counts_for_nothing(world: World) -> None:
    """What came of it is not the new one's, which has not had its turn."""
    _another(world)


@virtual
async def _unhealthy(world: World) -> None:
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"periodSeconds": 1}))
    await world.run(3)
    assert world.results() == {Kind.READINESS: OK}
    world.finds = lambda _probe, _pod: BAD
    woken = len(world.woken)
    await world.run(4)
    assert world.results() == {Kind.READINESS: BAD}
    assert len(world.woken) == woken + 1
    await world.end()
    assert {(say.type, say.reason, say.message) for say in world.said} == {
        ("Warning", "Unhealthy", "Readiness probe failed: why")
    }


def test_transitions_alone_wake_the_controller(world: World) -> None:
    """Every failure is an event; but only what changes the result is worth a look."""
    _unhealthy(world)


@virtual
async def _follows(world: World, change: Any, want: int) -> None:
    world.put(probed(running=0))
    world.ask(podprobe(readiness={"periodSeconds": 1}))
    await world.run(5)
    change(world)
    world.tried.clear()
    await world.run(5)
    await world.end()
    assert len(world.tried) == pytest.approx(want, abs=1 if want else 0)


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param(lambda w: w.pods._remove(("ns", "pod")), 0, id="the pod is gone"),
        pytest.param(lambda w: w.put(probed(phase="Succeeded")), 0, id="the pod has ended"),
        pytest.param(lambda w: w.put(probed(labels={"app": "other"})), 0, id="the pod is another's"),
        pytest.param(lambda w: w.put(probed(running=None, container="c2")), 0, id="the container does not run"),
        pytest.param(lambda w: w.put(probed(running=0, container="c2")), 5, id="there is another container"),
        pytest.param(lambda w: w.podprobes._remove(("ns", "web")), 0, id="the PodProbe is gone"),
        pytest.param(
            lambda w: w.ask(podprobe(readiness={"periodSeconds": 0.5}), generation=2), 10, id="it asks more often"
        ),
        pytest.param(
            lambda w: w.ask(podprobe(readiness={"periodSeconds": 1}, status={"matched": 1})), 5, id="its status"
        ),
        pytest.param(lambda w: w.put(probed("other", running=0)), 10, id="another pod"),
    ],
)
def test_it_follows_what_changes(world: World, change: Any, want: int) -> None:
    """Pods come and go, containers are replaced, and PodProbes are edited."""
    _follows(world, change, want)
