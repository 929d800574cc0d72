"""What the extender may do: read what feeds its snapshot, and bind pods. Chart and embedded cluster grant just that."""

from operators.core.objects import PODS, Obj
from operators.runtime.access import Grant, rules
from operators.scheduler import feed


def cluster_rules() -> list[Obj]:
    """Return the rules of a ClusterRole."""
    reads = [Grant(resource, verb) for resource in feed.WATCHED for verb in ("list", "watch")]
    return rules([*reads, Grant(PODS, "create", "binding")])
