"""What a DaemonSet's rules look at and decide, told in short: for tables of cases."""

from dataclasses import replace
from typing import Any

from operators.core import nodes, objects
from operators.core.daemonset import Observed, Retry
from operators.core.daemonset.history import HASH_LABEL
from operators.core.objects import PODS, Obj
from operators.core.plan import Create, Delete, Patch, Plan
from operators.core.pods import Pod
from tests.support.builders import NOW, controllerrevision, metadata, pod, template

IMAGES = {"old": "app:1", "new": "app:2"}
"""The images of the revisions that scenarios speak of. `new` is what a DaemonSet asks for unless told otherwise."""


def node(
    name: str, *, labels: dict[str, str] | None = None, taints: tuple[str, ...] = (), ready: bool = True, **spec: Any
) -> Obj:
    """Return a node as the cache has it; a taint is written `key=value:Effect`."""
    meta = metadata(name, labels=labels)
    meta.pop("namespace")
    status = {"conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}], "images": ["big"]}
    return nodes.trim({"metadata": meta, "spec": {"taints": [_taint(t) for t in taints], **spec}, "status": status})


def _taint(text: str) -> Obj:
    rest, _, effect = text.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def daemonset(
    *,
    group: str = "kopfwerk.dev",
    unavailable: int | str = 1,
    surge: int | str = 0,
    annotations: dict[str, str] | None = None,
    status: Obj | None = None,
    deleting: bool = False,
    pod_spec: Obj | None = None,
    **spec: Any,
) -> Obj:
    """Return a DaemonSet that selects app=web; pod_spec goes into its template."""
    wanted = template(IMAGES["new"])
    return {
        "apiVersion": f"{group}/v1",
        "kind": "DaemonSet",
        "metadata": metadata("web", annotations=annotations, deleting=deleting),
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": wanted | {"spec": wanted["spec"] | (pod_spec or {})},
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge},
            },
            "revisionHistoryLimit": 10,
            **spec,
        },
        "status": status or {},
    }


def daemon(
    owner: Obj | None, on: str, revision: str = "new", *, name: str = "", waits: bool = False, **rest: Any
) -> Pod:
    """Return the pod on a node, called REVISION-NODE unless told otherwise; one that waits is only meant for it."""
    labels = rest.pop("labels", {"app": "web", HASH_LABEL: revision})
    made = pod(name or f"{revision}-{on}", owner=owner, labels=labels, node="" if waits else on, **rest)
    return replace(made, pinned_to=on) if waits else made


def revision(owner: Obj, name: str, number: int, *, labelled: bool = True, image: str = "", **rest: Any) -> Obj:
    """Return a revision of this name, which is also its hash."""
    labels = {"app": "web", **({HASH_LABEL: name} if labelled else {})}
    held = owner["spec"]["template"] if name.startswith("new") else template(image or IMAGES.get(name, name))
    return controllerrevision(name, held, number=number, owner=owner, labels=labels, **rest)


def seen(
    owner: Obj,
    on: tuple[Obj, ...],
    *pods: Pod,
    revisions: tuple[Obj, ...] | None = None,
    retries: dict[str, Retry] | None = None,
) -> Observed:
    """Return what is observed: unless told otherwise there are the revisions old and new."""
    known = (revision(owner, "old", 1), revision(owner, "new", 2)) if revisions is None else revisions
    return Observed(owner, pods, known, on, NOW, retries or {})


def told(made: Plan) -> list[str]:
    """Return each step of a plan in a few words, in order."""
    return [_word(step) for step in made.steps]


def _word(step: Create | Delete | Patch) -> str:
    if isinstance(step, Create):
        return f"create on {pinned_to(step.body)}" if step.resource == PODS else f"record {step.body['revision']}"
    if isinstance(step, Delete):
        return f"delete {step.target.name}" if step.target.resource == PODS else f"forget {step.target.name}"
    meta = step.body.get("metadata", {})
    if "ownerReferences" in meta:
        return f"{'adopt' if meta['ownerReferences'] else 'release'} {step.target.name}"
    return (
        f"label {step.target.name} {meta['labels'][HASH_LABEL]}"
        if "labels" in meta
        else f"renumber {step.target.name} {step.body['revision']}"
    )


def pinned_to(body: Obj) -> str:
    """Return the node that a pod that is to be created names."""
    term = body["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(term["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def names(found: tuple[Obj, ...]) -> list[str]:
    """Return the names of objects."""
    return [objects.name(obj) for obj in found]
