"""The part of a real apiserver's OpenAPI that the CRDs are generated from, kept in a file so that no cluster is needed.

`python -m tests.support.crdgen.snapshot KUBECTL KUBECONFIG` takes it anew from a running apiserver.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("openapi.json")

ROOTS: Final = (
    *(f"io.k8s.api.apps.v1.{kind}" for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
    *(f"io.k8s.api.batch.v1.{kind}" for kind in ("CronJob", "Job")),
    "io.k8s.api.core.v1.Service",
)
GROUPS: Final = ("apis/apps/v1", "apis/batch/v1", "api/v1")


def load() -> dict[str, Any]:
    """Return the definitions by name."""
    definitions: dict[str, Any] = json.loads(FILE.read_text())
    return definitions


def trim(*documents: Any) -> dict[str, Any]:
    """Return the definitions that the roots need, without their descriptions."""
    schemas = {name: schema for document in documents for name, schema in document["components"]["schemas"].items()}
    needed: set[str] = set()
    ahead = list(ROOTS)
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead.extend(_references(schemas[name]))
    return {name: _without_descriptions(schemas[name]) for name in sorted(needed)}


def _references(node: Any) -> Iterator[str]:
    """Yield the names of the definitions that a node refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _without_descriptions(node: Any) -> Any:
    """Return a node less its descriptions; a field that is called `description` is a dictionary, and stays."""
    if isinstance(node, dict):
        return {
            key: _without_descriptions(value)
            for key, value in node.items()
            if not (key == "description" and isinstance(value, str))
        }
    return [_without_descriptions(child) for child in node] if isinstance(node, list) else node


def main(kubectl: str, kubeconfig: str) -> None:
    """Write the file from what the apiserver says now."""
    command = [kubectl, f"--kubeconfig={kubeconfig}", "get", "--raw"]
    paths = [f"/openapi/v3/{group}" for group in GROUPS]
    answers = [subprocess.run([*command, path], check=True, capture_output=True).stdout for path in paths]
    FILE.write_text(json.dumps(trim(*map(json.loads, answers)), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
