"""A short safe name for a pod template.

Takes FNV-1a and the alphabet from k8s.io/apimachinery/pkg/util/rand, but hashes the template's JSON rather than a dump
of Go's structs: the values differ from upstream's, and nothing depends on them
(docs/decisions/0004-own-template-hash.md).
"""

import orjson

from operators.core.objects import Obj

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Obj, collision_count: int | None) -> str:
    """Return the same text for the same template and collision count, whatever the order of its keys."""
    text = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    if collision_count is not None:
        text += str(collision_count).encode()
    value = 0x811C9DC5
    for byte in text:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return safe_encode(str(value))


def safe_encode(text: str) -> str:
    """Return the text in letters and digits that make no words (rand.SafeEncodeString)."""
    return "".join(_ALPHABET[ord(letter) % len(_ALPHABET)] for letter in text)
