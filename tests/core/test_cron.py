"""Schedules mean what upstream's parser takes them for: held against a table that it made itself."""

import json
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operators.core.cronjob.schedule import InvalidScheduleError, parse

TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("cron_due.json").read_text())
"""Made by tests/support/gomod/cron."""


def due(schedule: str, zone: str, after: str, count: int) -> list[str]:
    """Return the next times."""
    parsed, moment = parse(schedule, ZoneInfo(zone)), datetime.fromisoformat(after)
    found: list[str] = []
    while len(found) < count and (following := parsed.next(moment)) is not None:
        found.append(following.strftime("%Y-%m-%dT%H:%M:%SZ"))
        moment = following
    return found


@pytest.mark.parametrize(
    ("schedule", "rows"),
    [pytest.param(name, list(rows), id=name) for name, rows in groupby(TABLE["due"], key=lambda row: row["schedule"])],
)
def test_is_due_when_upstream_says(schedule: str, rows: list[dict[str, Any]]) -> None:
    """In zones whose clocks change by an hour, by half of one, at midnight, or never."""
    for row in rows:
        assert due(schedule, row["zone"], row["from"], 4) == (row["next"] or []), row


@pytest.mark.parametrize("text", TABLE["refused"])
def test_refuses_what_upstream_refuses(text: str) -> None:
    """Whatever says nothing that can be meant."""
    with pytest.raises(InvalidScheduleError):
        parse(text)


def test_a_negative_distance_is_a_second() -> None:
    """As is any that is shorter."""
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert parse("@every -5s").next(noon) == noon + timedelta(seconds=1)
