"""What keeps a mistake in a rule of somebody's own from more than it is asked about: it is said, by the rule's name."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from operators.scheduler.columns import Ints
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Predicate, Refusal
from operators.scheduler.priorities.scale import MOST, Priority, Rows
from operators.scheduler.snapshot import Snapshot


class RuleError(RuntimeError):
    """A rule failed, or gave what is no answer. The message names it, and is fit for a pod's events."""


def predicate(name: str, rule: Predicate) -> Predicate:
    """Return the same predicate, which raises RuleError where it fails or does not refuse each node or none."""

    def refuse(pod: Pod, nodes: Snapshot) -> Sequence[Refusal]:
        found: Sequence[Refusal] = _call(name, rule, pod, nodes)
        for one in found:
            if not isinstance(one, Refusal) or not _is_array(one.nodes, "b", nodes.size):
                raise RuleError(f"rule {name}: a Refusal has to say true or false of each of nodes.size rows")
        return found

    return refuse


def priority(name: str, rule: Priority) -> Priority:
    """Return the same priority, which raises RuleError where it fails or does not score each node from 0 to 100."""

    def score(pod: Pod, nodes: Snapshot, rows: Rows) -> Ints | None:
        found: Ints | None = _call(name, rule, pod, nodes, rows)
        if found is not None and not _is_array(found, "i", len(rows)):
            raise RuleError(f"rule {name}: it has to score each of the rows that it is given, by a whole number")
        if found is not None and len(rows) and not 0 <= found.min() <= found.max() <= MOST:
            raise RuleError(f"rule {name}: scores have to be from 0 to {MOST}")
        return found

    return score


def _call(name: str, rule: Callable[..., Any], *args: object) -> Any:
    try:
        return rule(*args)
    except Exception as error:  # whatever it does wrong
        raise RuleError(f"rule {name} failed: {type(error).__name__}") from error


def _is_array(found: object, kind: str, size: int) -> bool:
    return isinstance(found, np.ndarray) and found.dtype.kind == kind and found.shape == (size,)
