"""What an apiserver was asked by one user, from its audit log, beside what that user may ask by RBAC."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

from operators.core.objects import Obj


class Right(NamedTuple):
    """A verb on a resource, which is written with its subresource."""

    group: str
    resource: str
    verb: str


def arguments(folder: Path, user: str) -> tuple[str, ...]:
    """Have an apiserver note in a folder what a user asks."""
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata", "users": [user]}, {"level": "None"}],
    }
    file = folder / "audit-policy.yaml"
    file.write_text(yaml.safe_dump(policy))
    return f"--audit-policy-file={file}", f"--audit-log-path={folder / 'audit.log'}"


def asked(folder: Path, agent: str) -> set[Right]:
    """Return what was asked of resources by programs whose User-Agent begins like this."""
    events = map(json.loads, (folder / "audit.log").read_text().splitlines())
    return {
        _right(event["objectRef"], event["verb"])
        for event in events
        if event.get("userAgent", "").startswith(agent) and "resource" in event.get("objectRef", {})
    }


def allowed(rules: Iterable[Obj]) -> set[Right]:
    """Return what rules allow."""
    return {
        Right(group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _right(ref: Obj, verb: str) -> Right:
    resource = "/".join(part for part in (ref["resource"], ref.get("subresource")) if part)
    return Right(ref.get("apiGroup", ""), resource, verb)
