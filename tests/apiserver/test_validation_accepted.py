"""What the apiserver takes in apps/v1 is taken in our group: the odd, the empty and the rare."""

from typing import Any

import pytest

from operators.runtime.client import Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits

pytestmark = pytest.mark.cluster

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
ROLLING = "spec.strategy.rollingUpdate"

BOTH = [
    pytest.param({}, id="nothing special"),
    pytest.param({"spec.replicas": 0}, id="replicas 0"),
    pytest.param({"spec.replicas": ABSENT}, id="no replicas"),
    pytest.param({"spec.replicas": None}, id="replicas null"),
    pytest.param({"spec.minReadySeconds": 0}, id="minReadySeconds 0"),
    pytest.param({"metadata.name": "web.example.com"}, id="name with dots"),
    pytest.param({"metadata.name": ABSENT, "metadata.generateName": "web-"}, id="generateName"),
    pytest.param({"metadata.annotations": {"note": "ä" * 10_000}}, id="long annotation"),
    pytest.param({"metadata.creationTimestamp": None}, id="creationTimestamp null"),
    pytest.param({"status": {}}, id="status empty"),
    pytest.param({"spec.template.metadata.creationTimestamp": None}, id="template's creationTimestamp null"),
    pytest.param({"spec.template.metadata.name": "web"}, id="template with a name"),
    pytest.param(
        {"spec.template.metadata.namespace": "other", "spec.template.metadata.generateName": "x-"}, id="namespace"
    ),
    pytest.param({"spec.template.metadata.finalizers": ["example.com/x"]}, id="template with finalizers"),
    pytest.param({"spec.template.metadata.finalizers": ["a.b/c", "a.b/c"]}, id="template with a finalizer twice"),
    pytest.param({"spec.template.metadata.ownerReferences": [{"name": "x"}]}, id="template with half an owner"),
    pytest.param({"spec.template.metadata.annotations": None}, id="template's annotations null"),
    pytest.param(
        {"spec.selector.matchLabels": {"app": ""}, "spec.template.metadata.labels": {"app": ""}}, id="empty label"
    ),
    pytest.param(
        {"spec.selector": {"matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]}}, id="DoesNotExist alone"
    ),
    pytest.param(
        {"spec.selector": {"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["x"]}]}},
        id="NotIn without the label",
    ),
    pytest.param(
        {
            "spec.selector": {"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["x"]}]},
            "spec.template.metadata": ABSENT,
        },
        id="template without any label",
    ),
    pytest.param(
        {
            "spec.selector.matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["back", "front"]},
                {"key": "tier", "operator": "Exists", "values": []},
            ]
        },
        id="In and Exists",
    ),
]

DEPLOYMENT = [
    pytest.param({"spec.strategy": {}}, id="strategy empty"),
    pytest.param({"spec.strategy": None}, id="strategy null"),
    pytest.param({"spec.strategy.type": ""}, id="strategy's type empty"),
    pytest.param({"spec.strategy.type": "Recreate"}, id="Recreate"),
    pytest.param({"spec.strategy": {"type": "Recreate", "rollingUpdate": None}}, id="Recreate, rollingUpdate null"),
    pytest.param({"spec.strategy.type": "RollingUpdate"}, id="RollingUpdate without numbers"),
    pytest.param({ROLLING: {}}, id="rollingUpdate empty"),
    pytest.param({f"{ROLLING}.maxUnavailable": 0}, id="maxUnavailable 0"),
    pytest.param({ROLLING: {"maxSurge": 0, "maxUnavailable": 1}}, id="maxSurge 0"),
    pytest.param({ROLLING: {"maxSurge": "0%", "maxUnavailable": "1%"}}, id="maxSurge 0%"),
    pytest.param({f"{ROLLING}.maxSurge": "250%"}, id="maxSurge above 100%"),
    pytest.param({f"{ROLLING}.maxUnavailable": "100%"}, id="maxUnavailable 100%"),
    pytest.param({f"{ROLLING}.maxUnavailable": "007%"}, id="percentage with zeros in front"),
    pytest.param({f"{ROLLING}.maxSurge": None}, id="maxSurge null"),
    pytest.param({"spec.revisionHistoryLimit": 0}, id="revisionHistoryLimit 0"),
    pytest.param({"spec.progressDeadlineSeconds": 2_147_483_647}, id="largest progressDeadlineSeconds"),
    pytest.param({"spec.minReadySeconds": 599}, id="minReadySeconds below the deadline's default"),
    pytest.param({"spec.paused": True}, id="paused"),
    pytest.param({"metadata.annotations": {"deprecated.deployment.rollback.to": "3"}}, id="rollback by annotation"),
]

_LABELS_FILE = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}

_SCALEIO = {"gateway": "g", "system": "s", "volumeName": "v"}

PODS = [
    pytest.param({"restartPolicy": ""}, id="restartPolicy empty"),
    pytest.param({"dnsPolicy": ""}, id="dnsPolicy empty"),
    pytest.param({"terminationGracePeriodSeconds": 0}, id="terminationGracePeriodSeconds 0"),
    pytest.param({"terminationGracePeriodSeconds": -1}, id="terminationGracePeriodSeconds -1"),
    pytest.param({"securityContext": None}, id="securityContext null"),
    pytest.param({"serviceAccount": "old"}, id="serviceAccount by its old name"),
    pytest.param({"volumes": [{"name": "v"}]}, id="volume without source"),
    pytest.param({"volumes": [{"name": "v", "hostPath": {"path": "/x", "type": ""}}]}, id="hostPath of any type"),
    pytest.param({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": 1.5}}]}, id="sizeLimit a fraction"),
    pytest.param(
        {"volumes": [{"name": "v", "iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:a"}}]},
        id="iscsi without lun",
    ),
    pytest.param({"volumes": [{"name": "v", "gitRepo": {"repository": "r"}}]}, id="gitRepo"),
    pytest.param({"volumes": [{"name": "v", "downwardAPI": {"items": [_LABELS_FILE]}}]}, id="downwardAPI"),
    pytest.param(
        {"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }}}]},
        id="ephemeral volume with labels",
    ),
    pytest.param({"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced"}]}}, id="sysctl without value"),
    pytest.param({"hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}] * 2}, id="hostAliases twice"),
    pytest.param({"imagePullSecrets": [{"name": "s"}, {"name": "s"}]}, id="imagePullSecrets twice"),
    pytest.param({"tolerations": [{"operator": "Exists"}]}, id="toleration of everything"),
    pytest.param({"tolerations": [{"key": "a", "effect": "", "operator": ""}]}, id="toleration with empty words"),
    pytest.param(
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}}},
        id="empty node selector term",
    ),
    pytest.param(
        {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}},
        id="weight without preference",
    ),
    pytest.param({"affinity": {}}, id="affinity empty"),
    pytest.param(
        {"initContainers": [{"name": "sidecar", "image": "s", "restartPolicy": "Always"}]}, id="sidecar"
    ),
    pytest.param({"priorityClassName": "unknown"}, id="unknown priority class"),
    pytest.param({"nodeName": "unknown"}, id="unknown node"),
    pytest.param({"overhead": {"cpu": "1m"}}, id="overhead"),
    pytest.param({"resources": {"requests": {"cpu": 1}}}, id="resources of the pod"),
    pytest.param({"volumes": [{"name": "v", "scaleIO": _SCALEIO}]}, id="scaleIO without secretRef"),
    pytest.param({"ephemeralContainers": []}, id="no ephemeralContainers"),
    pytest.param({"ephemeralContainers": None}, id="ephemeralContainers null"),
]  # fmt: skip

