"""Which scheduler a new pod is given where the default one is replaced by a webhook.

From Kubernetes 1.36 on a MutatingAdmissionPolicy of the chart says the same within the apiserver, and nobody is asked.
"""

from typing import Final

from operators.core.objects import Obj

DEFAULT: Final = "default-scheduler"
CONDITIONS: Final = (
    {
        "name": "asks-for-no-other-scheduler",
        "expression": f'object.spec.?schedulerName.orValue("") in ["", "{DEFAULT}"]',
    },
    {"name": "is-not-placed", "expression": 'object.spec.?nodeName.orValue("") == ""'},
)
"""What `is_given_away` says, in CEL: spares the apiserver the round trip."""


def is_given_away(pod: Obj) -> bool:
    """Whether a pod goes to the scheduler that replaces the default: it asks for no other and is on no node yet."""
    spec = pod.get("spec") or {}
    return spec.get("schedulerName", "") in ("", DEFAULT) and not spec.get("nodeName")
