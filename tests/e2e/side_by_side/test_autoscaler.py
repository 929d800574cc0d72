"""Ordinary HorizontalPodAutoscalers, which reach Deployments of ours through the scale subresource."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.manifests import OURS, Obj, account, container, deployment, pod, server, service
from tests.e2e.shell import Shell, eventually, run

APISERVICE = "v1beta1.metrics.k8s.io"
READS: list[Obj] = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
]
SCRATCH: Obj = {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "300Mi"}}


@pytest.fixture
def metered(shell: Shell) -> Iterator[Shell]:
    """Serve metrics.k8s.io from this namespace, where the cluster has nobody who does."""
    if APISERVICE in run("kubectl", "get", "apiservices", "--output=name"):
        yield shell
        return
    serves = container(command=["python", "-m", "app.metrics"], readinessProbe={"tcpSocket": {"port": 8443}})
    labelled = {"name": "metrics", "labels": {"app": "metrics"}}
    rights = account("metrics", READS, shell.namespace)
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": APISERVICE},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": {"name": "metrics", "namespace": shell.namespace, "port": 443},
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }
    shell.apply(
        *rights,
        pod("metrics", serviceAccountName="metrics", containers=[serves]) | {"metadata": labelled},
        service("metrics", OURS, "metrics", ports=[{"port": 443, "targetPort": 8443}]),
    )
    shell.kubectl("wait", "pod/metrics", "--for=condition=Ready", "--timeout=60s")
    try:
        run("kubectl", "apply", "-f", "-", stdin=json.dumps(api))
        run("kubectl", "wait", f"apiservice/{APISERVICE}", "--for=condition=Available", "--timeout=60s")
        yield shell
    finally:
        # An API that nobody serves keeps every namespace of the cluster from being deleted.
        run("kubectl", "delete", "apiservice", APISERVICE, "--ignore-not-found")
        name = rights[1]["metadata"]["name"]
        run("kubectl", "delete", f"clusterrole/{name}", f"clusterrolebinding/{name}", "--ignore-not-found")


def autoscaler(at: str) -> Obj:
    """Return one that goes by the memory that the pods use on average, and does not wait."""
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": at}}
    spec = {
        "scaleTargetRef": {"apiVersion": OURS, "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": memory}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    }
    meta = {"name": "web"}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}


def test_by_memory(metered: Shell) -> None:
    """It scales up while the pods use much, and down when they do not any more."""
    shell = metered
    main = server(volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    shell.apply(deployment(1, pod={"containers": [main], "volumes": [SCRATCH]}))
    shell.rolled_out()
    (first,) = shell.pods(app="web")
    name = first["metadata"]["name"]
    shell.apply(autoscaler("100Mi"))
    eventually("it knows what the pod uses", lambda: _memory(shell) and _replicas(shell) == 1, 90)
    shell.kubectl("exec", name, "--", "dd", "if=/dev/zero", "of=/scratch/file", "bs=1M", "count=230")
    eventually("three replicas", lambda: _replicas(shell) == 3, 120)
    shell.rolled_out()
    survivors = {pod["metadata"]["name"] for pod in shell.pods(app="web")}
    assert len(survivors) == 3
    shell.kubectl("exec", name, "--", "rm", "/scratch/file")
    eventually("one replica", lambda: _replicas(shell) == 1, 120)
    eventually("one pod", lambda: len(shell.pods(app="web")) == 1)


def _memory(shell: Shell) -> str:
    """Return what the autoscaler has read. LookupError where that is nothing yet."""
    read = shell.get("horizontalpodautoscaler/web")["status"]["currentMetrics"] or []
    return str(read[0]["resource"]["current"]["averageValue"])


def _replicas(shell: Shell) -> int:
    return int(shell.get("deployments.kopfwerk.dev/web")["spec"]["replicas"])
