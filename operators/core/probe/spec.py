"""What a PodProbe asks for, read from its spec. Mirrors v1.Probe, with seconds that may have a fraction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from operators.core import objects
from operators.core.objects import Obj
from operators.core.probed import PREFIX, Container


class Kind(StrEnum):
    """What a probe is for, by the names that upstream's events and metrics have."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"

    @property
    def field(self) -> str:
        """The field of the spec, as in a container."""
        return f"{self.lower()}Probe"


@dataclass(frozen=True, slots=True)
class HttpGet:
    """A GET that has to be answered with 200 to 399. Without a host it goes to the pod's own address."""

    port: int | str
    path: str
    scheme: str
    host: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """A connection that has to come about."""

    port: int | str
    host: str


@dataclass(frozen=True, slots=True)
class Grpc:
    """A call of grpc.health.v1.Health/Check that has to be answered with SERVING."""

    port: int
    service: str


@dataclass(frozen=True, slots=True)
class Exec:
    """A command in the container that has to end with 0."""

    command: tuple[str, ...]


Action: TypeAlias = HttpGet | TcpSocket | Grpc | Exec


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe. Times are in seconds."""

    kind: Kind
    action: Action
    initial_delay: float
    period: float
    timeout: float
    success_threshold: int
    failure_threshold: int


class Method(StrEnum):
    """How a container that fails its liveness or startup probe is restarted."""

    EVICT = "Evict"
    IN_PLACE = "InPlace"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Restart:
    """What `spec.restart` says. limit is a number of pods or a percentage of those that match."""

    method: Method
    limit: int | str
    base: timedelta
    longest: timedelta
    recovery: timedelta
    command: tuple[str, ...]


SHELL_KILL: Final = ("/bin/sh", "-c", "kill 1")
"""Asks the container's first process to end: the kubelet starts it again, as the pod's restartPolicy says."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A whole spec. container is empty for the pod's first."""

    container: str
    probes: Mapping[Kind, Probe]
    restart: Restart


def read(podprobe: Obj) -> Wanted:
    """Read a PodProbe's spec; what is not said is as the schema's defaults are."""
    spec = podprobe["spec"]
    found = ((kind, spec.get(kind.field)) for kind in Kind)
    return Wanted(
        container=spec.get("container", ""),
        probes={kind: _probe(kind, probe) for kind, probe in found if probe},
        restart=_restart(spec.get("restart") or {}),
    )


def condition_type(name: str) -> str:
    """Return the type of the condition that the PodProbe of a name sets."""
    return PREFIX + name


def condition_of(podprobe: Obj) -> str:
    """Return the type of the condition that a PodProbe sets."""
    return condition_type(objects.name(podprobe))


class PortError(ValueError):
    """A port that the container does not have, in upstream's words."""


def port(wanted: int | str, container: Container) -> int:
    """Return a port's number (probe.ResolveContainerPort). Raises PortError."""
    if isinstance(wanted, int):
        return wanted
    for name, number in container.ports:
        if name == wanted:
            return number
    raise PortError(f'port "{wanted}" not found')


def _probe(kind: Kind, probe: Obj) -> Probe:
    return Probe(
        kind=kind,
        action=_action(probe),
        initial_delay=float(probe.get("initialDelaySeconds", 0)),
        period=float(probe.get("periodSeconds", 10)),
        timeout=float(probe.get("timeoutSeconds", 1)),
        success_threshold=probe.get("successThreshold", 1),
        failure_threshold=probe.get("failureThreshold", 3),
    )


def _action(probe: Obj) -> Action:
    if http := probe.get("httpGet"):
        return HttpGet(
            port=http["port"],
            path=http.get("path", "/"),
            scheme=http.get("scheme", "HTTP").lower(),
            host=http.get("host", ""),
            headers=tuple((header["name"], header.get("value", "")) for header in http.get("httpHeaders") or ()),
        )
    if tcp := probe.get("tcpSocket"):
        return TcpSocket(tcp["port"], tcp.get("host", ""))
    if grpc := probe.get("grpc"):
        return Grpc(grpc["port"], grpc.get("service", ""))
    return Exec(tuple(probe["exec"]["command"]))


def _restart(restart: Obj) -> Restart:
    return Restart(
        method=Method(restart.get("method", Method.EVICT)),
        limit=restart.get("maxConcurrent", 1),
        base=timedelta(seconds=restart.get("baseDelaySeconds", 10)),
        longest=timedelta(seconds=restart.get("maxDelaySeconds", 300)),
        recovery=timedelta(seconds=restart.get("recoverySeconds", 300)),
        command=tuple(restart.get("command") or SHELL_KILL),
    )
