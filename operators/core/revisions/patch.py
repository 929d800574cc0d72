"""A ControllerRevision's data: the strategic merge patch that brings a template back, byte for byte as Go writes it.

The apiserver keeps the bytes as they were sent, and Go clients compare them, so a cluster can go back to
kube-controller-manager, or come from it, without a rollout.
"""

import orjson

from operators.core.hashing import safe_encode
from operators.core.objects import Obj

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""What encoding/json escapes and orjson does not. None of it occurs in JSON outside of strings."""


def patch_bytes(template: Obj) -> bytes:
    """Return the patch that replaces a `spec.template` as a whole by this one: compact, keys sorted, HTML escaped.

    A time that is null is left out, as apimachinery does since 0.35.
    """
    meta = template.get("metadata")
    if meta and "creationTimestamp" in meta and meta["creationTimestamp"] is None:
        template = template | {"metadata": {name: value for name, value in meta.items() if name != "creationTimestamp"}}
    patch = {"spec": {"template": {**template, "$patch": "replace"}}}
    text = orjson.dumps(patch, option=orjson.OPT_SORT_KEYS)
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def revision_hash(data: bytes, collision_count: int | None) -> str:
    """Return the hash in a revision's name: FNV-1 (not 1a) of the data's bytes and of the collision count's digits."""
    value = 0x811C9DC5
    for byte in data + (b"" if collision_count is None else str(collision_count).encode()):
        value = value * 0x01000193 & 0xFFFFFFFF ^ byte
    return safe_encode(str(value))
