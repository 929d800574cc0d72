"""From a definition of the apiserver's OpenAPI to the structural schema that a CustomResourceDefinition takes.

The structure, the formats, the enumerations and the kinds of lists are the apiserver's own. What OpenAPI cannot say
about the built-in kinds (their defaults, which fields a feature gate hides, where a missing value is as good as an
empty one) is in the tables of `tests.support.crdgen.facts`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from tests.support.crdgen import facts

Schema: TypeAlias = dict[str, Any]

_SCALARS: Mapping[str, Schema] = {
    # `int-or-string` would refuse `cpu: 0.5`
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"x-kubernetes-preserve-unknown-fields": True},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": True},
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": "string", "format": "date-time"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}

_KEPT = ("type", "format", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type")


class Definitions:
    """The definitions of an OpenAPI document, each of which can be had as a schema without references."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def expand(self, name: str) -> Schema:
        """Return the definition `name` with everything it refers to in place."""
        if name in _SCALARS:
            return dict(_SCALARS[name])
        return self._node(self._schemas[name], name.rpartition(".")[2])

    def _node(self, node: Schema, owner: str) -> Schema:
        """Return a node of the definition `owner` with its references resolved."""
        reference = node.get("$ref") or (node.get("allOf") or [{}])[0].get("$ref")
        if reference:
            return self.expand(reference.rpartition("/")[2])
        schema = {key: node[key] for key in _KEPT if key in node}
        if "enum" in node:
            schema["enum"] = list(node["enum"])
        if "items" in node:
            schema["items"] = self._node(node["items"], owner)
        if "additionalProperties" in node:
            schema["additionalProperties"] = self._node(node["additionalProperties"], owner)
        if "properties" in node:
            fields = {field: value for field, value in node["properties"].items() if (owner, field) not in facts.GATED}
            schema["properties"] = {field: self._field(owner, field, fields[field], node) for field in sorted(fields)}
            forgiven = facts.ZERO.keys() | facts.OPTIONAL
            if required := [field for field in node.get("required", ()) if (owner, field) not in forgiven]:
                schema["required"] = sorted(required)
        return schema

    def _field(self, owner: str, field: str, node: Schema, parent: Schema) -> Schema:
        """Return the schema of one field, with what the tables know about it."""
        if (owner, field) in facts.OPAQUE:
            return {"type": node["type"], "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        schema = self._node(node, owner)
        if (owner, field) in facts.REPEATABLE:
            schema["x-kubernetes-list-type"] = "atomic"
            schema.pop("x-kubernetes-list-map-keys", None)
        for key in schema.get("x-kubernetes-list-map-keys", ()):
            _require(schema["items"], key)
        if "enum" in schema:
            schema["enum"] = _enumeration(
                owner, field, schema["enum"], optional=field not in parent.get("required", ())
            )
        default = facts.DEFAULTS.get((owner, field), facts.ZERO.get((owner, field), node.get("default")))
        if (owner, field) in facts.DEFAULTS or (owner, field) in facts.ZERO or default not in (None, "", {}, 0):
            schema["default"] = default
        return schema


def _require(items: Schema, key: str) -> None:
    """Make a key of a list-map required, unless it has a default: without a value there is no key."""
    if "default" not in items["properties"][key]:
        items["required"] = sorted({*items.get("required", ()), key})


def _enumeration(owner: str, field: str, values: list[str], *, optional: bool) -> list[str]:
    """Return the values that the apiserver takes: where it may be missing, the empty string stands for that."""
    taken = [value for value in values if value not in facts.GATED_VALUES.get((owner, field), ())]
    return taken if not optional or "" in taken else [*taken, ""]
