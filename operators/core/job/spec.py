"""What a Job's spec asks for, with upstream's defaults.

Of a built-in Job the apiserver has filled these in already; in a custom resource a default cannot depend on another
field, nor a selector on the UID, so they are read as if they had been (pkg/apis/batch/v1/defaults.go, and
generateSelector in pkg/registry/batch/job/strategy.go).
"""

from datetime import timedelta

from operators.core import objects, selectors
from operators.core.objects import Obj
from operators.core.selectors import Selector

CONTROLLER_NAME = "kubernetes.io/job-controller"
"""The value of managedBy that means the controller of this kind, whoever plays it."""

_JOB_NAME = ("job-name", "batch.kubernetes.io/job-name")
_CONTROLLER_UID = ("controller-uid", "batch.kubernetes.io/controller-uid")
_UNLIMITED = 2**31 - 1
_BACKOFF_LIMIT = 6
_BASE_SECONDS, _MAX_SECONDS = 10, 600


def managed_elsewhere(job: Obj) -> str | None:
    """Return which other controller answers for it, None where none does."""
    controller: str | None = job["spec"].get("managedBy")
    return controller if controller and controller != CONTROLLER_NAME else None


def is_managed_elsewhere(job: Obj) -> bool:
    """Whether another controller answers for it: then nothing here touches it or its pods."""
    return managed_elsewhere(job) is not None


def is_indexed(job: Obj) -> bool:
    """Whether each completion is one of an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_known_mode(job: Obj) -> bool:
    """Whether its completion mode is one that there is."""
    return job["spec"].get("completionMode", "NonIndexed") in ("NonIndexed", "Indexed")


def is_suspended(job: Obj) -> bool:
    """Whether it shall have no pods for the time being."""
    return bool(job["spec"].get("suspend"))


def completions(job: Obj) -> int | None:
    """Return how many pods have to succeed, None for a work queue, which is done when one has and all have ended."""
    wanted = job["spec"].get("completions")
    if wanted is None and job["spec"].get("parallelism") is None:
        return 1
    return None if wanted is None else int(wanted)


def parallelism(job: Obj) -> int:
    """Return how many pods may run at a time."""
    return int(job["spec"].get("parallelism", 1))


def backoff_limit(job: Obj) -> int:
    """Return how many pods may fail."""
    default = _BACKOFF_LIMIT if job["spec"].get("backoffLimitPerIndex") is None else _UNLIMITED
    return int(job["spec"].get("backoffLimit", default))


def backoff_limit_per_index(job: Obj) -> int | None:
    """Return how many pods of an index may fail, None where only their sum counts."""
    limit = job["spec"].get("backoffLimitPerIndex")
    return None if limit is None else int(limit)


def replaces_only_failed(job: Obj) -> bool:
    """Whether a pod that is being deleted keeps its place until it has ended."""
    default = "Failed" if job["spec"].get("podFailurePolicy") else "TerminatingOrFailed"
    return bool(job["spec"].get("podReplacementPolicy", default) == "Failed")


def active_deadline(job: Obj) -> timedelta | None:
    """Return for how long it may be active."""
    seconds = job["spec"].get("activeDeadlineSeconds")
    return None if seconds is None else timedelta(seconds=seconds)


def backoff(job: Obj) -> tuple[timedelta, timedelta]:
    """Return how long a failed pod's replacement waits, the first time and at most. Only kopfwerk.dev can change it."""
    own = job["spec"].get("podFailureBackoff") or {}
    base, maximum = own.get("baseSeconds", _BASE_SECONDS), own.get("maxSeconds", _MAX_SECONDS)
    return timedelta(seconds=base), timedelta(seconds=maximum)


def selector(job: Obj) -> Selector:
    """Return which pods are its own. Raises InvalidSelectorError."""
    return selectors.parse(label_selector(job))


def label_selector(job: Obj) -> Obj:
    """Return the selector as upstream's apiserver would have completed it."""
    given: Obj = job["spec"].get("selector") or {}
    if job["spec"].get("manualSelector"):
        return given
    return given | {"matchLabels": {_CONTROLLER_UID[1]: objects.uid(job), **(given.get("matchLabels") or {})}}


def template(job: Obj) -> Obj:
    """Return the pod template, with the labels by which its pods are found."""
    given: Obj = job["spec"]["template"]
    if job["spec"].get("manualSelector"):
        return given
    meta = given.get("metadata") or {}
    generated = dict.fromkeys(_JOB_NAME, objects.name(job)) | dict.fromkeys(_CONTROLLER_UID, objects.uid(job))
    return given | {"metadata": meta | {"labels": generated | (meta.get("labels") or {})}}
