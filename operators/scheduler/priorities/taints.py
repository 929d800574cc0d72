"""TaintToleration: the fewer PreferNoSchedule taints a pod does not tolerate, the better."""

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.priorities.scale import Rows, to_largest
from operators.scheduler.snapshot import Snapshot


def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints:
    """Count the taints, fewest first."""
    tolerations = [one for one in pod.tolerations if one.effect in ("", "PreferNoSchedule")]
    table = [
        sum(
            taint[2] == "PreferNoSchedule" and not any(one.tolerates(*taint) for one in tolerations) for taint in taints
        )
        for taints in nodes.taints.values
    ]
    return to_largest(np.array(table, np.int64)[nodes.taints.codes[rows]], reverse=True)
