"""In native mode the operator has the rights that it has for its own kinds, on the built-in ones.

What tests/properties show of the former, that each is used and none is missing, so holds for the latter.
"""

from typing import Final

from operators.controllers import controllers
from operators.core.admission.review import TWINS
from operators.core.objects import KOPFWERK
from operators.runtime.access import cluster_rules
from tests.support import audit
from tests.support.audit import Right

OWN: Final = {"podprobe", "service"}
"""Controllers of kinds that native mode does not have, or leaves to upstream."""
GROUPS: Final = {twin.plural: twin.group for twin in TWINS.values()}
MORE: Final = {Right("apps", "deployments/status", "patch")}
"""A built-in Deployment keeps its revision where only its status may be written."""


def native(right: Right) -> Right:
    """Return a right on the built-in kind of the same name."""
    return right._replace(group=GROUPS[right.resource.partition("/")[0]]) if right.group == KOPFWERK else right


def test_native_mode() -> None:
    """It is one setting: but for one right there is neither less nor more."""
    shared = [controller for controller in controllers(native=False) if controller.name not in OWN]
    want = {native(right) for right in audit.allowed(cluster_rules(shared))}
    assert audit.allowed(cluster_rules(controllers(native=True))) == want | MORE
    assert not want & MORE
