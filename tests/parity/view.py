"""What a user sees of a namespace, with everything taken out in which two right answers may differ.

Random and hashed names become what they stand for, times go, defaults that a custom resource cannot have go: what is
left of both sides has to be equal. What is left out here is in docs/differences.md.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operators.core.objects import Obj, annotations, controller_of, labels, uid
from operators.core.ready import READY, STALLED

HASH = "pod-template-hash"
REVISION_HASHES = ("controller.kubernetes.io/hash", "controller-revision-hash")
REVISION = "deployment.kubernetes.io/revision"
_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_DIGEST = "[bcdfghjklmnpqrstvwxz2456789]{7,10}"
_OF_THE_NODE = "topology.kubernetes.io/"
_UNDER_WAY = ("NewReplicaSetCreated", "ReplicaSetUpdated")
_NOT_COMPARED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.daemonset.template.generation",  # only the built-in kind counts its templates
)
_TEMPLATE_NUMBER = "pod-template-generation"
WORKLOADS = {
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
}
"""What has events that are compared; and, but for the last two, a status with an observedGeneration."""
_UIDS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_TIMES = ("startTime", "completionTime")
_COLUMNS = ("state", "progress", "activeJobs", "nextScheduleTime")


@dataclass(frozen=True)
class View:
    """One side of a comparison. `raw` is what it was made of, for waiting on."""

    objects: Mapping[str, Mapping[str, Any]]
    """By the plural names of the kinds, then by name."""
    pods: Mapping[str, int]
    events: frozenset[str]
    raw: Mapping[str, list[Obj]] = field(compare=False, repr=False)

    def find(self, plural: str, name: str = "web") -> Obj:
        """Return an object as the apiserver has it."""
        return next(obj for obj in self.raw[plural] if obj["metadata"]["name"] == name)

    def without(self, parts: frozenset[str]) -> "View":
        """Return it with some of what it compares left out."""
        objects = {plural: {} if plural in parts else found for plural, found in self.objects.items()}
        return View(objects, {} if "pods" in parts else self.pods, self.events, self.raw)

    @property
    def is_settled(self) -> bool:
        """Whether each controller has seen the latest of what it looks after."""
        parents = (
            obj for plural in WORKLOADS if plural not in ("jobs", "cronjobs") for obj in self.raw.get(plural, ())
        )
        return all(
            (obj.get("status") or {}).get("observedGeneration", 0) >= obj["metadata"]["generation"] for obj in parents
        )


class _Names:
    """Puts what a name stands for in place of the name."""

    def __init__(self, hashed: Iterable[Obj]) -> None:
        self._aliases: dict[str, str] = {}
        for obj in hashed:
            name, found = obj["metadata"]["name"], labels(obj)
            for digest in filter(None, map(found.get, (HASH, *REVISION_HASHES))):
                if name.endswith(f"-{digest}"):
                    self._aliases[name] = f"{name.removesuffix(digest)}<{_fingerprint(obj)}>"
                    self._aliases[digest] = f"<{_fingerprint(obj)}>"

    def __call__(self, text: str) -> str:
        for name in sorted(self._aliases, key=len, reverse=True):
            text = text.replace(name, self._aliases[name])
        text = re.sub(rf"\bweb-{_DIGEST}\b", "web-<gone>", text)
        text = re.sub(r"\b[a-z0-9-]+-(?:up|our)/", "NAMESPACE/", text)
        return re.sub(rf"(?<=[a-z>])((?:-[0-9]+)?)-{_SUFFIX}\b", r"\1-POD", text)

    def deep(self, value: Any) -> Any:
        """Replace in every text of a structure."""
        if isinstance(value, dict):
            return {self(key): self.deep(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.deep(item) for item in value]
        return self(value) if isinstance(value, str) else value


def _fingerprint(obj: Obj) -> str:
    """Tell the templates of one workload apart by what scenarios change in them."""
    template = (obj.get("spec") or obj["data"]["spec"])["template"]
    images = [container["image"] for container in template["spec"]["containers"]]
    extra = sorted(k for k in annotations({"metadata": template.get("metadata") or {}}) if "restartedAt" in k)
    free = [] if controller_of(obj) else ["nobody's"]
    return ",".join([*images, *extra, *free])


def view(raw: Mapping[str, list[Obj]], group: str, *, events: str) -> View:
    """Make a view of the lists of a namespace. events: "exact", "numbers aside" or "none"."""
    names = _Names(obj for plural in ("replicasets", "controllerrevisions") for obj in raw.get(plural, ()))
    owners = {uid(obj): obj for plural in WORKLOADS for obj in raw.get(plural, ())}
    return View(
        objects={
            plural: {names(obj["metadata"]["name"]): _SHOWN.get(plural, _workload)(obj, names, group) for obj in found}
            for plural, found in raw.items()
            if plural not in ("pods", "events")
        },
        pods=Counter(_pod(obj, names, owners, group) for obj in raw["pods"]),
        events=frozenset(_events(raw["events"], names, events, group)),
        raw=raw,
    )


def _meta(obj: Obj, names: _Names, group: str) -> Obj:
    return {
        "labels": names.deep(dict(labels(obj))),
        "annotations": {k: names(v) for k, v in annotations(obj).items() if k not in _NOT_COMPARED},
        "owners": _owners(obj, names, group),
        "finalizers": obj["metadata"].get("finalizers") or [],
        "deleting": "deletionTimestamp" in obj["metadata"],
    }


def _workload(obj: Obj, names: _Names, group: str) -> Obj:
    status = _status(obj.get("status") or {}, obj["metadata"]["generation"], names)
    return _meta(obj, names, group) | {"spec": _spec(obj["spec"], names), "status": status}


def _revision(obj: Obj, names: _Names, group: str) -> Obj:
    return _meta(obj, names, group) | {"revision": obj["revision"], "data": _spec(obj["data"], names)}


def _claim(obj: Obj, names: _Names, group: str) -> Obj:
    """Return a claim, whichever volume it has got."""
    spec = {key: value for key, value in obj["spec"].items() if key != "volumeName"}
    return _meta(obj, names, group) | {"spec": spec, "phase": obj["status"].get("phase")}


def _job(obj: Obj, names: _Names, group: str) -> Obj:
    """Return a Job, less what the apiserver generates of labels and spec, which a custom resource does without."""
    status = {key: value for key, value in (obj.get("status") or {}).items() if value not in (0, "")}
    shown = {key: "some" if key in _TIMES else value for key, value in status.items() if key not in _COLUMNS}
    shown["conditions"] = [
        _condition(condition, names)
        for condition in status.get("conditions") or ()
        if condition["type"] not in (READY, STALLED)
    ]
    meta = {key: value for key, value in _meta(obj, names, group).items() if key != "labels" or _is_a_run(obj)}
    return meta | {"status": shown}


def _is_a_run(obj: Obj) -> bool:
    """Whether a Job is a CronJob's, from which it has its labels."""
    owner = controller_of(obj)
    return owner is not None and owner.kind == "CronJob"


