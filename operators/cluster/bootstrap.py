"""What a fresh cluster is given before it is handed over: custom resources, the operator's access, and nodes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from operators.cluster.api import APPLY, Api, ApiError
from operators.cluster.readiness import Condition

_PACKAGED: Final = Path(__file__).parent / "crds"
_CHECKOUT: Final = Path(__file__).parents[2] / "crds"
FIELD_MANAGER: Final = "fieldManager=kopfwerk-up&force=true"
"""The query of a server-side apply that puts what `kopfwerk up` installs as it has to be."""


def definitions() -> list[dict[str, Any]]:
    """The custom resource definitions: of the installed package, or of the checkout that this runs from."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    documents = (
        document for path in sorted(folder.glob("*.yaml")) for document in yaml.safe_load_all(path.read_text())
    )
    return [document for document in documents if document]


def custom_resources(api: Api, wait: Callable[[Condition, str], None]) -> None:
    """Apply every custom resource definition and wait until the apiserver serves them all."""
    base = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = [definition["metadata"]["name"] for definition in definitions()]
    for definition in definitions():
        api.request("PATCH", f"{base}/{definition['metadata']['name']}?{FIELD_MANAGER}", definition, APPLY)
    for name in names:
        wait(partial(_is_established, api, f"{base}/{name}"), f"{name} is not established")


def _is_established(api: Api, path: str) -> bool:
    """Whether the apiserver serves a custom resource."""
    conditions = api.get(path).get("status", {}).get("conditions") or []
    return any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)


def operator_access(api: Api) -> None:
    """Let the operator's user do what the operator needs."""
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "kopfwerk"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "kopfwerk"}],
    }
    path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kopfwerk?{FIELD_MANAGER}"
    api.request("PATCH", path, binding, APPLY)


def nodes(api: Api, count: int) -> None:
    """Create simulated nodes, spread over three zones; those that exist already stay as they are."""
    for index in range(count):
        name = f"node-{index + 1}"
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "topology.kubernetes.io/zone": f"zone-{'abc'[index % 3]}",
                    "type": "kwok",
                },
            },
            "status": {kind: {"cpu": "32", "memory": "256Gi", "pods": "110"} for kind in ("capacity", "allocatable")},
        }
        try:
            api.request("POST", "/api/v1/nodes", node)
        except ApiError as error:
            if error.status != 409:
                raise
