"""Service of ours: woken by its own changes and by those of the core Service of its name."""

from collections.abc import Iterator
from datetime import datetime

from operators.controllers import state
from operators.core import objects, service
from operators.core.objects import Key, Obj, services
from operators.core.service import SERVICES, Observed
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers


def service_controller(group: str) -> Controller[Observed]:
    """Declare the controller that keeps a core Service for each Service of our group."""
    resource = services(group)

    def core_changed(informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
        changed = new or old
        if changed is not None and informers[resource].get(objects.key(changed)) is not None:
            yield objects.key(changed)

    return Controller(
        name="service",
        resource=resource,
        watches=(Watch(SERVICES, core_changed),),
        observe=_observe,
        plan=service.plan,
        report=service.report,
        state=state.SERVICE,
        writes=(Writes(SERVICES, ("create", "patch")),),
    )


def _observe(informers: Informers, parent: Obj, now: datetime) -> Observed:
    return Observed(parent, informers[SERVICES].get(objects.key(parent)), now)
