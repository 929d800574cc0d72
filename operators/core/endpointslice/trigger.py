"""When what a slice is written for happened: kube-proxy measures by it how long a change took to reach it.

Mirrors k8s.io/endpointslice/util/trigger_time_tracker.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from operators.core import objects
from operators.core.objects import Obj
from operators.core.pods import Pod

ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"


@dataclass(frozen=True, slots=True)
class Triggers:
    """What was known when a Service was last looked at: when it was made, and when each pod's readiness changed."""

    service: datetime
    pods: Mapping[str, datetime]


def trigger(before: Triggers | None, service: Obj, pods: Iterable[Pod]) -> tuple[datetime | None, Triggers]:
    """Return the earliest of what is new since `before`, if anything is, and what is known now.

    Of a Service that is looked at for the first time, it is its making.
    """
    made = objects.parse_time(service["metadata"]["creationTimestamp"])
    after = Triggers(made, {pod.name: pod.ready_since for pod in pods if pod.ready_since is not None})
    if before is None:
        return made, after
    news = [moment for name, moment in after.pods.items() if name not in before.pods or moment > before.pods[name]]
    if made > before.service:
        news.append(made)
    return min(news, default=None), after