CONTAINERS = [
    pytest.param({"image": " nginx "}, id="image with blanks"),
    pytest.param({"imagePullPolicy": ""}, id="imagePullPolicy empty"),
    pytest.param({"command": None, "args": None, "env": None, "resources": None}, id="nulls"),
    pytest.param({"command": [], "args": [""]}, id="empty lists and words"),
    pytest.param({"resources": {"requests": {"cpu": 0.5}}}, id="quantity a fraction"),
    pytest.param({"resources": {"requests": {"cpu": 1, "memory": 128974848}}}, id="quantities as numbers"),
    pytest.param({"resources": {"requests": {"cpu": "1e-1", "memory": "129e6"}}}, id="quantities with exponents"),
    pytest.param({"resources": {"requests": {"memory": "128974848000m"}}}, id="memory in thousandths"),
    pytest.param({"resources": {"limits": {"example.com/gpu": "1"}}}, id="extended resource"),
    pytest.param({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, id="variable twice"),
    pytest.param({"env": [{"name": "A"}]}, id="variable without value"),
    pytest.param({"env": [{"name": "A b", "value": ""}]}, id="variable with a blank"),
    pytest.param({"env": [{"name": "A", "value": None}]}, id="variable null"),
    pytest.param(
        {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": 0}}}]},
        id="divisor 0",
    ),
    pytest.param({"envFrom": [{"prefix": "P_", "configMapRef": {"name": "c", "optional": True}}]}, id="envFrom"),
    pytest.param({"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 80, "name": "b"}]}, id="port twice"),
    pytest.param({"ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]}, id="TCP and UDP"),
    pytest.param({"ports": [{"containerPort": 80, "protocol": "", "hostPort": 0}]}, id="protocol empty"),
    pytest.param({"readinessProbe": {"httpGet": {"port": "http"}}}, id="port by name"),
    pytest.param({"readinessProbe": {"httpGet": {"port": 80}, "timeoutSeconds": 0}}, id="timeoutSeconds 0"),
    pytest.param(
        {"readinessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "X"}]}}}, id="header without value"
    ),
    pytest.param({"readinessProbe": {"grpc": {"port": 80}}}, id="grpc without service"),
    pytest.param({"readinessProbe": {"exec": {"command": ["x"]}, "periodSeconds": None}}, id="periodSeconds null"),
    pytest.param({"livenessProbe": {"tcpSocket": {"port": 80}, "initialDelaySeconds": 0}}, id="no delay"),
    pytest.param({"lifecycle": {"preStop": {"sleep": {"seconds": 0}}}}, id="sleep of no time"),
    pytest.param({"lifecycle": {"preStop": {"sleep": {}}}}, id="sleep without seconds"),
    pytest.param({"lifecycle": {}}, id="lifecycle empty"),
    pytest.param({"securityContext": {"capabilities": {"add": ["ALL", "ALL"]}}}, id="capability twice"),
    pytest.param({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]}, id="resizePolicy"),
    pytest.param({"workingDir": "", "stdin": False, "tty": True}, id="terminal"),
]


@pytest.mark.parametrize("edits", BOTH)
@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
async def test_both_kinds(client: Client, kind: str, edits: Edits) -> None:
    """Fields that both kinds have."""
    await validation.compare_taken(client, kind, edits)


@pytest.mark.parametrize("edits", DEPLOYMENT)
async def test_deployment(client: Client, edits: Edits) -> None:
    """Fields that only a Deployment has."""
    await validation.compare_taken(client, "Deployment", edits)


@pytest.mark.parametrize("fields", PODS)
async def test_pod(client: Client, fields: dict[str, Any]) -> None:
    """The template's fields."""
    await validation.compare_taken(client, "Deployment", {f"{POD}.{field}": value for field, value in fields.items()})


async def test_claim_twice(client: Client) -> None:
    """Two requests of one resource claim."""
    claims = [{"name": "gpu", "request": "a"}, {"name": "gpu", "request": "b"}]
    offered = [{"name": "gpu", "resourceClaimName": "gpu"}]
    await validation.compare_taken(
        client, "Deployment", {f"{POD}.resourceClaims": offered, f"{CONTAINER}.resources.claims": claims}
    )


async def test_exit_code_twice(client: Client) -> None:
    """A restart rule that names an exit code twice."""
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1, 1]}}
    edits = {f"{CONTAINER}.restartPolicy": "Never", f"{CONTAINER}.restartPolicyRules": [rule]}
    await validation.compare_taken(client, "Deployment", edits)


@pytest.mark.parametrize("fields", CONTAINERS)
async def test_container(client: Client, fields: dict[str, Any]) -> None:
    """The fields of a container."""
    await validation.compare_taken(
        client, "Deployment", {f"{CONTAINER}.{field}": value for field, value in fields.items()}
    )
