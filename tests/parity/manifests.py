"""The objects of the scenarios: what a scenario is about is said, everything else is filled in."""

from typing import Any

from operators.core.objects import Obj


def template(
    image: str = "app:1", *, labels: dict[str, str] | None = None, finalizers: list[str] | None = None, **sim: str
) -> Obj:
    """Return a pod template; `sim` tells its simulated pods how to behave."""
    meta: Obj = {"labels": labels or {"app": "web"}}
    if sim:
        meta["annotations"] = {f"sim.kopfwerk.dev/{name.replace('_', '-')}": value for name, value in sim.items()}
    if finalizers:
        meta["finalizers"] = finalizers
    return {"metadata": meta, "spec": {"containers": [{"name": "app", "image": image}]}}


def lingering() -> Obj:
    """Return a template whose pods, once deleted, stay until `Pair.let_go`: both sides can come to rest meanwhile."""
    made = template(terminate_after="1h")
    made["spec"]["terminationGracePeriodSeconds"] = 300  # the longest that a deleted pod stays
    return made


def _workload(kind: str, replicas: int, spec: Obj, **meta: Any) -> Obj:
    selector = {"matchLabels": {"app": "web"}}
    return {
        "kind": kind,
        "metadata": {"name": "web", **meta},
        "spec": {"replicas": replicas, "selector": selector, "template": template()} | spec,
    }


def deployment(
    replicas: int = 3,
    *,
    surge: int | str | None = None,
    unavailable: int | str | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> Obj:
    """Return a Deployment web that selects app=web; with fenceposts where they are given."""
    rolling = {k: v for k, v in (("maxSurge", surge), ("maxUnavailable", unavailable)) if v is not None}
    if rolling:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return _workload("Deployment", replicas, spec, annotations=annotations or {})


def replicaset(replicas: int = 3, *, name: str = "web", labels: dict[str, str] | None = None, **spec: Any) -> Obj:
    """Return a ReplicaSet that selects app=web."""
    return _workload("ReplicaSet", replicas, spec, name=name, labels=labels or {})


def statefulset(replicas: int = 3, *, parallel: bool = False, storage: str = "", **spec: Any) -> Obj:
    """Return a StatefulSet web that selects app=web, with claims of a storage class where one is named."""
    if parallel:
        spec["podManagementPolicy"] = "Parallel"
    if storage:
        spec["volumeClaimTemplates"] = [claim_template("data", storage)]
    return _workload("StatefulSet", replicas, {"serviceName": "svc", **spec})


def job(*, restart: str = "Never", sim: dict[str, str] | None = None, **spec: Any) -> Obj:
    """Return a Job web whose pods behave as `sim` says."""
    pod = template()
    if sim:
        behaviour = {f"sim.kopfwerk.dev/{name.replace('_', '-')}": value for name, value in sim.items()}
        pod["metadata"]["annotations"] = behaviour
    pod["spec"]["restartPolicy"] = restart
    return {"kind": "Job", "metadata": {"name": "web"}, "spec": {"template": pod, **spec}}


def cronjob(
    schedule: str = "* * * * *", *, sim: dict[str, str] | None = None, job_spec: Obj | None = None, **spec: Any
) -> Obj:
    """Return a CronJob tick whose pods behave as `sim` says."""
    made = job(sim=sim, **(job_spec or {}))["spec"]
    template = {"metadata": {"labels": {"app": "tick"}, "annotations": {"note": "mine"}}, "spec": made}
    return {
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {"schedule": schedule, "jobTemplate": template, **spec},
    }


def claim_template(name: str, storage: str) -> Obj:
    """Return the template of a claim."""
    spec = {
        "storageClassName": storage,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return {"metadata": {"name": name, "labels": {"kind": name}}, "spec": spec}


def rolling(partition: int = 0, unavailable: int | str = 1) -> Obj:
    """Return how a StatefulSet is updated."""
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition, "maxUnavailable": unavailable}}


def pod(name: str, *, labels: dict[str, str] | None = None, node: str | None = None, **sim: str) -> Obj:
    """Return a pod of its own, owned by nobody; bound to a node where one is named."""
    made = template("app:1", labels=labels, finalizers=None, **sim)
    meta = {**made["metadata"], "name": name}
    spec = made["spec"] | ({"nodeName": node} if node else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def quota(pods: int) -> Obj:
    """Return a quota on the namespace's pods."""
    spec = {"hard": {"pods": str(pods)}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": spec}
