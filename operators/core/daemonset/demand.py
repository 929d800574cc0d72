"""What each node lacks and has too much of. Mirrors podsShouldBeOnNode in daemon_controller.go."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from operators.core.daemonset.history import HASH_LABEL
from operators.core.daemonset.members import Members
from operators.core.daemonset.observed import Observed, allows_surge
from operators.core.plan import Say
from operators.core.pods import Pod


@dataclass(slots=True)
class Demand:
    """Nodes to make a pod on, pods to delete, what to say about them, and when to look at a failed pod again.

    retried: the nodes where a failed pod goes, so that the next one there has to wait.
    """

    create: list[str] = field(default_factory=list)
    delete: list[Pod] = field(default_factory=list)
    events: list[Say] = field(default_factory=list)
    again: timedelta | None = None
    retried: set[str] = field(default_factory=set)


def demand(observed: Observed, members: Members) -> Demand:
    """Go through the nodes by name, then through the pods that wait for a node that is gone."""
    found = Demand()
    surge = allows_surge(observed.daemonset)
    for name, verdict in members.verdicts.items():
        pods = members.pods.get(name)
        if pods is None:
            if verdict.run:
                found.create.append(name)
            continue
        present = [pod for pod in pods if not pod.terminating]
        if not verdict.stay:
            found.delete += present
            continue
        running = _without_ended(observed, name, present, found)
        if not surge:
            found.delete += running[1:]
        elif not running and verdict.run:
            found.create.append(name)
        else:
            found.delete += _too_many(members, running)
    for name, pods in members.pods.items():
        if name not in members.nodes:
            found.delete += [pod for pod in pods if not pod.node and not pod.terminating]
    return found


def _without_ended(observed: Observed, node: str, pods: Iterable[Pod], found: Demand) -> list[Pod]:
    """Return the pods that have not ended; the others are deleted, a failed one not before its node's back-off ends."""
    running: list[Pod] = []
    retry = observed.retries.get(node)
    wait = timedelta() if retry is None or retry.is_forgotten(observed.now) else retry.wait(observed.now)
    for pod in pods:
        if pod.phase == "Failed":
            if wait:
                found.again = min(wait, found.again or wait)
            elif node not in found.retried:  # its deletion begins the wait of the next
                found.retried.add(node)
                found.events.append(Say("Warning", "FailedDaemonPod", _found("failed", "kill", pod, node)))
                found.delete.append(pod)
        elif pod.phase == "Succeeded":
            found.events.append(Say("Normal", "SucceededDaemonPod", _found("succeeded", "delete", pod, node)))
            found.delete.append(pod)
        else:
            running.append(pod)
    return running


def _found(how: str, then: str, pod: Pod, node: str) -> str:
    return f"Found {how} daemon pod {pod.namespace}/{pod.name} on node {node}, will try to {then} it"


def _too_many(members: Members, running: list[Pod]) -> list[Pod]:
    """Return the pods that a surging update can spare on one node: all but the oldest new one and the oldest old one.

    The old one goes too, once it is not ready any more or the new one is available.
    """
    new = [pod for pod in running if pod.labels.get(HASH_LABEL) == members.digest]
    old = [pod for pod in running if pod.labels.get(HASH_LABEL) != members.digest]
    doomed = [*new[1:], *old[1:]]
    if new and old and (not old[0].ready or members.is_available(new[0])):
        doomed.append(old[0])
    return doomed
