"""Numbers or percentages, and what a rolling update makes of them.

Mirrors k8s.io/apimachinery/pkg/util/intstr and ResolveFenceposts in pkg/controller/deployment/util.
"""

import math


def scaled(value: int | str | None, total: int, *, round_up: bool) -> int:
    """Return a number as it is and a percentage ("25%") as its share of `total`; nothing counts as 0.

    Raises ValueError for a string that is no percentage.
    """
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise ValueError(f"invalid value {value!r}: neither a number nor a percentage")
    share = int(value[:-1]) * total
    return math.ceil(share / 100) if round_up else share // 100


def fenceposts(surge: int | str | None, unavailable: int | str | None, desired: int) -> tuple[int, int]:
    """Return how many pods there may be too many, and how many too few.

    Surge is rounded up, unavailable down; where both come to 0, one may be unavailable, or nothing would ever move:
    25 % and 25 % of 10 are 3 and 2, 1 % and 1 % of 10 are 1 and 0, 0 and 1 % of 10 are 0 and 1.
    """
    extra = scaled(surge, desired, round_up=True)
    missing = scaled(unavailable, desired, round_up=False)
    return extra, missing if extra or missing else 1
