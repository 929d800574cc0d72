"""Which pod stands for a workload when logs, a shell or a port are asked for.

Mirrors k8s.io/kubectl pkg/util/podutils (ByLogging, and ActivePods reversed) and the selector's spelling of
k8s.io/apimachinery pkg/labels. Where two pods are alike in everything, the order of the list decides.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from operators.core import job, pods
from operators.core.kubectl.kinds import CRONJOB, Refused, group_kind, kind_of
from operators.core.objects import Obj, parse_time

_LAST = datetime.max.replace(tzinfo=UTC)
_OPERATORS = {"In": "in", "NotIn": "notin"}


def for_logs(candidates: Iterable[Obj]) -> list[Obj]:
    """Sort pods, best first: on a node, running, ready, ready for longest, most restarts, oldest."""
    return sorted(candidates, key=_logs_rank)


def for_attaching(candidates: Iterable[Obj]) -> list[Obj]:
    """Sort pods, best first: on a node, running, ready, staying, ready for longest, fewest restarts, oldest."""
    return sorted(candidates, key=_attaching_rank)


def pod_selector(obj: Obj) -> str:
    """Write a workload's selector as `kubectl --selector` takes it."""
    if kind_of(obj) in (None, CRONJOB):
        raise Refused(f"cannot attach to {group_kind(obj)}: selector for {group_kind(obj)} not implemented")
    return selector_text(job.label_selector(obj) if obj["kind"] == "Job" else obj["spec"]["selector"])


def selector_text(selector: Obj) -> str:
    """Write a metav1.LabelSelector as text: `app=web,tier in (a,b),!old`."""
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or ():
        key, operator = term["key"], term["operator"]
        if operator in _OPERATORS:
            terms.append(f"{key} {_OPERATORS[operator]} ({','.join(sorted(term['values']))})")
        else:
            terms.append(key if operator == "Exists" else f"!{key}")
    return ",".join(sorted(terms))


def _logs_rank(obj: Obj) -> tuple[bool, int, bool, datetime, int, int, datetime]:
    pod = pods.parse(obj)
    return (
        not pod.node,
        {"Unknown": 1, "Pending": 2}.get(pod.phase, 0),
        not pod.ready,
        (pod.ready and pod.ready_since) or _LAST,
        -pod.restarts,
        -pod.sidecar_restarts,
        pod.created,
    )


def _attaching_rank(obj: Obj) -> tuple[bool, int, bool, bool, float, datetime, int, int, datetime]:
    pod = pods.parse(obj)
    deleted = obj["metadata"].get("deletionTimestamp")
    return (
        not pod.node,
        {"Running": 0, "Unknown": 1}.get(pod.phase, 2),
        not pod.ready,
        pod.terminating,
        -parse_time(deleted).timestamp() if deleted else 0,
        (pod.ready and pod.ready_since) or _LAST,
        pod.restarts,
        pod.sidecar_restarts,
        pod.created,
    )
