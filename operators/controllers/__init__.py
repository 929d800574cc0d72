"""The declarations: for each kind, what wakes it, what it observes, which rules decide.

A controller is given the API group that it works in, `kopfwerk.dev` or, in native mode, `apps`: nothing else differs.
"""

from collections.abc import Callable
from typing import Any

from operators.controllers.daemonsets import daemonset_controller
from operators.controllers.deployments import deployment_controller
from operators.controllers.replicasets import replicaset_controller
from operators.controllers.statefulsets import statefulset_controller
from operators.core.objects import KOPFWERK
from operators.runtime.controller import Controller

NATIVE = "apps"

_ALL: tuple[Callable[[str], Controller[Any]], ...] = (
    replicaset_controller,
    deployment_controller,
    statefulset_controller,
    daemonset_controller,
)


def controllers(*, native: bool) -> tuple[Controller[Any], ...]:
    """Return every controller, for the built-in kinds or for the custom resources."""
    group = NATIVE if native else KOPFWERK
    return tuple(declare(group) for declare in _ALL)
