"""Who a pod is: its ordinal, its name, and the labels that say so.

Mirrors getParentNameAndOrdinal, identityMatches and updateIdentity in stateful_set_utils.go. One difference: an ordinal
is written in one way only, so that no two pods can ever be the same member. `web-00` is nobody.
"""

import re

from operators.core import objects
from operators.core.objects import Obj
from operators.core.pods import Pod

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"
REVISION_LABEL = "controller-revision-hash"

_MEMBER = re.compile(r"(.*)-(0|[1-9][0-9]{0,9})", re.DOTALL)
_LARGEST = 2**31 - 1


def member_of(statefulset: Obj, pod_name: str) -> int | None:
    """Return the ordinal that a pod of this name has in the set, None where it is no member of it."""
    match = _MEMBER.fullmatch(pod_name)
    if match is None or match[1] != objects.name(statefulset):
        return None
    ordinal = int(match[2])
    return ordinal if ordinal <= _LARGEST else None


def pod_name(statefulset: Obj, ordinal: int) -> str:
    """Return the name of the pod with an ordinal."""
    return f"{objects.name(statefulset)}-{ordinal}"


def identity_labels(name: str, ordinal: int) -> dict[str, str]:
    """Return the labels by which a pod says who it is."""
    return {POD_NAME_LABEL: name, POD_INDEX_LABEL: str(ordinal)}


def has_identity(pod: Pod) -> bool:
    """Whether a member says who it is. The index alone missing is no reason to write: upstream added it later."""
    return pod.labels.get(POD_NAME_LABEL) == pod.name


def revision_of(pod: Pod) -> str:
    """Return the name of the revision that a pod was made from, empty where it does not say."""
    return pod.labels.get(REVISION_LABEL, "")
