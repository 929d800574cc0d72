"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

Shared by both. Mirrors pkg/controller/history, getPatch and newRevision of the two controllers. Templates are compared
by meaning, with every default filled in, so that neither an upgrade nor a default that is added to a custom resource's
schema looks like a new template.
"""

from operators.core.revisions.history import (
    CONTROLLERREVISIONS,
    HASH_LABEL,
    collided,
    create,
    equal,
    find,
    next_number,
    number,
    renumber,
    sort,
    surplus,
    template_of,
)
from operators.core.revisions.patch import patch_bytes, revision_hash

__all__ = [
    "CONTROLLERREVISIONS",
    "HASH_LABEL",
    "collided",
    "create",
    "equal",
    "find",
    "next_number",
    "number",
    "patch_bytes",
    "renumber",
    "revision_hash",
    "sort",
    "surplus",
    "template_of",
]
