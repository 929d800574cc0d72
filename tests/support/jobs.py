"""Jobs, their pods and what is planned for them, for tests."""

from datetime import timedelta
from typing import Any

from operators.core import job as rules
from operators.core import pods, runs
from operators.core.job import Endings, Observed
from operators.core.objects import Obj
from operators.core.plan import Create, Delete, Failure, Outcome, Patch, Plan, Result, Step
from operators.core.pods import Pod
from tests.support.builders import NOW, ago, metadata

LABELS = {"batch.kubernetes.io/controller-uid": "uid-job"}


def job(
    name: str = "job",
    *,
    group: str = "batch",
    image: str = "app:1",
    status: Obj | None = None,
    deleting: bool = False,
    restart: str = "Never",
    **spec: Any,
) -> Obj:
    """Return a Job as the apiserver has it; its status has begun 60 s ago unless told otherwise."""
    labels = {"batch.kubernetes.io/controller-uid": f"uid-{name}"}
    began = {"startTime": ago(60), "uncountedTerminatedPods": {}}
    return {
        "apiVersion": f"{group}/v1",
        "kind": "Job",
        "metadata": metadata(name, deleting=deleting),
        "spec": {
            "backoffLimit": 6,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"restartPolicy": restart, "containers": [{"name": "app", "image": image}]},
            },
            **spec,
        },
        "status": began if status is None else status,
    }


def begun(**status: Any) -> Obj:
    """Return a status of a Job that began 60 s ago."""
    return {"startTime": ago(60), "uncountedTerminatedPods": {}, **status}


def condition(type_: str, reason: str = "Some", message: str = "why", status: str = "True", since: float = 30) -> Obj:
    """Return a condition."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": ago(since),
        "lastProbeTime": ago(since),
    }


def indexed(completions: int = 3, **rest: Any) -> Obj:
    """Return an Indexed Job that lets all its indexes run at once."""
    return job(completions=completions, completionMode="Indexed", parallelism=rest.pop("parallelism", 10), **rest)


def run(
    name: str,
    *,
    of: Obj | None = None,
    phase: str = "Running",
    ready: bool = True,
    index: int | str | None = None,
    failures: int | None = None,
    ignored: int | None = None,
    code: int | None = None,
    ended: float = 100,
    conditions: tuple[tuple[str, str], ...] = (),
    deleting: bool = False,
    tracked: bool = True,
    node: str = "node-1",
    restarts: int = 0,
    labels: dict[str, str] | None = None,
    age: float = 200,
) -> Pod:
    """Return a pod of a Job, `job` unless told otherwise; one that has ended did `ended` seconds ago."""
    counted = {runs.INDEX: index, runs.INDEX_FAILURES: failures, runs.INDEX_IGNORED: ignored}
    annotations = {key: str(value) for key, value in counted.items() if value is not None}
    meta = metadata(
        name, owner=of or job(), labels=LABELS if labels is None else labels, annotations=annotations, age=age
    )
    if tracked:
        meta["finalizers"] = [runs.FINALIZER]
    if deleting:
        meta |= {"deletionTimestamp": ago(ended - 30), "deletionGracePeriodSeconds": 30}
    state: Obj = {"running": {}}
    if phase in ("Failed", "Succeeded"):
        default = 1 if phase == "Failed" else 0
        state = {"terminated": {"exitCode": default if code is None else code, "finishedAt": ago(ended)}}
    is_ready = phase == "Running" and ready
    said = [{"type": type_, "status": status} for type_, status in conditions]
    if is_ready:
        said.append({"type": "Ready", "status": "True", "lastTransitionTime": ago(age - 10)})
    status = {
        "phase": phase,
        "conditions": said,
        "containerStatuses": [{"name": "app", "state": state, "restartCount": restarts}],
    }
    return pods.parse({"metadata": meta, "spec": {"nodeName": node}, "status": status})


def seen(parent: Obj, *its: Pod, after: float = 0, endings: Endings | None = None) -> Observed:
    """Return what a sync sees, with what it remembers by itself; `after` seconds later than NOW."""
    first = Observed(parent, its, NOW + timedelta(seconds=after), endings or Endings())
    return Observed(parent, its, first.now, rules.remember(first))


def told(plan: Plan) -> list[str]:
    """Return what a plan does, a word or two a write."""
    return [_word(step) for step in plan.steps]


def _word(step: Step) -> str:
    match step:
        case Create():
            index = step.body["metadata"].get("annotations", {}).get(runs.INDEX)
            return "create" if index is None else f"create {index}"
        case Delete():
            return f"delete {step.target.name}"
        case Patch():
            verb = "strip" if step.strategic else "patch"
            return f"{verb} {step.target.name}"


def all_done(plan: Plan) -> Outcome:
    """Return the outcome in which every write succeeds."""
    return Outcome(tuple((step, _answer(step)) for step in plan.steps))


def none_done(plan: Plan) -> Outcome:
    """Return the outcome in which the first batch fails."""
    failure = Failure(500, "InternalError", "broken")
    first = plan.batches[0].steps if plan.batches else ()
    return Outcome(tuple((step, failure) for step in first))


def _answer(step: Step) -> Result:
    return step.body if isinstance(step, Create) else {}


def synced(observed: Observed) -> Obj:
    """Return the status after a sync in which every write succeeds: the old one where there is none to write."""
    new = rules.report(observed, all_done(rules.plan(observed)))
    return observed.status if new is None else new
