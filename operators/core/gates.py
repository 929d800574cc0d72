"""Readiness gates that a workload of ours adds to its pods by itself: asked for beside the template, not in it.

So asking for one is no new revision, and rolls nothing: the pods that are made from then on have it. The built-in
kinds have nothing like it, and nothing is read of theirs.
"""

from typing import Final

from operators.core import objects
from operators.core.objects import KOPFWERK, Obj
from operators.core.probed import PREFIX

ANNOTATION: Final = f"{KOPFWERK}/readiness-gates"
"""Of a workload: names of PodProbes, with commas between them."""


def asked(workload: Obj) -> tuple[str, ...]:
    """Return the types of the conditions by which a workload wants its pods gated, in order."""
    if not workload.get("apiVersion", "").startswith(f"{KOPFWERK}/"):
        return ()
    names = (name.strip() for name in objects.annotations(workload).get(ANNOTATION, "").split(","))
    return tuple(dict.fromkeys(PREFIX + name for name in names if name))


def gated(workload: Obj, spec: Obj) -> Obj:
    """Return a pod's spec with the gates that its workload asks for, after those that its template has."""
    there = spec.get("readinessGates") or []
    types = {gate["conditionType"] for gate in there}
    added = [{"conditionType": type_} for type_ in asked(workload) if type_ not in types]
    return spec | {"readinessGates": [*there, *added]} if added else spec
