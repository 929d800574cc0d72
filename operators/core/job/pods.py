"""The writes on a Job's pods. Mirrors the pod template of manageJob and indexed_job_utils.go."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeGuard

from operators.core import gang, objects
from operators.core.job import spec
from operators.core.job.observed import Observed
from operators.core.objects import PODS, Obj
from operators.core.plan import Batch, Create, Delete, Patch, Say, Step, Target
from operators.core.pods import Pod
from operators.core.replicaset.plan import pod_of
from operators.core.runs import FINALIZER, INDEX, INDEX_FAILURES, INDEX_IGNORED

_CREATED = Say("Normal", "SuccessfulCreate", "Created pod: {name}")
_NOT_CREATED = Say("Warning", "FailedCreate", "Error creating: {error}")
_DELETED = Say("Normal", "SuccessfulDelete", "Deleted pod: {name}")
_NOT_DELETED = Say("Warning", "FailedDelete", "Error deleting: {error}")

_ENVIRONMENT = "JOB_COMPLETION_INDEX"
_LONGEST_PREFIX = 58


def create(observed: Observed, indexes: Iterable[int] | None, count: int, wanted: int) -> tuple[Create, ...]:
    """Return the writes that make `count` pods, or one of each index, of `wanted` that there shall be."""
    body = _body(observed.job, wanted)
    if indexes is None:
        return (Create(PODS, body, _CREATED, _NOT_CREATED),) * count
    return tuple(Create(PODS, _of_index(observed, body, index), _CREATED, _NOT_CREATED) for index in indexes)


def _body(job: Obj, wanted: int) -> Obj:
    """Return the pod of the template, with the finalizer, and for an Indexed Job with the variable."""
    body = pod_of(job | {"spec": {"template": spec.template(job)}})
    body["metadata"]["labels"] = {**body["metadata"].get("labels", {}), **gang.labels(job, wanted)}
    finalizers = [name for name in body["metadata"].get("finalizers", ()) if name != FINALIZER]
    body["metadata"]["finalizers"] = [*finalizers, FINALIZER]
    if spec.is_indexed(job):
        kinds = ("initContainers", "containers")
        told = {kind: [_told(c) for c in body["spec"][kind]] for kind in kinds if body["spec"].get(kind)}
        body["spec"] = body["spec"] | told
    return body


def _told(container: Obj) -> Obj:
    """Return a container that has its index in a variable; one that has such a variable keeps it."""
    variables = container.get("env") or []
    if any(variable["name"] == _ENVIRONMENT for variable in variables):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    return container | {"env": [*variables, {"name": _ENVIRONMENT, "valueFrom": source}]}


def _of_index(observed: Observed, body: Obj, index: int) -> Obj:
    """Return the pod of an index: its number as annotation, label, and part of hostname and name."""
    meta, name = body["metadata"], objects.name(observed.job)
    annotations = {**meta.get("annotations", {}), INDEX: str(index), **_failures(observed, index)}
    labels = {**meta.get("labels", {}), INDEX: str(index)}
    named = {"annotations": annotations, "labels": labels, "generateName": generate_name(name, index)}
    return body | {"metadata": meta | named, "spec": body["spec"] | {"hostname": f"{name}-{index}"}}


def generate_name(name: str, index: int) -> str:
    """Return what the name of an index's pod begins with: the index stays whole, the Job's name may be cut."""
    suffix = f"-{index}-"
    return name[: _LONGEST_PREFIX - len(suffix)] + suffix


def _failures(observed: Observed, index: int) -> dict[str, str]:
    """Return how often the index has failed, which the next pod takes on from the last."""
    if spec.backoff_limit_per_index(observed.job) is None:
        return {}
    last = observed.awaited.get(index)
    if last is None or last.run is None:
        return {INDEX_FAILURES: "0"}
    counts = observed.match(last, last.run).counts
    failures, ignored = last.run.failures + counts, last.run.ignored + (not counts)
    return {INDEX_FAILURES: str(failures)} | ({INDEX_IGNORED: str(ignored)} if ignored else {})


def delete(pod: Pod) -> Delete:
    """Return the write that deletes a pod."""
    return Delete(_target(pod), _DELETED, _NOT_DELETED)


def strip(pod: Pod, *, as_seen: bool = False) -> Patch:
    """Return the write that takes the finalizer off; as_seen: only from the pod as it is in the cache."""
    version = pod.resource_version if as_seen else None
    body = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
    return Patch(_target(pod), body, version, ignore=frozenset({404}), strategic=True)


def regain(pod: Pod) -> Patch:
    """Return the write that gives the finalizer to a pod that has lost it, as it is in the cache."""
    others = pod.run.finalizers if pod.run is not None else ()
    body = {"metadata": {"finalizers": [*others, FINALIZER]}}
    return Patch(_target(pod), body, pod.resource_version, ignore=frozenset({404, 409, 422}))


def is_strip(step: Step) -> TypeGuard[Patch]:
    """Whether a write takes the finalizer off, and nothing else."""
    return isinstance(step, Patch) and step.strategic


def with_finalizers(batch: Batch, pods: Iterable[Pod]) -> Batch:
    """Return a batch that adopts or releases pods so that it also gives them the finalizer, or takes it off."""
    runs = {pod.uid: pod.run for pod in pods}

    def amended(step: Step) -> Step:
        if not isinstance(step, Patch):
            return step
        run = runs[step.target.uid]
        others = [name for name in (run.finalizers if run else ()) if name != FINALIZER]
        finalizers = [*others, FINALIZER] if batch.live_owner else others
        return replace(step, body={"metadata": step.body["metadata"] | {"finalizers": finalizers or None}})

    return replace(batch, steps=tuple(amended(step) for step in batch.steps))


def _target(pod: Pod) -> Target:
    return Target(PODS, pod.namespace, pod.name, pod.uid)
