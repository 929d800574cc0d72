"""NodeUnschedulable: a cordoned node takes only pods that tolerate that."""

from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

REASON = "node(s) were unschedulable"
_TAINT = ("node.kubernetes.io/unschedulable", "", "NoSchedule")


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse cordoned nodes."""
    if any(toleration.tolerates(*_TAINT) for toleration in pod.tolerations):
        return []
    return [Refusal(nodes.unschedulable, REASON, unresolvable=True)]
