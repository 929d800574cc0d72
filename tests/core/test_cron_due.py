"""Which run of a CronJob is due, and when the next one is."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from operators.core.cronjob.due import MANY, UnsatisfiableError, due, job_name, until_next
from operators.core.cronjob.schedule import parse
from operators.core.objects import Obj, format_time
from tests.support.builders import NOW, metadata


def cronjob(*, last: float | None = None, age: float = 86_400, **spec: Any) -> Obj:
    """Return a CronJob of an age in seconds, whose last run was so many seconds ago."""
    status = {} if last is None else {"lastScheduleTime": format_time(NOW - timedelta(seconds=last))}
    return {"metadata": metadata("tick", age=age), "spec": spec, "status": status}


def before(seconds: float) -> datetime:
    """Return a time before NOW, which is noon."""
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("made", "schedule", "want_time", "want_missed"),
    [
        pytest.param(cronjob(age=30), "0 * * * *", NOW, 0, id="the first run, on time"),
        pytest.param(cronjob(age=30), "30 * * * *", None, 0, id="not yet"),
        pytest.param(cronjob(last=3600), "0 * * * *", NOW, 0, id="the next run"),
        pytest.param(cronjob(last=0), "0 * * * *", None, 0, id="this one was started"),
        pytest.param(cronjob(last=1800), "30 * * * *", None, 0, id="started late, and not due again"),
        pytest.param(cronjob(last=3 * 3600), "0 * * * *", NOW, 3, id="of those missed the latest"),
        pytest.param(cronjob(last=2 * 3600 + 60), "30 * * * *", before(1800), 2, id="which may be a while ago"),
        pytest.param(cronjob(last=101 * 60), "* * * * *", NOW, 101, id="too many: still the latest"),
        pytest.param(cronjob(last=3 * 3600, startingDeadlineSeconds=60), "0 * * * *", NOW, 0, id="only within reach"),
        pytest.param(cronjob(last=3 * 3600, startingDeadlineSeconds=60), "30 * * * *", None, 0, id="out of reach"),
        pytest.param(cronjob(last=60 * 3600), "30 6-16/4 * * 1-5", before(5400), 8, id="irregular: an estimate"),
    ],
)
def test_the_run_that_is_due(made: Obj, schedule: str, want_time: datetime | None, want_missed: int) -> None:
    """The latest since the last one that was started, and how many there were."""
    found = due(made, parse(schedule), NOW)
    assert (found.time, found.missed) == (want_time, want_missed)


def test_many_is_more_than_a_hundred() -> None:
    """As upstream warns from then on."""
    assert due(cronjob(last=102 * 60), parse("* * * * *"), NOW).missed > MANY


def test_a_date_that_never_comes() -> None:
    """Is said to be one."""
    with pytest.raises(UnsatisfiableError):
        due(cronjob(), parse("0 0 31 2 *"), NOW)


@pytest.mark.parametrize(
    ("made", "schedule", "want"),
    [
        pytest.param(cronjob(last=0), "0 * * * *", 3600.1, id="an hour after the last"),
        pytest.param(cronjob(age=60), "30 * * * *", 1800.1, id="the first"),
        pytest.param(cronjob(last=3600), "0 * * * *", 3600.1, id="after the one that is due"),
        pytest.param(cronjob(), "0 0 31 2 *", None, id="never"),
    ],
)
def test_when_to_look_again(made: Obj, schedule: str, want: float | None) -> None:
    """A moment after the next run is due, so that clocks that differ a little do not matter."""
    assert until_next(made, parse(schedule), NOW) == (None if want is None else timedelta(seconds=want))


def test_a_run_has_one_name() -> None:
    """The minute is part of it: two controllers cannot start it twice."""
    assert job_name(cronjob(), NOW) == f"tick-{int(NOW.timestamp()) // 60}"
