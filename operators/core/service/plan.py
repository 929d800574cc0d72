"""What to do for a Service of ours: have a core Service of its name that says the same."""

from typing import Final

from operators.core import conditions, objects
from operators.core.plan import Batch, Create, Patch, Plan, Say, Target
from operators.core.ready import READY
from operators.core.service.observed import SERVICES, Observed
from operators.core.service.wanted import changed, created

NAME_TAKEN: Final = "NameTaken"


def plan(observed: Observed) -> Plan:
    """Return the one write that is needed, if one is. A core Service that is not this object's is never written."""
    service = observed.service
    if objects.is_terminating(service):
        return Plan()
    if observed.core is None:
        failed = Say("Warning", "FailedCreate", "Error creating Service: {error}")
        said = Say("Normal", "SuccessfulCreate", "Created Service {name}")
        return Plan((Batch((Create(SERVICES, created(service), said, failed),)),))
    if observed.is_taken:
        return Plan(events=() if _is_said(observed) else (Say("Warning", NAME_TAKEN, taken(observed)),))
    own = observed.own
    if own is None or objects.is_terminating(own):
        return Plan()  # what is on its way out has to be gone first
    patch = changed(service, own)
    if not patch:
        return Plan()
    failed = Say("Warning", "FailedUpdate", "Error updating Service {name}: {error}")
    step = Patch(Target.of(SERVICES, own), patch, own["metadata"]["resourceVersion"], failed=failed)
    return Plan((Batch((step,)),))


def taken(observed: Observed) -> str:
    """Return what is to be said of a name that is somebody else's."""
    owner = objects.controller_of(observed.core) if observed.core is not None else None
    whose = f"it is {owner.kind} {owner.name}'s" if owner else "it is not this object's"
    return f"a core Service {objects.name(observed.service)} exists, and {whose}: it is left as it is"


def _is_said(observed: Observed) -> bool:
    found = conditions.get((observed.service.get("status") or {}).get("conditions") or (), READY)
    return found is not None and found.get("reason") == NAME_TAKEN
