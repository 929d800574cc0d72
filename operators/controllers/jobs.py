"""Job: woken by its own changes and by its pods'."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from operators.controllers import job_metrics, state
from operators.core import job, objects, ready
from operators.core.job import Endings, Observed
from operators.core.objects import PODS, Key, Obj, Resource, jobs
from operators.core.plan import Plan
from operators.core.pods import Pod
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import NAMESPACE, OWNER, orphan, owners

_GATHERING = 0.1
"""Seconds that changes of pods wait for others: a sync looks at all pods of its Job (upstream: 1 s)."""
_SPARE = 1000


def job_controller(group: str) -> Controller[Observed]:
    """Declare the controller of an API group's Jobs."""
    resource = jobs(group)
    return Controller(
        name="job",
        resource=resource,
        watches=(
            Watch(PODS, partial(_pod_changed, resource), after=_GATHERING, replay=True),
            Watch(resource, _job_came, replay=True),
        ),
        observe=_Memory(resource).observe,
        plan=job.plan,
        report=ready.reporting(group, job.report, lambda seen: seen.job),
        announce=job.announce,
        ended=job_metrics.ended,
        gone=partial(_gone, resource),
        state=state.JOB,
        writes=(Writes(PODS, ("create", "patch", "delete")),),
    )


class _Memory:
    """Looks at a Job, and remembers of its pods that fail what their deletion would make forgotten."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._endings: dict[str, Endings] = {}

    def observe(self, informers: Informers, parent: Obj, now: datetime) -> Observed:
        """Return a Job with its pods, those that its selector takes and nobody controls included."""
        selector = job.selector(parent)
        uid, namespace = objects.uid(parent), objects.key(parent)[0]
        orphans = informers[PODS].by(OWNER, orphan(namespace))
        pods = (*informers[PODS].by(OWNER, uid), *(pod for pod in orphans if selector.matches(pod.labels)))
        seen = Observed(parent, pods, now, self._endings.get(uid, Endings()))
        endings = Endings() if seen.is_finished else job.remember(seen)
        if endings.failures:
            self._endings[uid] = endings
            self._prune(informers)
        else:
            self._endings.pop(uid, None)
        return replace(seen, endings=endings)

    def _prune(self, informers: Informers) -> None:
        """Forget Jobs that are gone, once they are many."""
        if len(self._endings) > len(informers[self._resource].keys()) + _SPARE:
            present = {objects.uid(obj) for obj in informers[self._resource].all()}
            self._endings = {uid: endings for uid, endings in self._endings.items() if uid in present}


def _pod_changed(resource: Resource, informers: Informers, old: Pod | None, new: Pod | None) -> Iterator[Key]:
    """Wake the Jobs that a pod belongs to, and the cleaning of its namespace where it waits for one in vain."""
    job_metrics.pod_changed(old, new)
    yield from owners(resource)(informers, old, new)
    if new is not None and job.is_stray(new, resource.group, _job_of(resource, informers, new)):
        yield new.namespace, ""


def _job_came(_: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
    """Count a new Job that another controller looks after, and wake nobody."""
    if old is None and new is not None and (controller := job.managed_elsewhere(new)):
        job_metrics.managed_elsewhere(controller)
    yield from ()


def _gone(resource: Resource, informers: Informers, key: Key) -> Plan:
    """Clean the namespace of a Job that is gone, or of a pod without one."""
    pods = informers[PODS].by(NAMESPACE, key[0])
    return job.release(pod for pod in pods if job.is_stray(pod, resource.group, _job_of(resource, informers, pod)))


def _job_of(resource: Resource, informers: Informers, pod: Pod) -> Obj | None:
    return informers[resource].get((pod.namespace, pod.owner.name)) if pod.owner is not None else None
