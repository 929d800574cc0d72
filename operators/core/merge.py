"""JSON merge patches (RFC 7386)."""

from operators.core.objects import Obj


def merge_patch(before: Obj, after: Obj) -> Obj:
    """Return the patch that makes `after` of `before`: null where a key goes, lists as a whole."""
    patch: Obj = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if old == value and key in before:
            continue
        patch[key] = merge_patch(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return patch
