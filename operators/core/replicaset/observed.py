"""What a ReplicaSet's rules look at."""

from dataclasses import dataclass
from datetime import datetime

from operators.core.objects import Obj
from operators.core.pods import Pod


@dataclass(frozen=True, slots=True)
class Observed:
    """One ReplicaSet and its pods.

    pods: those that it controls, by UID, and orphans it may adopt. related: the pods of its siblings, those that the
    same Deployment controls, itself included; needed only where there are too many pods.
    """

    replicaset: Obj
    pods: tuple[Pod, ...]
    related: tuple[Pod, ...]
    now: datetime
