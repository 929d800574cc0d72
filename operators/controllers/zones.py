"""Time zones by their names in the tz database: the machine's where it has one, else that of the package tzdata."""

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1024)
def time_zone(name: str) -> tzinfo | None:
    """Return the time zone of a name, UTC where there is no name, None where nobody knows it."""
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return None
