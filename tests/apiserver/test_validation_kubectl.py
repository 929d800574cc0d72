"""What a user of kubectl sees of the custom resources: refusals, explanations, columns, round trips."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from operators.cluster import binaries
from operators.cluster.versions import DEFAULT
from operators.core.objects import KOPFWERK, Obj
from operators.runtime.client import MERGE_PATCH, Client
from tests.apiserver.validation import NAMESPACE, collection, manifest

pytestmark = pytest.mark.cluster

Kubectl: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]

CONTAINER = "spec.template.spec.containers.0"


@pytest.fixture
def kubectl(kubeconfig: Path, client: Client) -> Iterator[Kubectl]:
    """Return what runs kubectl on the comparisons' namespace; the object `web` is deleted in the end."""
    program = str(binaries.kubectl(DEFAULT))

    def run(*arguments: str, obj: Obj | None = None) -> subprocess.CompletedProcess[str]:
        command = [program, f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACE}", *arguments]
        stdin = json.dumps(obj) if obj else ""
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    yield run
    # The next test looks for ReplicaSets, of which it wants none.
    run("delete", "--ignore-not-found", "--cascade=foreground", "kdeploy,deployments.apps,krs", "web")


def _stored(kubectl: Kubectl, *arguments: str, obj: Obj | None = None) -> Any:
    """Return the object that kubectl prints."""
    done = kubectl(*arguments, "-o", "json", obj=obj)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
@pytest.mark.parametrize(
    ("field", "want"),
    [
        pytest.param("spec.replicass", "spec.replicass", id="spec"),
        pytest.param(f"{CONTAINER}.imagee", "spec.template.spec.containers[0].imagee", id="container"),
        pytest.param("spec.template.metadata.label", "spec.template.metadata.label", id="template's metadata"),
        pytest.param(
            f"{CONTAINER}.readinessProbe.exec.comand",
            "spec.template.spec.containers[0].readinessProbe.exec.comand",
            id="probe",
        ),
    ],
)
async def test_typo(kubectl: Kubectl, group: str, field: str, want: str) -> None:
    """A misspelt field is refused by name."""
    done = kubectl("create", "--validate=strict", "-f", "-", obj=manifest("Deployment", group, {field: {}}))
    assert done.returncode == 1
    assert f'strict decoding error: unknown field "{want}"' in done.stderr


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_refusal_in_upstreams_words(kubectl: Kubectl, group: str) -> None:
    """The message of a CEL rule is what kubectl prints for the built-in kind."""
    done = kubectl("apply", "-f", "-", obj=manifest("Deployment", group, {"spec.selector.matchLabels.app": "x"}))
    assert done.returncode == 1
    assert 'The Deployment "web" is invalid: spec.template.metadata.labels: Invalid value: ' in done.stderr
    assert "`selector` does not match template `labels`" in done.stderr


async def test_apply_twice(kubectl: Kubectl) -> None:
    """Defaults do not make a second apply a change of the spec, although kubectl cannot know that beforehand."""
    first, second = (
        _stored(kubectl, "apply", "-f", "-", obj=manifest("Deployment", KOPFWERK, {}))["metadata"] for _ in range(2)
    )
    assert second["generation"] == first["generation"]
    assert kubectl("diff", "-f", "-", obj=manifest("Deployment", KOPFWERK, {})).returncode == 0


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_apply_changes_the_strategy(kubectl: Kubectl, group: str) -> None:
    """From the default to Recreate and back, without a word about rollingUpdate."""
    for strategy in ({}, {"type": "Recreate"}, {"type": "RollingUpdate"}):
        obj = manifest("Deployment", group, {"spec.strategy": strategy})
        stored = _stored(kubectl, "apply", "-f", "-", obj=obj)
        assert stored["spec"]["strategy"]["type"] == strategy.get("type", "RollingUpdate")


@pytest.mark.parametrize("group", ["apps", KOPFWERK])
async def test_server_side_apply_shares_containers(kubectl: Kubectl, group: str) -> None:
    """Two managers own a container each, and fields of one container."""
    sidecar = {"name": "sidecar", "image": "sidecar:1"}
    limits = {"name": "web", "resources": {"limits": {"cpu": "1"}}}
    _stored(kubectl, "apply", "--server-side", "--field-manager=one", "-f", "-", obj=manifest("Deployment", group, {}))
    other = {
        "apiVersion": f"{group}/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [limits, sidecar]}},
        },
    }
    stored = _stored(kubectl, "apply", "--server-side", "--field-manager=two", "-f", "-", obj=other)
    names = {container["name"]: container for container in stored["spec"]["template"]["spec"]["containers"]}
    assert sorted(names) == ["sidecar", "web"]
    assert names["web"]["image"] == "nginx:1"
    assert names["web"]["resources"] == {"limits": {"cpu": "1"}}


