"""TaintToleration: a node with a taint that keeps pods away takes only those that tolerate it."""

import numpy as np

from operators.scheduler.columns import Mask
from operators.scheduler.node import Taint
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

REASON = "node(s) had taints that the pod didn't tolerate"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse nodes with a taint NoSchedule or NoExecute that the pod does not tolerate."""
    return [Refusal(untolerated(pod, nodes), REASON, unresolvable=True)]


def untolerated(pod: Pod, nodes: Snapshot) -> Mask:
    """Return the nodes with such a taint."""
    table = np.array([*(_keeps_away(pod, taints) for taints in nodes.taints.values), False])
    return table[nodes.taints.codes]


def _keeps_away(pod: Pod, taints: tuple[Taint, ...]) -> bool:
    return any(
        taint[2] in ("NoSchedule", "NoExecute") and not any(one.tolerates(*taint) for one in pod.tolerations)
        for taint in taints
    )
