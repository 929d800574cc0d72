"""Generates kustomize's schema: by which key it merges the lists of a workload when it applies a patch.

It is the part of the apiserver's OpenAPI that says so, for the built-in workloads and, alike, for ours: a kustomization
with a schema of its own has no other.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.support.crdgen import snapshot

FILE: Final = Path("docs/gitops/kustomize/schema.json")

Schema = dict[str, Any]

_DIRECTIVES: Final = ("x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy")
_PORTS: Final[Schema] = {
    "type": "array",
    "x-kubernetes-patch-merge-key": "port",
    "x-kubernetes-patch-strategy": "merge",
    "items": {"type": "object"},
}
"""Of a Service, which goes with workloads and is not in the snapshot."""


def files() -> Iterable[tuple[Path, str]]:
    """Yield the schema."""
    yield FILE, json.dumps({"definitions": definitions()}, indent=1, sort_keys=True) + "\n"


def definitions() -> dict[str, Schema]:
    """Return the definitions of the kinds, and of whatever in them leads to a list that is merged."""
    kept: dict[str, Schema] = {}
    found = snapshot.load()
    for root in snapshot.ROOTS:
        group, version, kind = root.split(".")[-3:]
        schema = _pruned(found, root, kept) or {}
        kept[f"dev.kopfwerk.{version}.{kind}"] = _of_kind(schema, "kopfwerk.dev", version, kind)
        kept[root] = _of_kind(schema, group, version, kind)
    pod = {"spec": _reference("io.k8s.api.core.v1.PodSpec")}
    kept["io.k8s.api.core.v1.Pod"] = _of_kind(_object(pod), "", "v1", "Pod")
    ports = {"spec": _object({"ports": _PORTS})}
    kept["io.k8s.api.core.v1.Service"] = _of_kind(_object(ports), "", "v1", "Service")
    return kept


def _pruned(found: dict[str, Schema], name: str, kept: dict[str, Schema]) -> Schema | None:
    """Keep a definition's fields that lead to a directive; None, and nothing is kept, where none does."""
    if name not in kept:
        fields = found[name].get("properties") or {}
        properties = {field: node for field in fields if (node := _field(found, fields[field], kept))}
        if not properties:
            return None
        kept[name] = _object(properties)
    return kept[name]


def _field(found: dict[str, Schema], node: Schema, kept: dict[str, Schema]) -> Schema | None:
    """Return what of a field leads to a directive, in the words of OpenAPI 2, which is what kustomize reads."""
    items = node.get("items")
    made: Schema = {key: node[key] for key in _DIRECTIVES if key in node}
    target = _target(items or node)
    below = _reference(target) if target and _pruned(found, target, kept) else None
    if items is None:
        return made | (below or {}) or None
    if made or below:
        return made | {"type": "array", "items": below or {"type": items.get("type", "object")}}
    return None


def _target(node: Schema) -> str:
    """Return the name of the definition that a node is, empty where it is none: one with a default refers in allOf."""
    (part,) = node.get("allOf") or (node,)
    return str(part.get("$ref", "")).rpartition("/")[2]


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _of_kind(schema: Schema, group: str, version: str, kind: str) -> Schema:
    return schema | {"x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": kind}]}
