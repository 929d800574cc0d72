"""Quantities as the scheduler counts them: whole units rounded up, of the CPU thousandths (resource.Quantity)."""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

_FORM: Final = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(|[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)")
_SUFFIXES: Final = {
    "": Fraction(1),
    **{
        suffix: Fraction(10) ** (3 * power)
        for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_LARGEST: Final = 2**63 - 1


class InvalidQuantityError(ValueError):
    """Text that is no quantity."""


def milli(quantity: Any) -> int:
    """Return thousandths: `1500` for "1.5" or "1500m". Raises InvalidQuantityError."""
    return _scaled(str(quantity), 1000)


def whole(quantity: Any) -> int:
    """Return units, rounded up: `1074000000` for "1074M", `1` for "1m". Raises InvalidQuantityError."""
    return _scaled(str(quantity), 1)


@lru_cache(maxsize=65536)
def _scaled(text: str, scale: int) -> int:
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidQuantityError(f"{text[:64]!r} is not a quantity")
    number, suffix = found.groups()
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix[1:] != "i":
        exponent = int(suffix[1:])
        if abs(exponent) > 64:
            raise InvalidQuantityError(f"{text[:64]!r} is out of range")
        unit = Fraction(10) ** exponent
    else:
        unit = _SUFFIXES[suffix]
    value = Fraction(number) * unit * scale
    rounded = -(-value.numerator // value.denominator)
    return max(-_LARGEST, min(_LARGEST, rounded))
