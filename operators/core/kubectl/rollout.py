"""The merge patches of `kubectl rollout pause`, `resume` and `restart`.

Mirrors k8s.io/kubectl pkg/polymorphichelpers/object{pauser,resumer,restarter}.go.
"""

from operators.core import objects
from operators.core.kubectl.kinds import Refused, kind_of, resource_of
from operators.core.objects import Obj

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"

PAUSABLE = frozenset({"Deployment"})
RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


def pause(obj: Obj) -> Obj:
    """Return the patch that pauses a Deployment."""
    _check(obj, PAUSABLE, "pausing is not supported")
    if obj["spec"].get("paused"):
        raise Refused(_about(obj, "is already paused"))
    return {"spec": {"paused": True}}


def resume(obj: Obj) -> Obj:
    """Return the patch that lets a paused Deployment go on."""
    _check(obj, PAUSABLE, "resuming is not supported")
    if not obj["spec"].get("paused"):
        raise Refused(_about(obj, "is not paused"))
    return {"spec": {"paused": None}}


def restart(obj: Obj, now: str) -> Obj:
    """Return the patch that has every pod replaced: a pod template that differs by the time `now`, in RFC 3339."""
    _check(obj, RESTARTABLE, "restarting is not supported")
    if obj["spec"].get("paused"):
        raise Refused(_about(obj, "can't restart paused deployment (run rollout resume first)"))
    template = obj["spec"]["template"]
    if ((template.get("metadata") or {}).get("annotations") or {}).get(RESTARTED_AT) == now:
        raise Refused(
            f"failed to create patch for {objects.name(obj)}: if restart has already been triggered "
            "within the past second, please wait before attempting to trigger another",
        )
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}}


def _about(obj: Obj, what: str) -> str:
    return f'error: {resource_of(obj)} "{objects.name(obj)}" {what}'


def _check(obj: Obj, kinds: frozenset[str], refusal: str) -> None:
    kind = kind_of(obj)
    if kind is None or kind.kind not in kinds:
        raise Refused(_about(obj, refusal))
