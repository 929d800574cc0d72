"""Objects for tests: what a case is about is said, everything else is filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from operators.core import pods
from operators.core.deployment.replicasets import DESIRED, MAXIMUM, REVISION
from operators.core.objects import Obj, format_time
from operators.core.pods import Pod

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
"""The time that it is in tests."""


def ago(seconds: float) -> str:
    """Return a timestamp that many seconds before NOW."""
    return format_time(NOW - timedelta(seconds=seconds))


def template(image: str = "app:1", **labels: str) -> Obj:
    """Return a pod template, labelled app=web unless told otherwise."""
    return {
        "metadata": {"labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def owner_reference(owner: Obj) -> Obj:
    """Return the reference by which `owner` controls an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def metadata(
    name: str,
    *,
    owner: Obj | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    age: float = 60,
    deleting: bool = False,
) -> Obj:
    """Return the metadata of an object in namespace ns, `age` seconds old; its UID is uid-NAME."""
    meta: Obj = {
        "namespace": "ns",
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": ago(age),
        "labels": labels or {},
        "annotations": annotations or {},
    }
    if owner is not None:
        meta["ownerReferences"] = [owner_reference(owner)]
    if deleting:
        meta["deletionTimestamp"] = ago(1)
    return meta


def pod(
    name: str = "pod",
    *,
    owner: Obj | None = None,
    labels: dict[str, str] | None = None,
    phase: str = "Running",
    ready: float | None = 30,
    node: str = "node-1",
    cost: str | None = None,
    restarts: int = 0,
    age: float = 60,
    deleting: bool = False,
) -> Pod:
    """Return a pod as the cache has it; `ready` is for how many seconds it has been, None that it is not."""
    conditions = []
    if phase == "Running" and ready is not None:
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ago(ready)}]
    annotations = {pods.DELETION_COST: cost} if cost is not None else {}
    return pods.parse(
        {
            "metadata": metadata(
                name,
                owner=owner,
                labels=labels if labels is not None else {"app": "web"},
                annotations=annotations,
                age=age,
                deleting=deleting,
            ),
            "spec": {"nodeName": node},
            "status": {
                "phase": phase,
                "conditions": conditions,
                "containerStatuses": [{"name": "app", "restartCount": restarts}],
            },
        }
    )


def replicaset(
    name: str = "rs",
    *,
    replicas: int = 3,
    group: str = "kopfwerk.dev",
    owner: Obj | None = None,
    image: str = "app:1",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    status: Obj | None = None,
    age: float = 60,
    deleting: bool = False,
    **spec: Any,
) -> Obj:
    """Return a ReplicaSet that selects app=web."""
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(
            name,
            owner=owner,
            labels=labels if labels is not None else {"app": "web"},
            annotations=annotations,
            age=age,
            deleting=deleting,
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            **spec,
        },
        "status": status or {},
    }


def member(
    owner: Obj,
    name: str,
    *,
    replicas: int,
    available: int | None = None,
    revision: int = 1,
    sized_for: tuple[int, int] | None = None,
    **rest: Any,
) -> Obj:
    """Return a ReplicaSet of a Deployment, with `available` of its pods available (all unless said).

    sized_for are the desired and the most replicas of the time when it was last sized; as the Deployment is now, unless
    said.
    """
    desired = owner["spec"]["replicas"]
    sized = sized_for or (desired, desired)
    running = replicas if available is None else available
    annotations = {REVISION: str(revision), DESIRED: str(sized[0]), MAXIMUM: str(sized[1])}
    status = {
        "replicas": replicas,
        "readyReplicas": running,
        "availableReplicas": running,
        "observedGeneration": 1,
        "terminatingReplicas": 0,
    }
    return replicaset(
        name,
        replicas=replicas,
        owner=owner,
        annotations=annotations | rest.pop("annotations", {}),
        status=status | rest.pop("status", {}),
        **rest,
    )


def deployment(
    name: str = "web",
    *,
    replicas: int = 10,
    image: str = "app:2",
    group: str = "kopfwerk.dev",
    surge: int | str = "25%",
    unavailable: int | str = "25%",
    recreate: bool = False,
    annotations: dict[str, str] | None = None,
    status: Obj | None = None,
    deleting: bool = False,
    **spec: Any,
) -> Obj:
    """Return a Deployment that selects app=web."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {
        "apiVersion": f"{group}/v1",
        "kind": "Deployment",
        "metadata": metadata(name, annotations=annotations, deleting=deleting),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "Recreate"} if recreate else rolling,
            "template": template(image),
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        },
        "status": status or {},
    }


def controllerrevision(
    name: str,
    template: Obj,
    *,
    number: int = 1,
    owner: Obj | None = None,
    labels: dict[str, str] | None = None,
    age: float = 60,
) -> Obj:
    """Return a ControllerRevision that holds a pod template."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata(name, owner=owner, labels=labels if labels is not None else {"app": "web"}, age=age),
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }


def statefulset(
    name: str = "web",
    *,
    replicas: int = 3,
    image: str = "app:2",
    group: str = "kopfwerk.dev",
    claims: tuple[str, ...] = (),
    annotations: dict[str, str] | None = None,
    status: Obj | None = None,
    deleting: bool = False,
    **spec: Any,
) -> Obj:
    """Return a StatefulSet that selects app=web, with a claim template of each of these names."""
    return {
        "apiVersion": f"{group}/v1",
        "kind": "StatefulSet",
        "metadata": metadata(name, annotations=annotations, deleting=deleting),
        "spec": {
            "replicas": replicas,
            "serviceName": "svc",
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
            "revisionHistoryLimit": 10,
            **({"volumeClaimTemplates": [_claim_template(claim) for claim in claims]} if claims else {}),
            **spec,
        },
        "status": status or {},
    }


def _claim_template(name: str) -> Obj:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name, "labels": {"tier": "data"}}, "spec": spec, "status": {"phase": "Pending"}}


def claim(name: str, *, owners: tuple[Obj, ...] = (), deleting: bool = False) -> Obj:
    """Return a PersistentVolumeClaim with these ownerReferences."""
    meta = metadata(name, deleting=deleting) | ({"ownerReferences": list(owners)} if owners else {})
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": {}}
