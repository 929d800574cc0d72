"""Whether a rollout is over, and what to say until then: `kubectl rollout status`.

Mirrors k8s.io/kubectl pkg/polymorphichelpers/rollout_status.go.
"""

from collections.abc import Callable
from dataclasses import dataclass

from operators.core.kubectl.history import revision_of
from operators.core.kubectl.kinds import Refused, group_kind, kind_of
from operators.core.objects import Obj


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout is: a line to print, and whether there is anything left to wait for."""

    message: str
    done: bool = False


def progress(obj: Obj, revision: int) -> Progress:
    """Judge a workload's status. `revision` pins the one to wait for; 0 is whichever is the latest."""
    kind = kind_of(obj)
    viewer = VIEWERS.get(kind.kind) if kind else None
    if viewer is None:
        raise Refused(f"no status viewer has been implemented for {group_kind(obj)}")
    return viewer(obj, revision)


def deployment_progress(obj: Obj, revision: int) -> Progress:
    """Judge a Deployment: every replica updated, no old one left, every one available, in this order."""
    meta, status = obj["metadata"], obj.get("status") or {}
    if revision > 0 and (running := revision_of(obj)) != revision:
        raise Refused(f"desired revision ({revision}) is different from the running revision ({running})")
    if meta.get("generation", 0) > status.get("observedGeneration", 0):
        return Progress("Waiting for deployment spec update to be observed...")
    name = meta["name"]
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        raise Refused(f'deployment "{name}" exceeded its progress deadline')
    wanted = obj["spec"].get("replicas", 1)
    total, updated, available = (status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas"))
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new replicas have been updated...")
    if total > updated:
        return Progress(f"{waiting} {total - updated} old replicas are pending termination...")
    if available < updated:
        return Progress(f"{waiting} {available} of {updated} updated replicas are available...")
    return Progress(f'deployment "{name}" successfully rolled out', done=True)


def statefulset_progress(obj: Obj, revision: int) -> Progress:  # noqa: ARG001 - kubectl pins no revision here
    """Judge a StatefulSet: every pod ready, then as many of the new revision as the partition lets."""
    spec, status = obj["spec"], obj.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        raise Refused("rollout status is only available for RollingUpdate strategy type")
    observed = status.get("observedGeneration", 0)
    if observed == 0 or obj["metadata"].get("generation", 0) > observed:
        return Progress("Waiting for statefulset spec update to be observed...")
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    missing = wanted - status.get("readyReplicas", 0)
    if missing > 0:
        return Progress(f"Waiting for {missing} pods to be ready...")
    if (rolling := strategy.get("rollingUpdate")) is not None:
        due = wanted - rolling.get("partition", 0)
        if updated < due:
            finish = f"{updated} out of {due} new pods have been updated..."
            return Progress(f"Waiting for partitioned roll out to finish: {finish}")
        return Progress(f"partitioned roll out complete: {updated} new pods have been updated...", done=True)
    update, current = status.get("updateRevision", ""), status.get("currentRevision", "")
    if update != current:
        return Progress(f"waiting for statefulset rolling update to complete {updated} pods at revision {update}...")
    count = status.get("currentReplicas", 0)
    return Progress(f"statefulset rolling update complete {count} pods at revision {current}...", done=True)


def daemonset_progress(obj: Obj, _revision: int) -> Progress:
    """Judge a DaemonSet: a pod of the present template on every node, then every one of them available."""
    status = obj.get("status") or {}
    strategy = obj["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        raise Refused("rollout status is only available for RollingUpdate strategy type")
    if obj["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return Progress("Waiting for daemon set spec update to be observed...")
    name = obj["metadata"]["name"]
    counts = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    wanted, updated, available = (status.get(field, 0) for field in counts)
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return Progress(f"{waiting} {available} of {wanted} updated pods are available...")
    return Progress(f'daemon set "{name}" successfully rolled out', done=True)


VIEWERS: dict[str, Callable[[Obj, int], Progress]] = {
    "Deployment": deployment_progress,
    "StatefulSet": statefulset_progress,
    "DaemonSet": daemonset_progress,
}
"""The rule of each kind that has one."""
