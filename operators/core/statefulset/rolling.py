"""RollingUpdate: which pods of an old revision give way now.

Mirrors updateStatefulSetAfterInvariantEstablished in stateful_set_control.go, and goes beyond it in one point
(`stuck_pod`).
"""

from collections.abc import Iterator

from operators.core import objects
from operators.core.objects import KOPFWERK, Obj
from operators.core.pods import Pod
from operators.core.statefulset.identity import revision_of
from operators.core.statefulset.members import Health, Members, is_running_and_ready
from operators.core.statefulset.observed import is_parallel, is_rolling, max_unavailable, partition, rolling_update
from operators.core.statefulset.rollout import Rollout

REPLACE_STUCK = "kopfwerk.dev/replace-stuck-pods"
"""The annotation by which a StatefulSet says whether a rollout may replace the pod that it waits for."""


def pods_to_replace(present: Rollout, members: Members, health: Health) -> list[Pod]:
    """Return the pods to delete for the rollout, those with the highest ordinals first.

    OrderedReady comes here with every pod available, and replaces maxUnavailable at once. Parallel may meet pods that
    are not: those of an old revision go whatever their number, since nothing is lost with them; available ones go as
    far as maxUnavailable is not used up. With 5 pods of which pod 0 and 1 are not available and the rest are, and
    maxUnavailable 3, Parallel deletes 1, 0 and 4.
    """
    statefulset = present.statefulset
    unavailable = sum(health.is_unavailable(pod) for pod in members.replicas)
    budget = max(0, max_unavailable(statefulset) - unavailable)
    outdated = list(_outdated(present, members))
    if not is_parallel(statefulset):
        return outdated[:budget]
    sick = [pod for pod in outdated if health.is_unavailable(pod)]
    return sick + [pod for pod in outdated if not health.is_unavailable(pod)][:budget]


def _outdated(present: Rollout, members: Members) -> Iterator[Pod]:
    """Yield the pods that the rollout has to replace and nobody deletes yet, those with the highest ordinals first."""
    returning = _returning(present, members)
    for index in reversed(range(partition(present.statefulset), len(members.replicas))):
        pod = members.replicas[index]
        if pod is None or pod.terminating or revision_of(pod) == present.update:
            continue
        if index >= returning or revision_of(pod) != present.current:
            yield pod


def _returning(present: Rollout, members: Members) -> int:
    """Return how many pods, counted from the first, come back as they were where they are of the current revision.

    There are such only where no parameters of a rolling update are given: then a pod is made of the current revision if
    it is among as many as there are of it (`Rollout.revision_for`). Upstream's Parallel deletes and makes it for ever.
    """
    if rolling_update(present.statefulset) is not None:
        return 0
    kept = (pod for pod in members.replicas if pod is not None and not pod.terminating)
    return sum(revision_of(pod) == present.current for pod in kept) - 1


def stuck_pod(present: Rollout, members: Members, health: Health) -> Pod | None:
    """Return the pod that keeps a rollout waiting and that the rollout is to replace anyway.

    OrderedReady waits for each pod to be ready before it goes on. Upstream also waits for one whose template cannot
    work, so that correcting the template changes nothing until somebody deletes the pod (kubernetes#67250). Here the
    first pod that is not ready is replaced, if it has an old revision and those that are being brought up leave room in
    maxUnavailable: a pod that fails for a moment while another is being replaced is waited for.
    """
    statefulset = present.statefulset
    if is_parallel(statefulset) or not is_rolling(statefulset) or not _replaces_stuck(statefulset):
        return None
    outdated = {pod.uid for pod in _outdated(present, members)}
    waiting = next((pod for pod in members.replicas if pod is None or not health.lets_go_on(pod)), None)
    if waiting is None or waiting.uid not in outdated or is_running_and_ready(waiting):
        return None
    others = (pod for pod in members.replicas if pod is not None and pod.uid not in outdated)
    coming = sum(health.is_unavailable(pod) for pod in others)
    return waiting if coming < max_unavailable(statefulset) else None


def _replaces_stuck(statefulset: Obj) -> bool:
    """Whether stuck pods are replaced: unless said otherwise those of custom resources, not those of built-in kinds."""
    default = str(statefulset["apiVersion"].startswith(KOPFWERK)).lower()
    return objects.annotations(statefulset).get(REPLACE_STUCK, default) == "true"
