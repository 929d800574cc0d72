"""What the apiserver refuses in apps/v1 is refused in our group, at the same field."""

from typing import Any

import pytest

from operators.runtime.client import Client
from tests.apiserver import validation
from tests.apiserver.validation import ABSENT, Edits

pytestmark = pytest.mark.cluster

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
ROLLING = "spec.strategy.rollingUpdate"


def _in(path: str, values: dict[str, Any]) -> Edits:
    """Return edits below one path."""
    return {f"{path}.{field}": value for field, value in values.items()}


def _everywhere(key: str, value: str) -> Edits:
    """Return a label in the selector and in the template."""
    return {"spec.selector.matchLabels": {key: value}, "spec.template.metadata.labels": {key: value}}


def _expression(operator: str, key: str, *values: str) -> Edits:
    """Return a selector of one expression beside the label."""
    requirement = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"spec.selector.matchExpressions": [requirement]}


_SPREAD = {
    "maxSkew": 1,
    "topologyKey": "zone",
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": {"app": "web"}},
}

SPEC = [
    pytest.param({"spec": ABSENT}, id="no spec"),
    pytest.param({"metadata.name": "Web"}, id="name in capitals"),
    pytest.param({"metadata.annotations": {"a/b/c": ""}}, id="annotation key with two slashes"),
    pytest.param({"metadata.annotations": {"a": 1}}, id="annotation that is a number"),
    pytest.param({"spec.replicas": -1}, id="replicas negative"),
    pytest.param({"spec.replicas": "three"}, id="replicas a word"),
    pytest.param({"spec.replicas": 1.5}, id="replicas a fraction"),
    pytest.param({"spec.replicas": 3_000_000_000}, id="replicas beyond 32 bits"),
    pytest.param({"spec.minReadySeconds": -1}, id="minReadySeconds negative"),
    pytest.param({"spec.selector": ABSENT}, id="no selector"),
    pytest.param({"spec.selector": {}}, id="selector empty"),
    pytest.param({"spec.selector": {"matchLabels": {}}}, id="matchLabels empty"),
    pytest.param({"spec.selector.matchLabels.app": "other"}, id="selector with another value"),
    pytest.param({"spec.selector.matchLabels.missing": "x"}, id="selector with a label that the template lacks"),
    pytest.param(_everywhere("app", "we b"), id="selector value with a blank"),
    pytest.param(_everywhere("a b", "web"), id="selector key with a blank"),
    pytest.param({"spec.template.metadata": ABSENT}, id="template without metadata"),
    pytest.param(_expression("In", "tier", "back"), id="In without the value"),
    pytest.param(_expression("In", "missing", "x"), id="In without the label"),
    pytest.param(_expression("NotIn", "tier", "back", "front"), id="NotIn with the value"),
    pytest.param(_expression("Exists", "missing"), id="Exists without the label"),
    pytest.param(_expression("DoesNotExist", "tier"), id="DoesNotExist with the label"),
    pytest.param(_expression("In", "tier"), id="In without values"),
    pytest.param(_expression("Exists", "tier", "front"), id="Exists with values"),
    pytest.param(_expression("Like", "tier", "front"), id="unknown operator of a selector"),
    pytest.param({"spec.template": ABSENT}, id="no template"),
    pytest.param({"spec.unknown": 1}, id="unknown field of the spec"),
]

DEPLOYMENT = [
    pytest.param({"spec.revisionHistoryLimit": -1}, id="revisionHistoryLimit negative"),
    pytest.param({"spec.progressDeadlineSeconds": -1}, id="progressDeadlineSeconds negative"),
    pytest.param(
        _in("spec", {"progressDeadlineSeconds": 10, "minReadySeconds": 10}), id="progressDeadlineSeconds not larger"
    ),
    pytest.param({"spec.minReadySeconds": 600}, id="minReadySeconds at the deadline's default"),
    pytest.param({"spec.paused": "yes"}, id="paused a word"),
    pytest.param({"spec.strategy.type": "Sideways"}, id="unknown strategy"),
    pytest.param({"spec.strategy": {"type": "Recreate", "rollingUpdate": {}}}, id="Recreate with rollingUpdate"),
    pytest.param(_in(ROLLING, {"maxSurge": 0, "maxUnavailable": 0}), id="neither surge nor unavailable"),
    pytest.param(
        _in(ROLLING, {"maxSurge": "0%", "maxUnavailable": "00%"}), id="neither surge nor unavailable, percent"
    ),
    pytest.param({f"{ROLLING}.maxSurge": "some"}, id="maxSurge a word"),
    pytest.param({f"{ROLLING}.maxSurge": "5"}, id="maxSurge a number in quotes"),
    pytest.param({f"{ROLLING}.maxSurge": -1}, id="maxSurge negative"),
    pytest.param({f"{ROLLING}.maxSurge": 1.5}, id="maxSurge a fraction"),
    pytest.param({f"{ROLLING}.maxSurge": True}, id="maxSurge a boolean"),
    pytest.param({f"{ROLLING}.maxUnavailable": "101%"}, id="maxUnavailable above 100%"),
    pytest.param({f"{ROLLING}.maxUnavailable": "-5%"}, id="maxUnavailable a negative percentage"),
    pytest.param({f"{ROLLING}.maxUnavailable": "5 %"}, id="maxUnavailable with a blank"),
    pytest.param(
        {"metadata.annotations": {"deprecated.deployment.rollback.to": "last"}}, id="rollback to a revision in words"
    ),
]

