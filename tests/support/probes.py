"""PodProbes and what their controller observes, for tests: what a case is about is said, all else is filled in."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

from operators.core import pods
from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.probe import Member, Observed
from operators.core.probe.spec import Kind, Probe, read
from operators.core.probe.worker import Result, State
from operators.probes.dialer import Dialer
from operators.probes.wheel import Wheel
from tests.support.builders import NOW, ago, metadata

CONDITION = "probe.kopfwerk.dev/web"


@contextmanager
def dialing() -> Iterator[Dialer]:
    """Have a dialer, on the loop that runs."""
    with closing(Dialer(Wheel())) as dialer:
        yield dialer


def podprobe(*, status: Obj | None = None, restart: Obj | None = None, **probes: Obj) -> Obj:
    """Return a PodProbe that selects app=web, with a readiness probe unless told otherwise."""
    wanted = {
        f"{kind}Probe": {"tcpSocket": {"port": 80}} | spec for kind, spec in (probes or {"readiness": {}}).items()
    }
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "PodProbe",
        "metadata": metadata("web"),
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "restart": restart or {}, **wanted},
        "status": status or {},
    }


def probe(kind: Kind = Kind.READINESS, **spec: Any) -> Probe:
    """Return one probe."""
    return read(podprobe(**{kind.lower(): spec})).probes[kind]


def probed(
    name: str = "pod",
    *,
    running: float | None = 60,
    container: str = "c1",
    started: bool | None = None,
    says: str | None = None,
    gated: bool = False,
    ready: bool = True,
    phase: str = "Running",
    age: float = 600,
    deleting: bool = False,
    ip: str = "10.0.0.1",
    labels: dict[str, str] | None = None,
) -> Pod:
    """Return a pod whose container has been running for some seconds; `says` is its condition's status."""
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": ago(30)}]
    if says is not None:
        conditions.append({"type": CONDITION, "status": says})
    state = {"running": {"startedAt": ago(running)}} if running is not None else {"waiting": {}}
    status = {"name": "app", "containerID": container, "state": state, "restartCount": 0}
    if started is not None:
        status["started"] = started
    return pods.parse(
        {
            "metadata": metadata(name, labels=labels or {"app": "web"}, age=age, deleting=deleting),
            "spec": {
                "nodeName": "node-1",
                "containers": [{"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}],
                **({"readinessGates": [{"conditionType": CONDITION}]} if gated else {}),
            },
            "status": {
                "phase": phase,
                "podIP": ip,
                "podIPs": [{"ip": ip}],
                "conditions": conditions,
                "containerStatuses": [status],
            },
        }
    )


def state(result: Result | None, since: float = 20, message: str = "", container: str = "c1") -> State:
    """Return the state of a probe that became so some seconds ago."""
    return State(container, result, since=NOW - timedelta(seconds=since), message=message)


def member(pod: Pod, **states: State) -> Member:
    """Return a pod with its probes' states, by their kind in small letters."""
    container = pod.probed.container("") if pod.probed else None
    return Member(pod, container, {Kind(kind.capitalize()): found for kind, found in states.items()})


def seen(parent: Obj, *members: Member, left: tuple[Pod, ...] = (), after: float = 0) -> Observed:
    """Return what a sync sees, `after` seconds later than NOW."""
    return Observed(parent, members, left, NOW + timedelta(seconds=after))
