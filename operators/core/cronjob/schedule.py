"""When a CronJob is due: five fields, macros and `@every`, with the meaning that upstream's parser gives them.

That parser is github.com/robfig/cron/v3. What is peculiar to it is kept: `?` is a star; `*/2` is no star, so that with
it day of month and day of week are alternatives; 7 is no day of the week; where clocks change, a local time that is
skipped is not due that day, and one that comes twice is due twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Protocol

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_DAYS: Final = {n: i for i, n in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_BOUNDS: Final[tuple[tuple[int, int, Mapping[str, int]], ...]] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY: Final = "@every "
_DURATION: Final = re.compile(r"(?:([0-9]*\.?[0-9]+|[0-9]+\.)(h|ms|us|µs|ns|m|s))")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_YEARS: Final = 5


class InvalidScheduleError(ValueError):
    """A schedule that says nothing that can be meant."""


class Schedule(Protocol):
    """Something that is due again and again."""

    def next(self, after: datetime) -> datetime | None:
        """Return the first time after another, None where there is none."""


@dataclass(frozen=True, slots=True)
class Every:
    """Due at a distance."""

    delay: timedelta

    def next(self, after: datetime) -> datetime:
        """Return the time a delay later, to the second."""
        return (after + self.delay).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class _Field:
    values: frozenset[int]
    star: bool


@dataclass(frozen=True, slots=True)
class Cron:
    """Due when all fields match the local time."""

    minute: _Field
    hour: _Field
    day: _Field
    month: _Field
    weekday: _Field
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """Return the first match after a time, looking five years ahead."""
        return _first(self, (after.astimezone(UTC) + timedelta(seconds=1)).replace(microsecond=0))

    def search(self, moment: datetime) -> datetime | None:
        """Return the first match from a second on: advance field by field, where one wraps around begin again."""
        last = moment.astimezone(self.zone).year + _YEARS
        fresh = False
        while (local := moment.astimezone(self.zone)).year <= last:
            if local.month not in self.month.values:
                moment, fresh = self._at(local.year + local.month // 12, local.month % 12 + 1, 1), True
            elif not self._is_day(local):
                moment, fresh = self._midnight(local, fresh=fresh), True
            else:
                moment, fresh, wrapped = self._in_day(moment, fresh=fresh)
                if not wrapped:
                    return moment
        return None

    def _in_day(self, moment: datetime, *, fresh: bool) -> tuple[datetime, bool, bool]:
        """Advance to the hour and the minute; say whether one of them, or the seconds, wrapped around.

        Only that makes the greater fields be looked at again: where clocks jump over the wrap, they are not.
        """
        local = moment.astimezone(self.zone)
        while local.hour not in self.hour.values:
            if not fresh:
                moment, fresh = self._at(local.year, local.month, local.day, local.hour), True
            moment += timedelta(hours=1)
            local = moment.astimezone(self.zone)
            if local.hour == 0:
                return moment, True, True
        while local.minute not in self.minute.values:
            moment, fresh = moment.replace(second=0) + timedelta(minutes=1), True
            local = moment.astimezone(self.zone)
            if local.minute == 0:
                return moment, True, True
        if local.second:
            return moment.replace(second=0) + timedelta(minutes=1), True, True
        return moment, fresh, False

    def _is_day(self, local: datetime) -> bool:
        in_month, in_week = local.day in self.day.values, (local.weekday() + 1) % 7 in self.weekday.values
        return (in_month and in_week) if self.day.star or self.weekday.star else (in_month or in_week)

    def _midnight(self, local: datetime, *, fresh: bool) -> datetime:
        """Return the beginning of the next day, where there is none at midnight the hour next to it."""
        if not fresh:
            local = self._at(local.year, local.month, local.day).astimezone(self.zone)
        ahead = local.replace(tzinfo=None) + timedelta(days=1)
        moment = self._at(ahead.year, ahead.month, ahead.day, ahead.hour, ahead.minute)
        hour = moment.astimezone(self.zone).hour
        if hour > 12:
            moment += timedelta(hours=24 - hour)
        elif hour:
            moment -= timedelta(hours=hour)
        return moment

    def _at(self, year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
        """Return a local time as Go's time.Date does, which decides what one means that is skipped or doubled."""
        naive = datetime(year, month, day, hour, minute, tzinfo=UTC)
        guess = self._offset(naive)
        moment = naive - guess
        actual = self._offset(moment)
        return moment if actual == guess else naive - actual

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta()


@lru_cache(maxsize=4096)
def _first(schedule: Cron, moment: datetime) -> datetime | None:
    """Search each but once: many CronJobs have the same schedule, and each is asked again and again."""
    return schedule.search(moment)


def parse(text: str, zone: tzinfo = UTC) -> Schedule:
    """Read a schedule. Raises InvalidScheduleError."""
    if text.startswith(_EVERY):
        return Every(max(timedelta(seconds=1), _duration(text.removeprefix(_EVERY))))
    if text.startswith("@") and text not in _MACROS:
        raise InvalidScheduleError(f"unrecognized descriptor: {text}")
    fields = _MACROS.get(text, text).split()
    if len(fields) != len(_BOUNDS):
        raise InvalidScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minute, hour, day, month, weekday = (_field(one, *bounds) for one, bounds in zip(fields, _BOUNDS, strict=True))
    return Cron(minute, hour, day, month, weekday, zone)


def _field(text: str, low: int, high: int, names: Mapping[str, int]) -> _Field:
    parts = [_range(part, low, high, names) for part in text.split(",") if part]
    return _Field(frozenset().union(*(part.values for part in parts)), any(part.star for part in parts))


def _range(text: str, low: int, high: int, names: Mapping[str, int]) -> _Field:
    span, *steps = text.split("/")
    first, *rest = span.split("-")
    star = first in ("*", "?")
    if len(rest) > 1 and not star:
        raise InvalidScheduleError(f"too many hyphens: {text}")
    start = low if star else _number(first, names)
    end = high if star or (steps and not rest) else _number(rest[0], names) if rest else start
    if len(steps) > 1:
        raise InvalidScheduleError(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    if start < low:
        raise InvalidScheduleError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise InvalidScheduleError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise InvalidScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise InvalidScheduleError(f"step of range should be a positive number: {text}")
    return _Field(frozenset(range(start, end + 1, step)), star and step == 1)


def _number(text: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"\+?[0-9]{1,9}", text):
        raise InvalidScheduleError(f"failed to parse int from {text}")
    return int(text)


def _duration(text: str) -> timedelta:
    """Read a duration of Go's, such as 1h30m, to the second."""
    sign, unsigned = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = _DURATION.findall(unsigned)
    if not parts or "".join(number + unit for number, unit in parts) != unsigned:
        raise InvalidScheduleError(f"failed to parse duration {text}")
    return timedelta(seconds=sign * int(sum(float(number) * _SECONDS[unit] for number, unit in parts)))
