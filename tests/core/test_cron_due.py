"""Which run of a CronJob is due, and when the next one is."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from operators.core.cronjob.due import MANY, UnsatisfiableError, delay, due, following, job_name
from operators.core.cronjob.schedule import parse
from operators.core.objects import Obj
from tests.support.builders import NOW
from tests.support.cronjobs import before, cronjob


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
        pytest.param(cronjob(last=0), "0 * * * *", 3600, id="an hour after the last"),
        pytest.param(cronjob(age=60), "30 * * * *", 1800, id="the first"),
        pytest.param(cronjob(last=3600), "0 * * * *", 3600, id="after the one that is due"),
        pytest.param(cronjob(last=50 * 3600), "0 * * * *", 3600, id="after many that were missed"),
        pytest.param(cronjob(last=-600), "* * * * *", 660, id="the clock went back"),
        pytest.param(cronjob(), "0 0 31 2 *", None, id="never"),
    ],
)
def test_when_the_next_run_is(made: Obj, schedule: str, want: float | None) -> None:
    """After the one that is due, or that was started."""
    assert following(made, parse(schedule), NOW) == (None if want is None else NOW + timedelta(seconds=want))


@pytest.mark.parametrize(
    ("changed", "want"),
    [
        pytest.param(None, before(1800), id="never"),
        pytest.param(before(2000), before(1800), id="before the run"),
        pytest.param(before(1700), None, id="after the run"),
    ],
)
def test_no_run_from_before_the_schedule_was_changed(changed: datetime | None, want: datetime | None) -> None:
    """Half past eleven is past at a quarter to twelve, when the schedule came to say so."""
    assert due(cronjob(last=3600), parse("30 * * * *"), NOW, not_before=changed).time == want


def test_clocks_go_forward() -> None:
    """A run in the hour that there is not is left out that day: at three the last one is that of yesterday."""
    berlin = ZoneInfo("Europe/Berlin")
    morning = datetime(2030, 3, 31, 3, 30, tzinfo=berlin)
    made = cronjob() | {"status": {"lastScheduleTime": "2030-03-30T01:30:00Z"}}
    assert due(made, parse("30 2 * * *", berlin), morning).time is None
    assert following(made, parse("30 2 * * *", berlin), morning) == datetime(2030, 4, 1, 2, 30, tzinfo=berlin)


@pytest.mark.parametrize("seconds", [0, 1, 60, 3600])
def test_jitter_is_within_its_bounds_and_stays(seconds: int) -> None:
    """Each CronJob has its own, by its name."""
    found = delay(cronjob(jitterSeconds=seconds))
    assert timedelta() <= found <= timedelta(seconds=seconds)
    assert found == delay(cronjob(jitterSeconds=seconds, schedule="5 * * * *"))


def test_jitter_spreads() -> None:
    """A thousand CronJobs start in every second of the minute, and in none more than a few of them."""
    names = [{"metadata": {"namespace": "ns", "name": f"tick-{n}"}, "spec": {"jitterSeconds": 59}} for n in range(1000)]
    found = [delay(made).total_seconds() for made in names]
    assert set(found) == set(range(60))
    assert max(map(found.count, found)) < 40


def test_a_run_has_one_name() -> None:
    """The minute is part of it: two controllers cannot start it twice."""
    assert job_name(cronjob(), NOW) == f"tick-{int(NOW.timestamp()) // 60}"
