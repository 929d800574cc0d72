"""Kubeconfig files: the components' own, and the user's, into which only our entries are put."""

import base64
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from operators.cluster.errors import ClusterError


def build(context: str, server: str, pki: Path, identity: str) -> dict[str, Any]:
    """A kubeconfig with one context, its certificates inside, so that the file can be copied anywhere."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [
            {"name": context, "cluster": {"server": server, "certificate-authority-data": _inline(pki / "ca.crt")}}
        ],
        "users": [
            {
                "name": context,
                "user": {
                    "client-certificate-data": _inline(pki / f"{identity}.crt"),
                    "client-key-data": _inline(pki / f"{identity}.key"),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }


def merge(existing: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """The user's kubeconfig with our entries in it, replaced where they were there, and our context made current."""
    merged = {**ours, **existing, "current-context": ours["current-context"]}
    for section in ("clusters", "users", "contexts"):
        names = {entry["name"] for entry in ours[section]}
        kept = [entry for entry in existing.get(section) or [] if entry.get("name") not in names]
        merged[section] = [*kept, *ours[section]]
    return merged


def without(existing: dict[str, Any], context: str, current: str = "") -> dict[str, Any]:
    """The user's kubeconfig less the entries of one context of ours; another becomes current in its place."""
    rest = dict(existing)
    for section in ("clusters", "users", "contexts"):
        rest[section] = [entry for entry in existing.get(section) or [] if entry.get("name") != context]
    if rest.get("current-context") == context:
        rest["current-context"] = current
    return rest


def read(path: Path) -> dict[str, Any]:
    """The kubeconfig in a file, empty where there is none; ClusterError where the file holds something else."""
    try:
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ClusterError(f"{path} is not a kubeconfig and is left alone") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or content.get("kind", "Config") != "Config":
        raise ClusterError(f"{path} is not a kubeconfig and is left alone")
    return content


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a kubeconfig in one step, readable by its owner only."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            yaml.safe_dump(content, file, sort_keys=False)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _inline(path: Path) -> str:
    """A file, as a kubeconfig contains it."""
    return base64.b64encode(path.read_bytes()).decode()
