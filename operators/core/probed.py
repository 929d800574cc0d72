"""What probes ask of a pod, and nobody else does: where it is reached, and how its container fares.

It also says what probes have said of it: so that a Service need not wait for the kubelet to say the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from operators.core import objects
from operators.core.objects import Obj

PREFIX: Final = "probe.kopfwerk.dev/"
"""Of the conditions that PodProbes set: their name follows."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container that runs side by side with others: no init container, but for sidecars."""

    name: str
    id: str
    """Another for each time that it is started, and empty where it has not been yet."""
    running_since: datetime | None
    """None where it does not run."""
    started: bool
    """Whether the kubelet's own startup probe, if it has one, has passed."""
    ports: tuple[tuple[str, int], ...]
    """Those that have names."""

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.running_since is not None


Ports: TypeAlias = tuple[tuple[str, int], ...]
_Run: TypeAlias = tuple[str, str | None, bool]
"""ID, start and whether started, of a container."""
_NONE: Final[frozenset[str]] = frozenset()
_NOTHING: Final[Mapping[str, str]] = {}
_NO_RUN: Final[_Run] = "", None, True


class Probed(NamedTuple):
    """The facts, of which every pod of the cache has some: so those of its containers are told apart only if asked.

    conditions are the status of each condition of a probe's or of a readiness gate, by type.
    """

    ip: str
    gates: frozenset[str]
    conditions: Mapping[str, str]
    named: tuple[tuple[str, Ports], ...]
    """The containers' names with their ports, the sidecars last, as upstream goes through them."""
    runs: tuple[_Run, ...]
    """What is known of each of them."""

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers, in order."""
        return tuple(map(_container, self.named, self.runs))

    def container(self, name: str) -> Container | None:
        """Return the container of a name, the first one where the name is empty."""
        for named, run in zip(self.named, self.runs, strict=True):
            if not name or named[0] == name:
                return _container(named, run)
        return None

    @property
    def keeps_out(self) -> bool:
        """Whether a probe or a readiness gate says that it is not ready, which the kubelet may not have heard yet."""
        if any(self.conditions.get(gate) != "True" for gate in self.gates):
            return True
        return any(status == "False" for type_, status in self.conditions.items() if type_.startswith(PREFIX))


def parse(obj: Obj) -> Probed | None:
    """Read a pod from the apiserver's JSON; None of one that is on no node yet, or has ended."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not status.get("podIP") or status.get("phase") in ("Failed", "Succeeded"):
        return None
    found = spec.get("readinessGates")
    gates = frozenset(gate["conditionType"] for gate in found) if found else _NONE
    conditions = {
        condition["type"]: condition["status"]
        for condition in status.get("conditions") or ()
        if condition["type"] in gates or condition["type"].startswith(PREFIX)
    }
    states = {one["name"]: _run(one) for one in status.get("containerStatuses") or ()}
    for one in status.get("initContainerStatuses") or ():
        states[one["name"]] = _run(one)
    named = _shared(tuple(_named(spec)))
    runs = tuple([states.get(name, _NO_RUN) for name, _ in named])
    addresses = status.get("podIPs")
    ip = addresses[0]["ip"] if addresses else status["podIP"]  # the string that the pod has of it anyway
    return Probed(ip, gates, conditions or _NOTHING, named, runs)


@lru_cache(maxsize=4096)
def _shared(named: tuple[tuple[str, Ports], ...]) -> tuple[tuple[str, Ports], ...]:
    """Return the one tuple of all pods that have the same containers, as those of a workload do."""
    return named


def _named(spec: Obj) -> Iterator[tuple[str, Ports]]:
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *sidecars):
        ports = container.get("ports") or ()
        yield container["name"], tuple([(p["name"], p["containerPort"]) for p in ports if p.get("name")])


def _run(state: Obj) -> _Run:
    since = ((state.get("state") or {}).get("running") or {}).get("startedAt")
    identity = state.get("containerID") or since or ""  # simulated containers have none
    return identity, since, state.get("started") is not False


def _container(named: tuple[str, Ports], run: _Run) -> Container:
    identity, since, started = run
    return Container(named[0], identity, objects.parse_time(since) if since else None, started, named[1])
