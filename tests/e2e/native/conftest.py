"""In native mode the scenarios are those of the custom resources, in the words of `apps/v1` and `batch/v1`."""

import json
import re
from typing import Any, Final

import pytest

from tests.e2e.manifests import OURS
from tests.e2e.shell import Shell

_GROUPS: Final = {
    **dict.fromkeys(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"), "apps"),
    **dict.fromkeys(("Job", "CronJob"), "batch"),
}
_RESOURCE: Final = re.compile(r"\b(\w+)s\.kopfwerk\.dev\b")
_BY_RESOURCE: Final = {kind.lower(): group for kind, group in _GROUPS.items()}


class BuiltIn(Shell):
    """kubectl in one namespace, where what a test says of a custom resource is said of the built-in kind."""

    def kubectl(self, *args: str, stdin: str = "", seconds: float = 330) -> str:
        """Run kubectl, which must succeed; what the plugin does elsewhere kubectl does by itself."""
        told = args[1:] if args[0] == "kopfwerk" else args
        told = tuple(_RESOURCE.sub(lambda found: f"{found[1]}s.{_BY_RESOURCE[found[1]]}", word) for word in told)
        return super().kubectl(*told, stdin=json.dumps(_built_in(json.loads(stdin))) if stdin else "", seconds=seconds)


def _built_in(value: Any) -> Any:
    """Return manifests, and references in them, with the built-in kinds' groups."""
    if isinstance(value, list):
        return [_built_in(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _built_in(one) for name, one in value.items() if name != "podFailureBackoff"}  # beyond upstream
    if found.get("apiVersion") == OURS:
        found["apiVersion"] = f"{_GROUPS[found['kind']]}/v1" if found["kind"] in _GROUPS else "v1"
    return found


@pytest.fixture
def words() -> type[Shell]:
    """Return the kind of shell."""
    return BuiltIn
