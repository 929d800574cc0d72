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


VIEWERS: dict[str, Callable[[Obj, int], Progress]] = {"Deployment": deployment_progress}
"""The rule of each kind that has one."""
