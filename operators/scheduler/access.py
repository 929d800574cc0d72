"""What the extender may do: read what feeds its snapshot, and bind if it is to. Chart and embedded cluster grant it."""

from typing import Final

from operators.core.objects import PODS, Obj
from operators.runtime.access import Grant, rules
from operators.scheduler import feed

BINDING: Final = Grant(PODS, "create", "binding")
"""What it needs to bind pods."""


def cluster_rules(*, binds: bool) -> list[Obj]:
    """Return the rules of a ClusterRole, with that to bind pods or without."""
    reads = rules(Grant(resource, verb) for resource in feed.WATCHED for verb in ("list", "watch"))
    return reads + (rules([BINDING]) if binds else [])
