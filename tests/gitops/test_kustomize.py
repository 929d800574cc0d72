"""docs/gitops/kustomize: with these files the real kustomize does to our kinds what it does to the built-in ones."""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from operators.cluster import binaries
from operators.cluster.versions import DEFAULT, PROGRAMS
from operators.core.objects import Obj

FILES: Final = Path(__file__).parents[2] / "docs/gitops/kustomize"
OUR_VERSION: Final = "kopfwerk.dev/v1"
WITH_FILES: Final = {"configurations": ["kopfwerk.yaml"], "openapi": {"path": "schema.json"}}
WORKLOADS: Final = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
}
BUILTIN: Final = {**WORKLOADS, "Service": "v1"}
OURS: Final = dict.fromkeys(BUILTIN, OUR_VERSION)

SELECTOR: Final = {"matchLabels": {"app": "web"}}
SPREAD: Final = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": SELECTOR}
APART: Final = {"podAffinityTerm": {"labelSelector": SELECTOR, "topologyKey": "kubernetes.io/hostname"}, "weight": 1}
POD: Final[Obj] = {
    "serviceAccountName": "account",
    "imagePullSecrets": [{"name": "password"}],
    "affinity": {
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [APART]},
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [APART["podAffinityTerm"]]},
    },
    "topologySpreadConstraints": [SPREAD],
    "initContainers": [{"name": "first", "image": "busybox:1"}],
    "containers": [
        {
            "name": "app",
            "image": "web:1",
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "password", "key": "b"}}},
            ],
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "ports": [{"name": "http", "containerPort": 8080}],
        },
        {"name": "sidecar", "image": "proxy:1"},
    ],
    "volumes": [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "claimed", "persistentVolumeClaim": {"claimName": "data"}},
    ],
}
PATCH: Final[Obj] = {
    "initContainers": [{"name": "first", "args": ["once"]}],
    "containers": [
        {
            "name": "app",
            "env": [{"name": "A", "value": "2"}, {"name": "B", "$patch": "delete"}, {"name": "C", "value": "3"}],
            "ports": [{"containerPort": 9090}],
            "volumeMounts": [{"name": "more", "mountPath": "/more"}],
        }
    ],
    "volumes": [{"name": "more", "emptyDir": {}}],
}


def workload(kind: str, versions: Mapping[str, str], pod: Obj) -> Obj:
    """Return a workload called after its kind, or a patch of one, with this pod spec."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    spec: Obj = {"selector": SELECTOR, "template": template}
    if kind == "CronJob":
        spec = {"schedule": "@daily", "jobTemplate": {"spec": {"selector": SELECTOR, "template": template}}}
    elif kind == "StatefulSet":
        spec |= {"serviceName": "web", "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}
    elif kind in ("Deployment", "ReplicaSet"):
        spec |= {"replicas": 1}
    return {"apiVersion": versions[kind], "kind": kind, "metadata": {"name": kind.lower()}, "spec": spec}


def around(kind: str, versions: Mapping[str, str]) -> list[Obj]:
    """Return what names a workload, and what it names."""
    target = {"apiVersion": versions[kind], "kind": kind, "name": kind.lower()}
    scaler = {"scaleTargetRef": target, "maxReplicas": 3}
    return [named("HorizontalPodAutoscaler", kind.lower(), "autoscaling/v2") | {"spec": scaler}]


def named(kind: str, name: str, version: str = "v1") -> Obj:
    """Return the beginning of an object."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def built(folder: Path, kustomization: Obj, *, versions: Mapping[str, str], more: Iterable[Obj] = ()) -> list[Any]:
    """Return what kustomize makes of every kind and of what goes with it, with our API group as the built-in one."""
    folder.mkdir()
    for file in FILES.iterdir():
        shutil.copy(file, folder)
    service = named("Service", "web", versions["Service"])
    service |= {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}, {"port": 81}]}}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = named("Ingress", "web", "networking.k8s.io/v1") | {"spec": {"defaultBackend": backend}}
    alone = [
        named("ServiceAccount", "account"),
        named("PersistentVolumeClaim", "data"),
        named("Namespace", "elsewhere"),
    ]
    alone += [service, ingress, named("ClusterRole", "role", "rbac.authorization.k8s.io/v1")]
    objs = [obj for kind in WORKLOADS for obj in (workload(kind, versions, POD), *around(kind, versions))]
    patches = [workload(kind, versions, PATCH) for kind in WORKLOADS]
    patches.append(named("Service", "web", versions["Service"]) | {"spec": {"ports": [{"port": 82}]}})
    whole = {
        "resources": ["objects.yaml"],
        "configMapGenerator": [{"name": "settings", "literals": ["colour=green"]}],
        "secretGenerator": [{"name": "password", "literals": ["b=c"]}],
    }
    (folder / "objects.yaml").write_text(yaml.safe_dump_all([*alone, *objs, *more]))
    (folder / "patch.yaml").write_text(yaml.safe_dump_all(patches))
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(whole | kustomization))
    kubectl = binaries.find(PROGRAMS["kubectl"], DEFAULT, None)
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [_as_builtin(obj) for obj in yaml.safe_load_all(done.stdout)]
    return sorted(found, key=lambda obj: (obj["kind"], obj["metadata"]["name"]))