async def test_stored_like_upstream(kubectl: Kubectl) -> None:
    """Defaults make the object what it is in apps/v1, but for those that depend on another field."""
    edits = {
        f"{CONTAINER}.ports": [{"containerPort": 80}],
        f"{CONTAINER}.imagePullPolicy": "Always",
        f"{CONTAINER}.livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "X"}]}},
        f"{CONTAINER}.readinessProbe": {"grpc": {"port": 80}},
        f"{CONTAINER}.env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "spec.template.spec.initContainers": [{"name": "init", "image": "init", "imagePullPolicy": "Always"}],
        "spec.template.spec.volumes": [
            {"name": "a", "secret": {"secretName": "s"}},
            {"name": "b", "configMap": {"name": "c"}},
            {"name": "c", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {"name": "d", "hostPath": {"path": "/x"}},
            {"name": "e", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {"name": "f", "iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:a"}},
            {"name": "g", "rbd": {"monitors": ["m"], "image": "i"}},
            {"name": "h", "azureDisk": {"diskName": "d", "diskURI": "https://example.com/d.vhd"}},
            {"name": "i", "scaleIO": {"gateway": "g", "system": "s", "secretRef": {"name": "s"}, "volumeName": "v"}},
        ],
    }
    for kind in ("Deployment", "ReplicaSet"):
        want, got = (
            _stored(kubectl, "create", "--dry-run=server", "-f", "-", obj=manifest(kind, group, edits))["spec"]
            for group in ("apps", KOPFWERK)
        )
        assert got == want


async def test_explain(kubectl: Kubectl) -> None:
    """The explanation walks the whole template, and fields of ours are described."""
    path = "spec.template.spec.containers.env.valueFrom.secretKeyRef"
    assert "FIELD: secretKeyRef <Object>" in kubectl("explain", f"deployments.kopfwerk.dev.{path}").stdout
    assert "containerPort" in kubectl("explain", "krs.spec.template.spec.containers.ports").stdout
    by_version = kubectl("explain", "deployments.spec.template.spec.containers", f"--api-version={KOPFWERK}/v1")
    assert "FIELD: containers <[]Object>" in by_version.stdout
    assert "rounded up" in kubectl("explain", "kdeploy.spec.strategy.rollingUpdate.maxSurge").stdout


async def test_columns(kubectl: Kubectl, client: Client) -> None:
    """The columns are upstream's, and those of the wide form."""
    status = {"replicas": 2, "readyReplicas": 2, "selector": "app=web"}
    for kind in ("Deployment", "ReplicaSet"):
        kubectl("create", "-f", "-", obj=manifest(kind, KOPFWERK, {}))
        url = f"{collection(kind, KOPFWERK)}/web/status"
        await client.request("PATCH", url, {"status": status}, content_type=MERGE_PATCH)
    deployments = kubectl("get", "kdeploy").stdout
    assert deployments.split("\n")[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    replicasets = kubectl("get", "krs", "-o", "wide").stdout.split("\n")
    assert replicasets[0].split() == [
        "NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR",
    ]  # fmt: skip
    assert replicasets[1].split()[:4] == ["web", "2", "2", "2"]
    assert replicasets[1].split()[5:] == ["web", "nginx:1", "app=web"]


async def test_names(kubectl: Kubectl) -> None:
    """Our short names are ours alone, `get all` has our kinds, and plain names remain upstream's."""
    kubectl("create", "-f", "-", obj=manifest("Deployment", KOPFWERK, {}))
    assert "deployment.kopfwerk.dev/web" in kubectl("get", "all").stdout
    for name in ("deployments", "deploy", "rs", "replicasets"):
        assert kubectl("get", name, "-o", "name").stdout == ""
        assert "Warning" not in kubectl("get", name).stderr


async def test_scale(kubectl: Kubectl) -> None:
    """Kubectl scale needs nothing but the name."""
    kubectl("create", "-f", "-", obj=manifest("Deployment", KOPFWERK, {}))
    assert kubectl("scale", "kdeploy/web", "--replicas=4").returncode == 0
    assert _stored(kubectl, "get", "kdeploy", "web")["spec"]["replicas"] == 4


async def test_field_selector(kubectl: Kubectl, client: Client) -> None:
    """ReplicaSets can be selected by their number of pods, as upstream's."""
    kubectl("create", "-f", "-", obj=manifest("ReplicaSet", KOPFWERK, {}))
    url = f"{collection('ReplicaSet', KOPFWERK)}/web/status"
    await client.request("PATCH", url, {"status": {"replicas": 2}}, content_type=MERGE_PATCH)
    assert kubectl("get", "krs", "--field-selector=status.replicas=2", "-o", "name").stdout
    assert not kubectl("get", "krs", "--field-selector=status.replicas=0", "-o", "name").stdout
