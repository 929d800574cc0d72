"""What a fresh cluster is given before it is handed over: the custom resources."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from operators.cluster.api import APPLY, Api
from operators.cluster.readiness import Condition

_PACKAGED: Final = Path(__file__).parent / "crds"
_CHECKOUT: Final = Path(__file__).parents[2] / "crds"
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where it is built in: the definitions are long."""

FIELD_MANAGER: Final = "fieldManager=kopfwerk-up&force=true"
"""The query of a server-side apply that puts what `kopfwerk up` installs as it has to be."""


def definitions() -> list[dict[str, Any]]:
    """The custom resource definitions: of the installed package, or of the checkout that this runs from."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    documents = (
        document
        for path in sorted(folder.glob("*.yaml"))
        for document in yaml.load_all(path.read_bytes(), _LOADER)  # both loaders are the safe one
    )
    return [document for document in documents if document]


def apply_definitions(api: Api, wanted: Sequence[dict[str, Any]]) -> None:
    """Put custom resource definitions into the cluster, as they are here whatever they were there."""
    for definition in wanted:
        api.request("PATCH", f"{_DEFINITIONS}/{definition['metadata']['name']}?{FIELD_MANAGER}", definition, APPLY)


def served(api: Api, wanted: Sequence[dict[str, Any]]) -> Condition:
    """The apiserver serves every one of the custom resources."""
    names = [definition["metadata"]["name"] for definition in wanted]
    return lambda: all(_is_established(api, name) for name in names)


def _is_established(api: Api, name: str) -> bool:
    """Whether the apiserver serves a custom resource."""
    conditions = api.get(f"{_DEFINITIONS}/{name}").get("status", {}).get("conditions") or []
    return any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)
