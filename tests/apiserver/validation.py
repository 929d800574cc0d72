"""The two sides of a comparison: what the apiserver says to an object of a built-in kind, and what to one of our group.

Objects are built from one that both take, by edits: `{"spec.template.spec.containers.0.image": ABSENT}`.
"""

import copy
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import kopf

from operators.core.admission.review import TWINS, Review
from operators.core.objects import KOPFWERK, Obj
from operators.runtime import admission
from operators.runtime.client import ApiError, Client

NAMESPACE: Final = f"validation-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
"""One for each process of a test run: the objects in it have fixed names."""

ABSENT: Final = object()
"""The value of an edit that takes a field away."""

Edits = Mapping[str, Any]


def manifest(kind: str, group: str, edits: Edits) -> Obj:
    """Return a valid object of the kind, edited."""
    obj: Obj = {
        "apiVersion": f"{group}/v1".lstrip("/"),
        "kind": kind,
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web", "tier": "front"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
            },
        },
    }
    if kind == "Service":
        obj["spec"] = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    for path, value in edits.items():
        _edit(obj, path, value)
    return obj


def _edit(obj: Obj, path: str, value: Any) -> None:
    """Set, or take away, the field at a dotted path; what lies on the way is made."""
    node: Any = obj
    *way, last = path.split(".")
    for step in way:
        node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
    if value is ABSENT:
        del node[last]
    else:
        node[last] = copy.deepcopy(value)


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal: by whom, and naming which fields (paths without the indices of lists)."""

    by: str
    message: str
    fields: frozenset[str]

    def names_what(self, other: "Said") -> bool:
        """Whether both name a common field, or one a part of what the other names."""
        return any(_within(a, b) or _within(b, a) for a in self.fields for b in other.fields)


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer + ".")


async def upstream(client: Client, obj: Obj) -> Said | None:
    """Return how the apiserver refuses to create an object of a built-in kind, None where it would."""
    try:
        await _dry_run(client, obj)
    except ApiError as error:
        return _said("upstream", error)
    return None


async def ours(client: Client, obj: Obj) -> Said | None:
    """Return how an object of our group is refused: by the CRD, else by the webhook's function."""
    try:
        stored = await _dry_run(client, obj)
    except ApiError as error:
        return _said("crd", error)
    return await webhook(client, Review("CREATE", stored))


async def webhook(client: Client, review: Review) -> Said | None:
    """Return how the webhook's function refuses."""
    try:
        await admission.validate(client, review)
    except kopf.AdmissionError as refused:
        cause = refused.__cause__
        assert isinstance(cause, ApiError)
        return Said("webhook", str(refused), _said("webhook", cause).fields)
    return None


async def updated(client: Client, review: Review) -> str | None:
    """Return the webhook's words about an update, which it may have by itself."""
    try:
        await admission.validate(client, review)
    except kopf.AdmissionError as refused:
        return str(refused)
    return None


def collection(kind: str, group: str) -> str:
    """Return the URL path of a kind's objects."""
    return f"/{f'apis/{group}' if group else 'api'}/v1/namespaces/{NAMESPACE}/{kind.lower()}s"


async def _dry_run(client: Client, obj: Obj) -> Obj:
    group = obj["apiVersion"].removesuffix("v1").rstrip("/")
    params = {"dryRun": "All", "fieldValidation": "Strict"}
    return await client.request("POST", collection(obj["kind"], group), obj, params=params)


def _said(by: str, error: ApiError) -> Said:
    """Read the fields out of the Status' causes; an object that could not be read has them in the message."""
    assert error.status in (400, 422), error.message
    named: Iterable[str] = [str(cause.get("field", "")) for cause in error.details.get("causes") or ()]
    named = [*named, *re.findall(r'unknown field "([^"]+)"', error.message)]
    for struct, field in re.findall(r"Go struct field (\w+)\.([\w.]+)", error.message):
        named = [*named, f"metadata.{field}" if struct == "ObjectMeta" and "metadata." not in field else field]
    plain = (re.sub(r"\[[^\]]*\]", "", field).removeprefix(".") for field in named)
    return Said(by, error.message, frozenset(field for field in plain if field not in ("", "<nil>")))


def pair(kind: str, edits: Edits) -> tuple[Obj, Obj]:
    """Return the same object as the built-in kind and in our group."""
    return manifest(kind, TWINS[kind].group, edits), manifest(kind, KOPFWERK, edits)


async def compare_taken(client: Client, kind: str, edits: Edits) -> None:
    """Assert that both are taken."""
    built_in, custom = pair(kind, edits)
    assert await upstream(client, built_in) is None
    assert await ours(client, custom) is None


async def compare_refused(client: Client, kind: str, edits: Edits) -> None:
    """Assert that both are refused, and that both messages name the same field."""
    built_in, custom = pair(kind, edits)
    want, got = await upstream(client, built_in), await ours(client, custom)
    assert want is not None, "upstream takes it: the row belongs to the accepted ones"
    assert got is not None, f"taken here, but refused upstream: {want.message}"
    if got.by == "webhook":
        name = ".".join(filter(None, (kind, TWINS[kind].group)))
        assert got.message == want.message.replace(f'{name} "', f'{kind}.kopfwerk.dev "', 1)
    else:
        assert got.names_what(want), f"{got.by} says {got.message}\nupstream says {want.message}"
