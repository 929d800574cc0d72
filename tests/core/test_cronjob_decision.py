"""Which run of a CronJob is started, under every policy and in every plight, and what is said about it."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operators.core.cronjob import Observed, decide
from operators.core.cronjob.due import delay
from operators.core.objects import Obj
from operators.core.plan import Say
from tests.support.builders import NOW
from tests.support.cronjobs import before, cronjob, run, seen

OLD = run(3600, since=3600)
"""The Job of the last run, which goes on."""
DONE = run(3600, since=3600, end="Complete")
FOREIGN = run("other", owner="")


def policy(name: str, *active: Obj, **spec: Any) -> Obj:
    """Return a CronJob whose next run is due, with a policy and Jobs that its status names."""
    return cronjob(last=3600, active=active, concurrencyPolicy=name, **spec)


@pytest.mark.parametrize(
    ("observed", "want_start", "want_says"),
    [
        pytest.param(seen(cronjob(age=60)), True, [], id="the first run"),
        pytest.param(seen(cronjob(age=60), after=59), True, [], id="a minute late"),
        pytest.param(seen(cronjob("30 * * * *", age=60)), False, [], id="not yet"),
        pytest.param(seen(cronjob(last=0)), False, [], id="started already"),
        pytest.param(seen(cronjob(last=3600, suspend=True)), False, [], id="suspended"),
        pytest.param(seen(cronjob(last=3600, deleting=True)), False, [], id="being deleted"),
        pytest.param(seen(policy("Allow", OLD), OLD), True, [], id="Allow beside another"),
        pytest.param(seen(policy("", OLD), OLD), True, [], id="no policy is Allow"),
        pytest.param(seen(policy("Replace", OLD), OLD), True, [], id="Replace another"),
        pytest.param(seen(policy("Forbid", OLD), OLD), False, ["JobAlreadyActive"], id="Forbid beside another"),
        pytest.param(seen(policy("Forbid", DONE), DONE), True, [], id="Forbid after another"),
        pytest.param(seen(policy("Forbid", OLD)), True, [], id="Forbid after one that is gone"),
        pytest.param(
            seen(policy("Forbid"), OLD), False, ["JobAlreadyActive"], id="Forbid beside one nobody wrote down"
        ),
        pytest.param(seen(policy("Forbid"), run("by-hand")), True, [], id="Forbid beside one started by hand"),
        pytest.param(seen(policy("Forbid"), run(0)), True, [], id="Forbid and made, but not written down"),
        pytest.param(
            seen(policy("Forbid", FOREIGN), FOREIGN), False, ["JobAlreadyActive"], id="Forbid beside a named stranger"
        ),
        pytest.param(seen(policy("Allow", run(0)), run(0)), False, [], id="the status names this run's Job"),
        pytest.param(seen(policy("Allow"), run(0)), True, [], id="made, but not written down"),
        pytest.param(seen(policy("Allow"), run(0, owner="")), False, [], id="nobody's Job has its name"),
        pytest.param(seen(policy("Allow"), run(0, owner="tock")), False, [], id="another's Job has its name"),
        pytest.param(seen(cronjob("* * * * *", last=100 * 60)), True, [], id="a hundred missed"),
        pytest.param(seen(cronjob("* * * * *", last=101 * 60)), True, ["TooManyMissedTimes"], id="more missed"),
        pytest.param(
            seen(cronjob("* * * * *", last=101 * 60, startingDeadlineSeconds=600)), True, [], id="few within reach"
        ),
        pytest.param(seen(cronjob(last=3600, startingDeadlineSeconds=0)), False, [], id="a deadline nobody can meet"),
        pytest.param(
            seen(cronjob(last=3600, startingDeadlineSeconds=30), after=29), True, [], id="just before the deadline"
        ),
        pytest.param(seen(cronjob(last=3600, startingDeadlineSeconds=30), after=30), False, [], id="at the deadline"),
        pytest.param(seen(cronjob("nonsense")), False, ["UnparseableSchedule"], id="no schedule"),
        pytest.param(seen(cronjob("0 0 31 2 *")), False, ["InvalidSchedule"], id="a date that never comes"),
        pytest.param(
            seen(cronjob(timeZone="Mars/North"), zone=None), False, ["UnknownTimeZone"], id="no such time zone"
        ),
        pytest.param(
            seen(cronjob(timeZone="Mars/North", suspend=True), zone=None),
            False,
            ["UnknownTimeZone"],
            id="no such time zone, suspended",
        ),
        pytest.param(seen(cronjob("TZ=UTC 0 * * * *")), True, ["UnsupportedSchedule"], id="a zone in the schedule"),
        pytest.param(seen(cronjob(last=-3600)), False, [], id="the clock was put back"),
        pytest.param(seen(cronjob(last=3600), changed=NOW), False, [], id="this has been the schedule only since"),
        pytest.param(
            seen(cronjob("30 * * * *", last=2000), changed=before(2000)), True, [], id="since before the run it was"
        ),
    ],
)
def test_what_is_started(observed: Observed, want_start: bool, want_says: list[str]) -> None:  # noqa: FBT001
    """The latest run that is due, unless something speaks against it."""
    found = decide(observed)
    assert (found.start is not None, [say.reason for say in found.says]) == (want_start, want_says)


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(
            seen(cronjob("60 * * * *")),
            Say(
                "Warning",
                "UnparseableSchedule",
                'unparseable schedule: "60 * * * *" : end of range (60) above maximum (59): 60',
            ),
            id="schedule",
        ),
        pytest.param(
            seen(cronjob("0 0 31 2 *")),
            Say(
                "Warning",
                "InvalidSchedule",
                "invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second",
            ),
            id="date",
        ),
        pytest.param(
            seen(cronjob(timeZone="Mars/North"), zone=None),
            Say("Warning", "UnknownTimeZone", 'invalid timeZone: "Mars/North": unknown time zone Mars/North'),
            id="zone",
        ),
    ],
)
def test_upstreams_words(observed: Observed, want: Say) -> None:
    """Whoever searches for them finds them."""
    assert decide(observed).says == (want,)


def test_a_schedule_is_meant_in_its_zone() -> None:
    """Noon of UTC is one o'clock in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    assert decide(seen(cronjob("0 13 * * *", timeZone="Europe/Berlin"), zone=berlin)).start == NOW
    assert decide(seen(cronjob("0 12 * * *", timeZone="Europe/Berlin"), zone=berlin)).start == before(3600)


@pytest.mark.parametrize("early", [1, 0])
def test_jitter_puts_a_run_off(early: int) -> None:
    """By as much as its name says; the run is still that of its time, and so is the next one."""
    made = cronjob(last=3600, jitterSeconds=300)
    wait = delay(made).total_seconds()
    assert wait > 1
    found = decide(seen(made, after=wait - early))
    assert found.start == (None if early else NOW)
    assert found.following == (NOW if early else NOW + timedelta(hours=1))
