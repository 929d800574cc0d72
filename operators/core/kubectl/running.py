"""Running a CronJob now: the Job that `kubectl create job --from=cronjob/NAME` makes of a built-in one."""

from typing import Final

from operators.core import objects
from operators.core.kubectl.kinds import Refused, group_kind
from operators.core.objects import Obj

MANUAL: Final = {"cronjob.kubernetes.io/instantiate": "manual"}
"""The annotation of a Job that somebody asked for, and no schedule."""
_LONGEST: Final = 50
"""Of a CronJob's name, so that the Job's pods can have names as well."""


def job_from(cronjob: Obj, name: str = "") -> Obj:
    """Return a Job of the CronJob's template, which controls it; without a name the apiserver draws one."""
    if cronjob["kind"] != "CronJob":
        raise Refused(f"{group_kind(cronjob)} has no schedule: only a CronJob can be run now")
    template = cronjob["spec"]["jobTemplate"]
    meta = template.get("metadata") or {}
    # not to block its owner's deletion is what spares the user the right to change the CronJob's finalizers
    owner = {
        part: value for part, value in objects.controller_reference(cronjob).items() if part != "blockOwnerDeletion"
    }
    named = {"name": name} if name else {"generateName": f"{objects.name(cronjob)[:_LONGEST]}-manual-"}
    return {
        "apiVersion": cronjob["apiVersion"],
        "kind": "Job",
        "metadata": {
            **named,
            "namespace": objects.key(cronjob)[0],
            "labels": dict(meta.get("labels") or {}),
            "annotations": {**MANUAL, **(meta.get("annotations") or {})},
            "ownerReferences": [owner],
        },
        "spec": template.get("spec") or {},
    }
