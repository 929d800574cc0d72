"""What probes ask of a pod, and nobody else does: where it is reached, and how its container fares.

It also says what probes have said of it: so that a Service need not wait for the kubelet to say the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Probed:
    """The facts. conditions are the status of each condition of a probe's or of a readiness gate, by type."""

    ip: str
    containers: tuple[Container, ...]
    gates: frozenset[str]
    conditions: Mapping[str, str]

    def container(self, name: str) -> Container | None:
        """Return the container of a name, the first one where the name is empty."""
        if not name:
            return self.containers[0] if self.containers else None
        return next((one for one in self.containers if one.name == name), None)

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
    gates = frozenset(gate["conditionType"] for gate in spec.get("readinessGates") or ())
    return Probed(
        ip=status["podIP"],
        containers=tuple(_containers(spec, status)),
        gates=gates,
        conditions={
            condition["type"]: condition["status"]
            for condition in status.get("conditions") or ()
            if condition["type"] in gates or condition["type"].startswith(PREFIX)
        },
    )


def _containers(spec: Obj, status: Obj) -> Iterator[Container]:
    """Yield the containers, the sidecars last, as upstream goes through them."""
    states = {one["name"]: one for one in status.get("containerStatuses") or ()}
    states |= {one["name"]: one for one in status.get("initContainerStatuses") or ()}
    sidecars = (one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        state = states.get(container["name"]) or {}
        running = (state.get("state") or {}).get("running")
        since = (running or {}).get("startedAt")
        yield Container(
            name=container["name"],
            id=state.get("containerID") or since or "",  # simulated containers have none
            running_since=objects.parse_time(since) if since else None,
            started=state.get("started") is not False,
            ports=tuple((p["name"], p["containerPort"]) for p in container.get("ports") or () if p.get("name")),
        )