def _as_builtin(node: Any) -> Any:
    """Return an object with our group and version, wherever it names them, as those of the built-in kind."""
    if isinstance(node, list):
        return [_as_builtin(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _as_builtin(value) for key, value in node.items()}
    return found | ({"apiVersion": BUILTIN[node["kind"]]} if _is_ours(node) else {})


def _is_ours(node: Obj) -> bool:
    return node.get("apiVersion") == OUR_VERSION and node.get("kind") in BUILTIN


@pytest.mark.parametrize(
    "kustomization",
    [
        pytest.param({"namePrefix": "my-", "nameSuffix": "-x"}, id="names and references to them"),
        pytest.param({"namespace": "elsewhere"}, id="namespace"),
        pytest.param({"images": [{"name": "web", "newTag": "2"}, {"name": "busybox", "newName": "box"}]}, id="images"),
        pytest.param({"replicas": [{"name": "deployment", "count": 5}]}, id="replicas of a Deployment"),
        pytest.param({"replicas": [{"name": "statefulset", "count": 5}]}, id="replicas of a StatefulSet"),
        pytest.param({"commonLabels": {"team": "a"}}, id="labels everywhere"),
        pytest.param({"commonAnnotations": {"note": "b"}}, id="annotations everywhere"),
        pytest.param({"labels": [{"pairs": {"team": "a"}, "includeTemplates": True}]}, id="labels in templates"),
        pytest.param({"labels": [{"pairs": {"team": "a"}, "includeSelectors": True}]}, id="labels in selectors"),
        pytest.param({"patches": [{"path": "patch.yaml"}]}, id="patch"),
    ],
)
def test_as_for_the_builtin_kinds(kustomization: Obj, tmp_path: Path) -> None:
    """Both come out alike, and not as they went in."""
    want = built(tmp_path / "builtin", kustomization, versions=BUILTIN)
    assert built(tmp_path / "ours", kustomization | WITH_FILES, versions=OURS) == want
    assert built(tmp_path / "untouched", {}, versions=BUILTIN) != want


@pytest.mark.parametrize(
    "kustomization",
    [
        pytest.param({"namePrefix": "my-"}, id="name of a Service"),
        pytest.param({"commonLabels": {"team": "a"}}, id="labels"),
        pytest.param({"commonAnnotations": {"note": "b"}}, id="annotations"),
        pytest.param({"patches": [{"path": "patch.yaml"}]}, id="patch"),
    ],
)
def test_without_the_files(kustomization: Obj, tmp_path: Path) -> None:
    """The files are what makes them alike."""
    want = built(tmp_path / "builtin", kustomization, versions=BUILTIN)
    assert built(tmp_path / "ours", kustomization, versions=OURS) != want


def test_a_podprobe_is_for_its_own_kustomization(tmp_path: Path) -> None:
    """Labels reach its selector, as they reach those of the workloads beside it."""
    probe = named("PodProbe", "web", OUR_VERSION) | {"spec": {"selector": SELECTOR}}
    made = built(tmp_path / "ours", {"commonLabels": {"team": "a"}} | WITH_FILES, versions=OURS, more=[probe])
    (found,) = (obj for obj in made if obj["kind"] == "PodProbe")
    assert found["spec"]["selector"]["matchLabels"] == {"app": "web", "team": "a"}
