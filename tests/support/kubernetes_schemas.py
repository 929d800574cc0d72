"""JSON schemas of Kubernetes' kinds, for kubeconform: made from the OpenAPI that each release has in its source.

Written once a release into the user's cache, in files that are named as kubeconform looks for them. No registry of
schemas is asked: the source comes through Go, by its hash, and may be there already.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from operators.cluster import folders, gobuild
from operators.cluster.errors import ClusterError
from operators.cluster.progress import Progress

RELEASES: Final = ("1.34.4", "1.35.4", "1.36.3", "1.37.1")
"""One release of each minor version that the chart is for."""

LOCATION: Final = "{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json"
"""Where kubeconform finds a schema below `folder()`."""


def folder() -> Path:
    """Where the schemas are."""
    return folders.cache() / "schemas"


def obtain(release: str, progress: Progress) -> None:
    """Write the schemas of a release where they are missing; ClusterError where its source cannot be had."""
    target = folder() / f"v{release}"
    if target.exists():
        return
    with progress.task(f"schemas of Kubernetes {release}"):
        source = _source(release) / "api/openapi-spec/v3"
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder()) as temporary:
            written = Path(temporary) / "schemas"
            written.mkdir()
            for file in sorted(source.glob("api*__v*_openapi.json")):
                document = json.loads(file.read_text())
                for name, schema in kinds(document):
                    (written / name).write_text(json.dumps(schema))
            written.rename(target)


def _source(release: str) -> Path:
    """Return the folder of a release's source, downloaded where it is not there yet."""
    command = gobuild.go()
    if command is None:
        raise ClusterError("there is no Go on this machine to fetch Kubernetes' source with")
    module = f"k8s.io/kubernetes@v{release}"
    ran = subprocess.run([command, "mod", "download", "-json", module], capture_output=True, text=True, check=False)
    answer = json.loads(ran.stdout or "{}")
    if "Dir" not in answer:
        raise ClusterError(f"{module} cannot be downloaded: {answer.get('Error') or ran.stderr.strip()}")
    return Path(answer["Dir"])


def kinds(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the file name and the schema, complete in itself and strict, of each kind of an OpenAPI v3 document."""
    schemas = document["components"]["schemas"]
    definitions = {name: _strict(schema) for name, schema in schemas.items()}
    for name, schema in schemas.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].partition(".")[0]
            file = "-".join(part.lower() for part in (kind["kind"], group, kind["version"]) if part)
            needed = _needed(name, definitions)
            yield f"{file}.json", {"$ref": f"#/definitions/{name}", "definitions": needed}


def _needed(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a definition and all that it refers to."""
    found: dict[str, Any] = {}
    ahead = [name]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found[name] = definitions[name]
            ahead.extend(_references(definitions[name]))
    return found


def _references(node: Any) -> Iterator[str]:
    """Yield the names of the definitions that a node refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _strict(node: Any, *, is_schema: bool = True) -> Any:
    """Turn OpenAPI into JSON schema: references within one file, no default, no field that is not declared."""
    if isinstance(node, list):
        return [_strict(child) for child in node]
    if not isinstance(node, dict):
        return node
    if not is_schema:  # a dictionary of schemas by field
        return {field: _strict(child) for field, child in node.items()}
    turned = {
        key: _strict(value, is_schema=key != "properties")
        for key, value in node.items()
        if key not in {"description", "default", "format"} and not key.startswith("x-")
    }
    if isinstance(reference := turned.get("$ref"), str):
        turned["$ref"] = f"#/definitions/{reference.rpartition('/')[2]}"
    if "properties" in turned and "additionalProperties" not in turned:
        turned["additionalProperties"] = False
    return turned
