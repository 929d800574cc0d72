"""What a StatefulSet's rules look at and decide, told in short: for tables of cases."""

from dataclasses import replace
from typing import Any

from operators.core import objects
from operators.core.objects import PODS, Obj, owner_references
from operators.core.plan import Create, Delete, Outcome, Patch, Plan, Result, Step
from operators.core.pods import Pod
from operators.core.revisions import CONTROLLERREVISIONS
from operators.core.statefulset import CLAIMS, Observed
from operators.core.statefulset.identity import POD_NAME_LABEL, REVISION_LABEL
from tests.support.builders import NOW, controllerrevision, pod, statefulset, template

IMAGES = {"old": "app:1", "new": "app:2", "bad": "app:0"}
"""The images of the revisions that scenarios speak of. `new` is what a StatefulSet asks for unless told otherwise."""


def rolling(partition: int = 0, unavailable: int | str = 1) -> Obj:
    """Return the update strategy with these parameters."""
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition, "maxUnavailable": unavailable}}


def web(current: str = "old", **rest: Any) -> Obj:
    """Return a StatefulSet that has counted a revision as its current one; see `statefulset` for the rest."""
    return statefulset(status={"currentRevision": current} | rest.pop("status", {}), **rest)


def replica(
    owner: Obj | None, ordinal: int, revision: str = "new", *, name: str = "web", volumes: Any = None, **rest: Any
) -> Pod:
    """Return the pod with an ordinal, made of a revision; see `pod` for the rest."""
    called = f"{name}-{ordinal}"
    labels = rest.pop("labels", {"app": "web", POD_NAME_LABEL: called, REVISION_LABEL: revision})
    made = pod(called, owner=owner, labels=labels, **rest)
    return made if volumes is None else _with_volumes(made, volumes)


def _with_volumes(made: Pod, claims: dict[str, str]) -> Pod:
    volumes = tuple({"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in claims.items())
    return replace(made, volumes=volumes)


def history(owner: Obj, *names: str) -> tuple[Obj, ...]:
    """Return revisions of these names, oldest first."""
    return tuple(
        controllerrevision(name, template(IMAGES[name]), number=number, owner=owner)
        for number, name in enumerate(names, 1)
    )


def seen(owner: Obj, *pods: Pod, claims: tuple[Obj, ...] = (), revisions: tuple[Obj, ...] | None = None) -> Observed:
    """Return what is observed: unless told otherwise there are the revisions old and new."""
    known = history(owner, "old", "new") if revisions is None else revisions
    return Observed(owner, pods, known, {objects.name(claim): claim for claim in claims}, NOW)


def told(made: Plan) -> list[str]:
    """Return each step of a plan in a few words, in order; `+` begins a batch after the first."""
    words: list[str] = []
    for number, batch in enumerate(made.batches):
        words += ["+"] * bool(number)
        words += [_word(step) for step in batch.steps]
    return words


def _word(step: Step) -> str:
    if isinstance(step, Create):
        name = objects.name(step.body)
        if step.resource == PODS:
            return f"create {name} {step.body['metadata']['labels'][REVISION_LABEL]}"
        return f"claim {name}" if step.resource == CLAIMS else f"revision {step.body['revision']}"
    name = step.target.name
    if isinstance(step, Delete):
        return f"delete {name}" if step.target.resource == PODS else f"forget {name}"
    if step.target.resource == CLAIMS:
        owners = " ".join(ref["name"] for ref in owner_references(step.body))
        return f"own {name} {owners}".rstrip()
    if step.target.resource == CONTROLLERREVISIONS:
        return f"renumber {name} {step.body['revision']}" if "revision" in step.body else f"adopt {name}"
    if "ownerReferences" in step.body.get("metadata", {}):
        return f"adopt {name}" if step.body["metadata"]["ownerReferences"] else f"release {name}"
    return f"repair {name} {' '.join(sorted(step.body))}"


def done(made: Plan, **failing: Result) -> Outcome:
    """Return the outcome of a plan whose every step succeeded, but for those of a kind that is named here."""
    results: list[tuple[Step, Result]] = []
    for step in made.steps:
        kind = type(step).__name__.lower()
        body: Obj = step.body if isinstance(step, Create | Patch) else {}
        results.append((step, failing.get(kind, body)))
    return Outcome(tuple(results))
