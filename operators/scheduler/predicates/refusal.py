"""What a predicate says: the nodes that it refuses, in words that do not change with the numbers.

kube-scheduler writes the words into the pod's status; words that changed would wake the pod again and again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from operators.scheduler.columns import Mask
from operators.scheduler.pod import Pod
from operators.scheduler.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nodes that are refused for one reason. Unresolvable: evicting pods from them would not help."""

    nodes: Mask
    reason: str
    unresolvable: Mask | bool = False


Predicate: TypeAlias = Callable[[Pod, Snapshot], Sequence[Refusal]]
"""Says which nodes a pod cannot go to. Rows without a node may be among them."""
