"""What of an object may change, where the schema's rules cannot tell.

Of the template of a suspended Job: when it may change at all is a rule of the schema; what of it is decided here.
Mirrors validatePodTemplateUpdate in pkg/apis/batch/validation/validation.go. Of a Service the address: that it stays is
a rule of the schema, but not that one which was allocated does (validateUpgradeDowngradeClusterIPs in core).
"""

from typing import Final

from operators.core.admission.review import Review
from operators.core.objects import KOPFWERK, Obj

_SCHEDULING: Final = ("affinity", "nodeSelector", "tolerations", "schedulingGates")
"""What decides where the pods go. Of the affinity, only that to nodes may change."""


def refusal(review: Review) -> str | None:
    """Return why an update is refused, in upstream's words, or None where it is not."""
    if review.obj["kind"] == "Service" and review.old is not None:
        return _of_service(review.obj, review.old)
    if review.obj["kind"] != "Job" or review.old is None:
        return None
    if _fixed(review.obj) == _fixed(review.old):
        return None
    name = review.obj["metadata"]["name"]
    return f'Job.{KOPFWERK} "{name}" is invalid: spec.template.spec: Invalid value: field is immutable'


def _fixed(job: Obj) -> Obj:
    """Return what a pod is made from, less what may change while no pod has been made from it."""
    spec: Obj = (job["spec"].get("template") or {}).get("spec") or {}
    fixed = {field: value for field, value in spec.items() if field not in _SCHEDULING}
    for kind in ("containers", "initContainers"):
        if kind in fixed:
            fixed[kind] = [{k: v for k, v in container.items() if k != "resources"} for container in fixed[kind]]
    others = {field: value for field, value in (spec.get("affinity") or {}).items() if field != "nodeAffinity"}
    return fixed | ({"affinity": others} if others else {})


def _of_service(service: Obj, old: Obj) -> str | None:
    """Return why a Service may not have an address other than the one that was allocated for it."""
    wanted, allocated = service["spec"].get("clusterIP"), (old.get("status") or {}).get("clusterIP")
    if not (wanted and allocated) or wanted == allocated or service["spec"].get("type") == "ExternalName":
        return None
    name = service["metadata"]["name"]
    return (
        f'Service.{KOPFWERK} "{name}" is invalid: '
        f'spec.clusterIPs[0]: Invalid value: ["{wanted}"]: may not change once set'
    )
