"""What the declaration of CronJobs adds to their rules: time zones, the memory of schedules, what Prometheus sees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY

from operators.controllers import state
from operators.controllers.cronjobs import cronjob_controller
from operators.controllers.zones import time_zone
from operators.core import cronjob as rules
from operators.core import objects
from operators.core.cronjob import Observed
from operators.core.objects import KOPFWERK, Obj, cronjobs, jobs
from operators.core.plan import Outcome
from operators.runtime.controller import Sync
from operators.runtime.informer import Informer, Informers
from operators.runtime.wake import obj_indexers
from tests.runtime.scripted import Scripted
from tests.support.builders import NOW, ago
from tests.support.cronjobs import before, cronjob, done, run, seen

CRONJOBS, JOBS = cronjobs(KOPFWERK), jobs(KOPFWERK)
SKEW = "cronjob_controller_job_creation_skew_duration_seconds"


class Cache:
    """The caches of the controller, which looks at one CronJob and all Jobs."""

    def __init__(self, *found: Obj) -> None:
        self.informers = Informers()
        self.controller = cronjob_controller(KOPFWERK)
        for resource in (CRONJOBS, JOBS):
            self.informers.add(Informer(Scripted(), resource, lambda obj: obj, obj_indexers()))
        for job in found:
            self.informers[JOBS]._store(job)

    def look(self, made: Obj, seconds: float = 0) -> Observed:
        """Return what is observed so many seconds after NOW."""
        self.informers[CRONJOBS]._store(made)
        return self.controller.observe(self.informers, made, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("", UTC, id="none"),
        pytest.param("UTC", UTC, id="UTC"),
        pytest.param("Europe/Berlin", ZoneInfo("Europe/Berlin"), id="Berlin"),
        pytest.param("Mars/North", None, id="unknown"),
        pytest.param("Europe", None, id="a folder"),
        pytest.param("../etc/passwd", None, id="a way out"),
        pytest.param("/etc/localtime", None, id="a path"),
        pytest.param("a\0b", None, id="no name at all"),
    ],
)
def test_time_zones(name: str, want: Any) -> None:
    """By the names of the tz database; nothing else is looked for."""
    assert time_zone(name) == want


def test_what_is_observed() -> None:
    """The CronJob's own Jobs by their owner, and any other by its name."""
    own, other = run(3600, group=KOPFWERK), run("other", group=KOPFWERK, owner="")
    found = Cache(own, other).look(cronjob(group=KOPFWERK, timeZone="Europe/Berlin"))
    assert found.jobs == (own,)
    assert found.find(("ns", "other")) == other
    assert found.find(("elsewhere", "other")) is None
    assert found.zone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"suspend": True}, None, id="something else"),
        pytest.param({"schedule": "30 * * * *"}, NOW + timedelta(seconds=5), id="the schedule"),
        pytest.param({"timeZone": "Asia/Tokyo"}, NOW + timedelta(seconds=5), id="the time zone"),
    ],
)
def test_a_change_of_the_schedule_is_remembered(changes: dict[str, Any], want: datetime | None) -> None:
    """Until it changes again, or the operator ends."""
    cache, after = Cache(), cronjob(group=KOPFWERK, **changes)
    assert cache.look(cronjob(group=KOPFWERK)).changed is None
    assert cache.look(after, 5).changed == want
    assert cache.look(after, 70).changed == want
    assert Cache().look(after, 80).changed is None


def test_another_cronjob_of_the_name_has_a_past_of_its_own() -> None:
    """What is remembered is about an object, not about a name; of many that are gone it is forgotten."""
    cache = Cache()
    for number in range(1500):
        made = cronjob(f"{number % 60} * * * *", group=KOPFWERK)
        made["metadata"]["uid"] = f"uid-{number}"
        assert cache.look(made).changed is None
    memory = cache.controller.observe.__self__  # type: ignore[attr-defined] # it is a method
    assert len(memory._schedules) <= 1002


def skew() -> tuple[float, float]:
    """Return how many Jobs were measured, and how late they were together."""
    return REGISTRY.get_sample_value(f"{SKEW}_count") or 0, REGISTRY.get_sample_value(f"{SKEW}_sum") or 0


@pytest.mark.parametrize(
    ("observed", "want"),
    [
        pytest.param(seen(cronjob(last=3600)), (1, 0), id="on time"),
        pytest.param(seen(cronjob("30 * * * *", last=3600)), (1, 1800), id="late"),
        pytest.param(seen(cronjob(last=0)), (0, 0), id="nothing is due"),
        pytest.param(seen(cronjob(last=3600), run(0)), (0, 0), id="it was there already"),
    ],
)
def test_how_late_a_job_is_made(observed: Observed, want: tuple[float, float]) -> None:
    """By the apiserver's clock, once it is there."""
    count, total = skew()
    sync = Sync(done(rules.plan(observed)), None, 0.1, failed=False)
    cronjob_controller("batch").ended(observed, sync)
    cronjob_controller("batch").ended(observed, Sync(Outcome(), None, 0.1, failed=True))
    assert skew() == (count + want[0], total + want[1])


def test_jitter_is_not_late() -> None:
    """A run that starts when it is to start is on time."""
    made = cronjob(last=3600, jitterSeconds=300)
    wait = rules.delay(made)
    observed = seen(made, after=wait.total_seconds())
    outcome = done(rules.plan(observed))
    outcome.results[0][1]["metadata"]["creationTimestamp"] = objects.format_time(NOW + wait)  # type: ignore[index]
    count, total = skew()
    cronjob_controller("batch").ended(observed, Sync(outcome, None, 0.1, failed=False))
    assert skew() == (count + 1, total)


def series(made: Obj) -> dict[str, float]:
    """Return the values of the state metrics that have no labels of their own."""
    labels = {"namespace": "ns", "cronjob": "tick"}
    shown = ((family.suffix, family.series(made, labels)) for family in state.CRONJOB)
    return {suffix: value for suffix, each in shown for own, value in each if own == labels}


def test_state_metrics() -> None:
    """They are kube-state-metrics', the next run among them, which is past while it has not started."""
    made = cronjob(
        "30 * * * *", last=7200, active=[run(7200)], startingDeadlineSeconds=60, status={"lastSuccessfulTime": ago(60)}
    )
    assert series(made) == {
        "created": before(86_400).timestamp(),
        "metadata_generation": 1,
        "next_schedule_time": before(5400).timestamp(),
        "status_active": 1,
        "status_last_schedule_time": before(7200).timestamp(),
        "status_last_successful_time": before(60).timestamp(),
        "spec_suspend": 0,
        "spec_starting_deadline_seconds": 60,
        "spec_successful_job_history_limit": 3,
        "spec_failed_job_history_limit": 1,
    }


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(cronjob(suspend=True), id="suspended"),
        pytest.param(cronjob("nonsense"), id="no schedule"),
        pytest.param(cronjob(timeZone="Mars/North"), id="no such time zone"),
        pytest.param(cronjob("0 0 31 2 *"), id="a date that never comes"),
    ],
)
def test_no_next_run(made: Obj) -> None:
    """There is no series then."""
    assert "next_schedule_time" not in series(made)


def test_the_settings_are_labels() -> None:
    """Under the names that kube-state-metrics gives them."""
    (family,) = (family for family in state.CRONJOB if family.suffix == "info")
    (found,) = family.series(cronjob(timeZone="Asia/Tokyo"), {"cronjob": "tick"})
    assert found == (
        {"cronjob": "tick", "schedule": "0 * * * *", "concurrency_policy": "Allow", "timezone": "Asia/Tokyo"},
        1,
    )