def _cronjob(obj: Obj, names: _Names, group: str) -> Obj:
    """Return a CronJob, less what its template has by default; the times of its runs are the same on both sides."""
    status = {key: value for key, value in (obj.get("status") or {}).items() if key not in _COLUMNS}
    if "lastSuccessfulTime" in status:
        status["lastSuccessfulTime"] = "some"
    active = [
        f"{'own' if ref['apiVersion'] == f'{group}/v1' else ref['apiVersion']} {ref['kind']} {names(ref['name'])}"
        for ref in status.pop("active", None) or ()
    ]
    spec = {key: value for key, value in obj["spec"].items() if key != "jobTemplate"}
    return _meta(obj, names, group) | {"spec": spec, "status": status, "active": active}


_SHOWN = {"controllerrevisions": _revision, "persistentvolumeclaims": _claim, "jobs": _job, "cronjobs": _cronjob}


def _owners(obj: Obj, names: _Names, group: str) -> list[str]:
    """Return who owns it, and how. The API group has to be the side's own."""
    found = []
    for ref in obj["metadata"].get("ownerReferences") or []:
        own = "own" if ref["apiVersion"] == f"{group}/v1" else ref["apiVersion"]
        flags = [flag for flag in ("controller", "blockOwnerDeletion") if ref.get(flag)]
        found.append(" ".join([own, ref["kind"], names(ref["name"]), *flags]))
    return sorted(found)


def _spec(spec: Obj, names: _Names) -> Any:
    """Return the spec less imagePullPolicy, which depends on the image and so cannot be a default of a schema."""

    def trimmed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: trimmed(item) for key, item in value.items() if key != "imagePullPolicy"}
        return [trimmed(item) for item in value] if isinstance(value, list) else value

    return names.deep(trimmed(spec))


