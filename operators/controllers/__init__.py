"""The declarations: for each kind, what wakes it, what it observes, which rules decide.

A controller is given the API group that it works in, `kopfwerk.dev` or, in native mode, that of the built-in kind:
nothing else differs.
"""

from collections.abc import Callable
from typing import Any

from operators.controllers.cronjobs import cronjob_controller
from operators.controllers.daemonsets import daemonset_controller
from operators.controllers.deployments import deployment_controller
from operators.controllers.endpointslices import endpointslice_controller
from operators.controllers.jobs import job_controller
from operators.controllers.podprobes import podprobe_controller
from operators.controllers.replicasets import replicaset_controller
from operators.controllers.services import service_controller
from operators.controllers.statefulsets import statefulset_controller
from operators.controllers.ttl import ttl_controller
from operators.core.objects import KOPFWERK
from operators.runtime.controller import Controller

_ALL: tuple[tuple[Callable[[str], Controller[Any]], str | None], ...] = (
    (replicaset_controller, "apps"),
    (deployment_controller, "apps"),
    (statefulset_controller, "apps"),
    (daemonset_controller, "apps"),
    (job_controller, "batch"),
    (cronjob_controller, "batch"),
    (ttl_controller, "batch"),
    (service_controller, None),  # of a built-in Service there is nothing to be kept but its slices
    (endpointslice_controller, ""),
    (podprobe_controller, None),  # there is no built-in kind
)


def controllers(*, native: bool) -> tuple[Controller[Any], ...]:
    """Return every controller, for the built-in kinds or for the custom resources."""
    groups = ((declare, group if native else KOPFWERK) for declare, group in _ALL)
    return tuple(declare(group) for declare, group in groups if group is not None)