TEMPLATE = [
    pytest.param({"spec.template.metadata.labels.long": "x" * 64}, id="label of 64 characters"),
    pytest.param({"spec.template.metadata.labels.odd": "-x"}, id="label that starts with a dash"),
    pytest.param({"spec.template.metadata.labels.number": 1}, id="label that is a number"),
    pytest.param({"spec.template.metadata.annotations": {"a b": ""}}, id="template annotation key with a blank"),
    pytest.param({"spec.template.metadata.unknown": "x"}, id="unknown field of the template's metadata"),
    pytest.param({"spec.template.spec": ABSENT}, id="template without spec"),
    pytest.param({f"{POD}.restartPolicy": "Never"}, id="restartPolicy Never"),
    pytest.param({f"{POD}.restartPolicy": "Sometimes"}, id="unknown restartPolicy"),
    pytest.param({f"{POD}.activeDeadlineSeconds": 60}, id="activeDeadlineSeconds"),
    pytest.param({f"{POD}.ephemeralContainers": [{"name": "e", "image": "e"}]}, id="ephemeralContainers"),
    pytest.param({f"{POD}.dnsPolicy": "Mine"}, id="unknown dnsPolicy"),
    pytest.param({f"{POD}.dnsPolicy": "None"}, id="dnsPolicy None without nameservers"),
    pytest.param({f"{POD}.hostname": "a_b"}, id="hostname with an underscore"),
    pytest.param({f"{POD}.serviceAccountName": "A"}, id="serviceAccountName in capitals"),
    pytest.param({f"{POD}.nodeSelector": {"zone": "a b"}}, id="nodeSelector value with a blank"),
    pytest.param({f"{POD}.hostAliases": [{"ip": "300.0.0.1", "hostnames": ["x"]}]}, id="hostAliases no address"),
    pytest.param({f"{POD}.hostAliases": [{"hostnames": ["x"]}]}, id="hostAliases without address"),
    pytest.param({f"{POD}.schedulingGates": [{"name": "x"}, {"name": "x"}]}, id="schedulingGates twice"),
    pytest.param({f"{POD}.tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}, id="Exists with value"),
    pytest.param({f"{POD}.tolerations": [{"key": "a", "operator": "Like"}]}, id="unknown operator of a toleration"),
    pytest.param({f"{POD}.tolerations": [{"key": "a", "operator": "Gt", "value": "1"}]}, id="operator behind a gate"),
    pytest.param({f"{POD}.tolerations": [{"value": "b"}]}, id="toleration without key"),
    pytest.param({f"{POD}.topologySpreadConstraints": [_SPREAD | {"maxSkew": 0}]}, id="maxSkew 0"),
    pytest.param({f"{POD}.topologySpreadConstraints": [_SPREAD, _SPREAD]}, id="spread constraint twice"),
    pytest.param(
        {f"{POD}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution": [{}]}, id="no topologyKey"
    ),
    pytest.param(
        {
            f"{POD}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 101, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}
            ]
        },
        id="weight above 100",
    ),
    pytest.param({f"{POD}.securityContext.runAsUser": -1}, id="runAsUser negative"),
    pytest.param({f"{POD}.securityContext.runAsNonRoot": "yes"}, id="runAsNonRoot a word"),
    pytest.param({f"{POD}.securityContext.sysctls": [{"name": "a b", "value": "1"}]}, id="sysctl with a blank"),
    pytest.param({f"{POD}.os": {"name": "plan9"}}, id="unknown os"),
    pytest.param({f"{POD}.unknown": 1}, id="unknown field of the pod"),
    pytest.param({f"{POD}.overhead": {"cpu": "-1"}}, id="overhead negative"),
    pytest.param({f"{POD}.hostUsers": "no"}, id="hostUsers a word"),
]

VOLUMES = [
    pytest.param([{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}], id="volume with two sources"),
    pytest.param([{"name": "v"}, {"name": "v"}], id="volume twice"),
    pytest.param([{"name": "V"}], id="volume in capitals"),
    pytest.param([{"emptyDir": {}}], id="volume without name"),
    pytest.param([{"name": "v", "hostPath": {"path": "/a/../b"}}], id="hostPath that goes up"),
    pytest.param([{"name": "v", "hostPath": {}}], id="hostPath without path"),
    pytest.param([{"name": "v", "hostPath": {"path": "/x", "type": "Disk"}}], id="unknown type of hostPath"),
    pytest.param([{"name": "v", "emptyDir": {"sizeLimit": "-1"}}], id="sizeLimit negative"),
    pytest.param([{"name": "v", "emptyDir": {"sizeLimit": "much"}}], id="sizeLimit a word"),
    pytest.param([{"name": "v", "configMap": {}}], id="configMap without name"),
    pytest.param([{"name": "v", "secret": {"secretName": "s", "defaultMode": 512}}], id="defaultMode too large"),
    pytest.param([{"name": "v", "configMap": {"name": "c", "items": [{"key": "k"}]}}], id="item without path"),
    pytest.param([{"name": "v", "persistentVolumeClaim": {}}], id="claim without name"),
    pytest.param([{"name": "v", "projected": {"sources": [{"secret": {}}]}}], id="projected secret without name"),
    pytest.param([{"name": "v", "nfs": {"server": "s", "path": "x"}}], id="relative path of nfs"),
    pytest.param([{"name": "v", "unknown": {}}], id="unknown source"),
]

NO_CONTAINERS = [pytest.param([], id="no containers"), pytest.param(ABSENT, id="containers absent")]

CONTAINERS = [
    pytest.param([{"image": "nginx"}], id="container without name"),
    pytest.param([{"name": "Web", "image": "nginx"}], id="container in capitals"),
    pytest.param([{"name": "web", "image": "a"}, {"name": "web", "image": "b"}], id="container twice"),
    pytest.param([{"name": "web"}], id="container without image"),
    pytest.param([{"name": "web", "image": ""}], id="image empty"),
    pytest.param([{"name": "web", "image": 1}], id="image a number"),
    pytest.param("web", id="containers a word"),
    pytest.param(["web"], id="container a word"),
]


def _mount(path: str, name: str = "v") -> dict[str, Any]:
    return {"name": name, "mountPath": path}


_PROBE = {"httpGet": {"port": 80}}

CONTAINER_FIELDS = [
    pytest.param({"imagee": "nginx"}, id="unknown field of a container"),
    pytest.param({"imagePullPolicy": "Often"}, id="unknown imagePullPolicy"),
    pytest.param({"command": "sh"}, id="command a word"),
    pytest.param({"restartPolicy": "Sometimes"}, id="unknown restartPolicy of a container"),
    pytest.param({"terminationMessagePolicy": "Mail"}, id="unknown terminationMessagePolicy"),
    pytest.param({"volumeMounts": [_mount("/x", "unknown")]}, id="mount of an unknown volume"),
    pytest.param({"volumeMounts": [_mount("/x"), _mount("/x")]}, id="mountPath twice"),
    pytest.param({"volumeMounts": [{"name": "v"}]}, id="mount without path"),
    pytest.param({"volumeMounts": [_mount("/x") | {"mountPropagation": ""}]}, id="mountPropagation empty"),
    pytest.param({"ports": [{}]}, id="port without number"),
    pytest.param({"ports": [{"containerPort": 0}]}, id="port 0"),
    pytest.param({"ports": [{"containerPort": 70000}]}, id="port 70000"),
    pytest.param({"ports": [{"containerPort": "http"}]}, id="port a word"),
    pytest.param({"ports": [{"containerPort": 80, "protocol": "HTTP"}]}, id="unknown protocol"),
    pytest.param(
        {"ports": [{"containerPort": 80, "name": "p"}, {"containerPort": 81, "name": "p"}]}, id="port name twice"
    ),
    pytest.param(
        {"ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]}, id="hostPort twice"
    ),
    pytest.param({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, id="request above limit"),
    pytest.param({"resources": {"requests": {"cpu": "lots"}}}, id="quantity a word"),
    pytest.param({"resources": {"requests": {"cpu": True}}}, id="quantity a boolean"),
    pytest.param({"resources": {"requests": {"cpu": "-1"}}}, id="quantity negative"),
    pytest.param({"resources": {"limits": {"widgets": 1}}}, id="unknown resource"),
    pytest.param({"resources": {"claims": [{"name": "gpu"}]}}, id="unknown claim"),
    pytest.param({"env": [{"value": "x"}]}, id="variable without name"),
    pytest.param({"env": [{"name": "A=B", "value": "x"}]}, id="variable with an equals sign"),
    pytest.param({"env": [{"name": "A", "value": 1}]}, id="variable that is a number"),
    pytest.param(
        {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        id="variable with two values",
    ),
    pytest.param({"env": [{"name": "A", "valueFrom": {}}]}, id="valueFrom empty"),
    pytest.param({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}, id="unknown fieldPath"),
    pytest.param({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}, id="secret without key"),
    pytest.param({"envFrom": [{"configMapRef": {"name": "c"}, "secretRef": {"name": "s"}}]}, id="envFrom of two"),
    pytest.param({"livenessProbe": _PROBE | {"exec": {"command": ["x"]}}}, id="probe with two handlers"),
    pytest.param({"livenessProbe": {"periodSeconds": 5}}, id="probe without handler"),
    pytest.param({"livenessProbe": _PROBE | {"failureThreshold": -1}}, id="failureThreshold negative"),
    pytest.param({"livenessProbe": _PROBE | {"successThreshold": 2}}, id="liveness with successThreshold 2"),
    pytest.param({"readinessProbe": {"httpGet": {}}}, id="probe without port"),
    pytest.param({"readinessProbe": {"httpGet": {"port": "no_port"}}}, id="probe with an unknown kind of port"),
    pytest.param({"readinessProbe": {"httpGet": {"port": 80, "scheme": "FTP"}}}, id="unknown scheme"),
    pytest.param({"readinessProbe": {"exec": {}}}, id="exec without command"),
    pytest.param({"lifecycle": {"preStop": {"exec": {"command": ["x"]}, "sleep": {"seconds": 1}}}}, id="two hooks"),
    pytest.param({"lifecycle": {"preStop": {"sleep": {"seconds": -1}}}}, id="sleep negative"),
    pytest.param({"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}, id="contradiction"),
    pytest.param({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, id="Localhost without profile"),
    pytest.param({"securityContext": {"capabilities": {"add": "ALL"}}}, id="capabilities a word"),
]


@pytest.mark.parametrize("edits", SPEC + TEMPLATE)
@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
async def test_both_kinds(client: Client, kind: str, edits: Edits) -> None:
    """Fields that both kinds have."""
    await validation.compare_refused(client, kind, edits)


@pytest.mark.parametrize("edits", DEPLOYMENT)
async def test_deployment(client: Client, edits: Edits) -> None:
    """Fields that only a Deployment has."""
    await validation.compare_refused(client, "Deployment", edits)


@pytest.mark.parametrize("volumes", VOLUMES)
async def test_volumes(client: Client, volumes: list[Any]) -> None:
    """The template's volumes."""
    await validation.compare_refused(client, "Deployment", {f"{POD}.volumes": volumes})


@pytest.mark.parametrize("containers", NO_CONTAINERS)
async def test_no_containers(client: Client, containers: Any) -> None:
    """A pod needs containers."""
    await validation.compare_refused(client, "Deployment", {f"{POD}.containers": containers})


@pytest.mark.parametrize("containers", CONTAINERS)
@pytest.mark.parametrize("field", ["containers", "initContainers"])
async def test_containers(client: Client, field: str, containers: Any) -> None:
    """The template's lists of containers."""
    await validation.compare_refused(client, "Deployment", {f"{POD}.{field}": containers})


@pytest.mark.parametrize("fields", CONTAINER_FIELDS)
async def test_container(client: Client, fields: dict[str, Any]) -> None:
    """The fields of a container."""
    await validation.compare_refused(
        client, "Deployment", {f"{POD}.volumes": [{"name": "v"}], **_in(CONTAINER, fields)}
    )