def _status(status: Obj, generation: int, names: _Names) -> Obj:
    """Return the status. Generations differ, since a custom resource's does not grow with its annotations.

    Which of two reasons a rollout under way shows depends on how many of its counts a single sync saw change; and
    whether the message at its end is the earlier rollout's still, on whether any sync saw it under way.
    """
    counts = {key: value for key, value in status.items() if value != 0 and key not in ("selector", "conditions")}
    made: Obj = names.deep(counts)
    made["observedGeneration"] = "latest" if status.get("observedGeneration") == generation else "earlier"
    made["conditions"] = sorted(
        _condition(condition, names)
        for condition in status.get("conditions") or ()
        if condition["type"] not in (READY, STALLED)
    )
    return made


def _condition(condition: Obj, names: _Names) -> str:
    reason, message = condition.get("reason", ""), names(condition.get("message", ""))
    if reason in _UNDER_WAY:
        reason, message = "under way", ""
    if reason == "NewReplicaSetAvailable":
        message = re.sub('"[^"]+"', '"REPLICASET"', message)
    return " ".join((condition["type"], condition["status"], reason, message))


def _pod(pod: Obj, names: _Names, owners: Mapping[str, Obj], group: str) -> str:
    """Return one line on a pod: whose it is, how it is, what it looks like."""
    meta, owner = pod["metadata"], controller_of(pod)
    parent = owners.get(owner.uid) if owner else None
    if parent is None or "generateName" not in meta or parent["kind"] in ("StatefulSet", "Job"):
        name = names(meta["name"])
    else:
        form = rf"{re.escape(parent['metadata']['name'])}-{_SUFFIX}"
        name = "POD" if re.fullmatch(form, meta["name"]) else f"unexpected name {meta['name']}"
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or ())
    facts = {
        "name": name,
        "generateName": names(meta.get("generateName", "")),
        "owners": _owners(pod, names, group),
        "labels": sorted(
            f"{k}={'UID' if k in _UIDS else names(v)}" for k, v in labels(pod).items() if _is_own_label(k)
        ),
        "annotations": sorted(annotations(pod)),
        "finalizers": meta.get("finalizers") or [],
        "phase": pod["status"].get("phase"),
        "ready": ready,
        "deleting": "deletionTimestamp" in meta,
        "images": [container["image"] for container in pod["spec"]["containers"]],
        **_of_daemon(pod, parent),
        "dns": [pod["spec"].get(part) for part in ("hostname", "subdomain")],
        "claims": sorted(_claimed(pod)),
    }
    return " ".join(f"{key}={value}" for key, value in facts.items())


def _of_daemon(pod: Obj, parent: Obj | None) -> Obj:
    """Return what else counts of a daemon: where it is and what it is pinned to and tolerates."""
    if parent is None or parent["kind"] != "DaemonSet":
        return {}
    spec = pod["spec"]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity")
    tolerations = sorted(map(repr, spec.get("tolerations") or ()))
    return {"node": spec.get("nodeName"), "affinity": affinity, "tolerations": tolerations}


def _is_own_label(name: str) -> bool:
    """Whether a pod has a label from its workload, and on both sides."""
    return not name.startswith(_OF_THE_NODE) and name != _TEMPLATE_NUMBER


def _claimed(pod: Obj) -> list[str]:
    """Return the names of a pod's claims, which upstream adds in the order of a Go map: in none."""
    sources = (volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"])
    return [source["claimName"] for source in sources if source]


def _events(events: Iterable[Obj], names: _Names, how: str, group: str) -> Iterable[str]:
    """Return what was said about workloads; how often does not matter, nor what was cut short as too much."""
    if how == "none":
        return
    for event in events:
        about = event["involvedObject"]
        if about["kind"] not in WORKLOADS.values() or event["message"].startswith("(combined"):
            continue
        message = names(event["message"].replace(f"{about['namespace']}/", "NAMESPACE/"))
        message = message.replace(f"Job.{group} ", "Job ")
        if how == "numbers aside":
            message = re.sub(r"from \d+ to \d+", "from N to M", message)
        yield " ".join((about["kind"], names(about["name"]), event["type"], event["reason"], message))
