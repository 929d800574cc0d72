"""A CronJob in a world where anything may happen at any moment."""

import logging
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from operators.core import objects
from operators.core.cronjob.observed import end_of
from operators.core.objects import Obj, controller_reference, format_time, key
from tests.properties import rights
from tests.properties.conftest import PROFILE
from tests.properties.runs import TICK, RunRules
from tests.properties.store import CRONJOBS, JOBS
from tests.properties.trouble import MOMENTS, PICK, Trouble
from tests.properties.world import Operator, World

SCHEDULES = st.sampled_from(["* * * * *", "*/2 * * * *", "*/5 * * * *", "3-59/7 * * * *", "30 12 * * *"])
POLICIES = st.sampled_from(["Allow", "Forbid", "Replace"])
DEADLINES = st.sampled_from([None, None, 30, 90, 600])
LIMITS = st.integers(0, 3)
WHILE = st.sampled_from([20.0, 61.0, 200.0, 1000.0])
UNASKED = (("kopfwerk.dev", "cronjobs", "get"),)  # of which others ask before they adopt


def end(world: World, job: Obj, how: str) -> None:
    """A Job ends."""
    if not end_of(job):
        now = format_time(world.store.now())
        done = {"completionTime": now} if how == "Complete" else {}
        conditions = [{"type": how, "status": "True", "lastTransitionTime": now}]
        world.store.patch(JOBS, key(job), {"status": {"startTime": now, "conditions": conditions, **done}})


def made(schedule: str, policy: str, deadline: int | None, successes: int, failures: int) -> Obj:
    """Return a CronJob."""
    spec = {
        "schedule": schedule,
        "concurrencyPolicy": policy,
        "suspend": False,
        "successfulJobsHistoryLimit": successes,
        "failedJobsHistoryLimit": failures,
        "jobTemplate": {"spec": {}},
        **({} if deadline is None else {"startingDeadlineSeconds": deadline}),
    }
    return {"metadata": {"namespace": TICK[0], "name": TICK[1]}, "spec": spec}


class Runs(Trouble):
    """One CronJob, and everything that befalls it."""

    judge = RunRules

    @property
    def ledger(self) -> RunRules:
        """What has been started."""
        assert isinstance(self.world.rules, RunRules)
        return self.world.rules

    @initialize(schedule=SCHEDULES, policy=POLICIES, deadline=DEADLINES, successes=LIMITS, failures=LIMITS)
    def begin(self, schedule: str, policy: str, deadline: int | None, successes: int, failures: int) -> None:
        """Create it."""
        self.world.store.create(CRONJOBS, made(schedule, policy, deadline, successes, failures))

    def change(self, spec: dict[str, Any], seconds: float) -> None:
        """Change fields of the spec."""
        self.world.store.patch(CRONJOBS, TICK, {"spec": spec})
        self.after(seconds)

    @rule(schedule=SCHEDULES, seconds=MOMENTS)
    def change_schedule(self, schedule: str, seconds: float) -> None:
        """Somebody wants it at other times."""
        self.change({"schedule": schedule}, seconds)

    @rule(policy=POLICIES, deadline=DEADLINES, seconds=MOMENTS)
    def change_policy(self, policy: str, deadline: int | None, seconds: float) -> None:
        """Somebody decides otherwise about runs at the same time, and late ones."""
        self.change({"concurrencyPolicy": policy, "startingDeadlineSeconds": deadline}, seconds)

    @rule(suspend=st.booleans(), seconds=MOMENTS)
    def suspend(self, suspend: bool, seconds: float) -> None:  # noqa: FBT001
        """Somebody suspends it, or lets it go on."""
        self.change({"suspend": suspend}, seconds)

    @rule(successes=LIMITS, failures=LIMITS, seconds=MOMENTS)
    def change_limits(self, successes: int, failures: int, seconds: float) -> None:
        """Somebody wants more or fewer Jobs kept."""
        self.change({"successfulJobsHistoryLimit": successes, "failedJobsHistoryLimit": failures}, seconds)

    @rule(seconds=WHILE)
    def time_passes(self, seconds: float) -> None:
        """Runs come due."""
        self.after(seconds)

    @rule(seconds=WHILE)
    def down(self, seconds: float) -> None:
        """The operator is killed wherever it is, and starts anew after a while."""
        self._down(seconds)

    @rule(moment=st.sampled_from([0.104, 0.107, 0.112, 0.117]), seconds=WHILE)
    def dies_at_a_run(self, moment: float, seconds: float) -> None:
        """The operator is killed when a run is due: before its Job is made, before that is written down, or after."""
        now = self.world.store.now()
        self.world.run(60 - now.second - now.microsecond / 1e6 + moment)
        self._down(seconds)

    @rule(pick=PICK, how=st.sampled_from(["Complete", "Complete", "Failed"]), seconds=MOMENTS)
    def job_ends(self, pick: int, how: str, seconds: float) -> None:
        """A Job ends."""
        if job := self.some(JOBS, pick):
            end(self.world, job, how)
        self.after(seconds)

    @rule(seconds=MOMENTS)
    def all_end(self, seconds: float) -> None:
        """Every Job ends."""
        _all_end(self.world)
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def job_removed(self, pick: int, seconds: float) -> None:
        """Somebody deletes a Job that goes on."""
        job = self.some(JOBS, pick)
        if job and not end_of(job):
            self.world.store.remove(JOBS, key(job))
        self.after(seconds)

    @rule(seconds=MOMENTS)
    def by_hand(self, seconds: float) -> None:
        """Somebody starts a run by hand."""
        store = self.world.store
        meta = {"namespace": "ns", "name": f"by-hand-{store.version}"}
        owner = controller_reference(store.get(CRONJOBS, TICK))
        store.create(JOBS, {"metadata": meta | {"ownerReferences": [owner]}, "spec": {}})
        self.after(seconds)

    @rule(seconds=MOMENTS)
    def stranger(self, seconds: float) -> None:
        """Somebody's own Job takes the name of a run that is near."""
        store = self.world.store
        minute = int(store.now().timestamp()) // 60 + 1
        name = f"tick-{minute}"
        if ("ns", name) not in store.objects[JOBS]:
            store.create(JOBS, {"metadata": {"namespace": "ns", "name": name}, "spec": {}})
        self.after(seconds)

    def _down(self, seconds: float) -> None:
        world = self.world
        world.loop.run_until_complete(world.operator.kill())
        world.run(seconds)
        world.operator = Operator(world)
        self.after(0.1)

    def come_to_rest(self) -> None:
        """End all trouble: then no run is missed. Suspended, all comes to rest."""
        world, store = self.world, self.world.store
        world.network.faults.clear()
        world.network.held.clear()
        world.network.pulse()
        for job in store.all(JOBS):
            if objects.controller_of(job) is None:
                store.remove(JOBS, key(job))
        self.change({"suspend": False, "concurrencyPolicy": "Allow", "startingDeadlineSeconds": None}, 1100)
        since = store.now()
        for _ in range(30):
            _all_end(world)
            world.run(20)
        assert not self.ledger.missed(since), "a run was missed"
        self.change({"suspend": True}, 1)
        super().come_to_rest()


def test_no_run_starts_twice_and_none_is_missed(caplog: pytest.LogCaptureFixture) -> None:
    """Nor beside others where that is forbidden, nor late, whatever happens and wherever the operator dies."""
    caplog.set_level(logging.CRITICAL)
    profile = settings.get_profile(PROFILE)
    run_state_machine_as_test(Runs, settings=settings(profile, max_examples=profile.max_examples // 10))
    rights.check("cronjob", unasked=UNASKED)


@pytest.mark.parametrize("policy", ["Forbid", "Replace", "Allow"])
@pytest.mark.parametrize("ends", ["before", "after", "never"])
@pytest.mark.parametrize("away", [1, 70, 200])
def test_a_death_at_any_moment_of_a_run(policy: str, ends: str, away: int, caplog: pytest.LogCaptureFixture) -> None:
    """Between the Job and the status that names it, too: it is neither forgotten nor made again once it is history.

    The Job ends before the operator is back, or after, or never.
    """
    caplog.set_level(logging.CRITICAL)
    for milliseconds in range(98, 124, 2):
        rules = RunRules()
        world = World(rules)
        world.store.create(CRONJOBS, made("* * * * *", policy, None, 0, 0))
        world.run(60 + milliseconds / 1000)
        world.loop.run_until_complete(world.operator.kill())
        if ends == "before":
            _all_end(world)
        world.run(away)
        world.operator = Operator(world)
        if ends == "after":
            world.run(0.004)
            _all_end(world)
        world.run(130)
        assert len(rules.running()) <= (1 if policy != "Allow" else 5), milliseconds
        names = sorted(ref["name"] for ref in rules.cronjob["status"].get("active") or ())
        assert names == sorted(map(objects.name, rules.running())), milliseconds
        world.close()


def _all_end(world: World) -> None:
    for job in world.store.all(JOBS):
        end(world, job, "Complete")


def test_two_operators_at_once_start_each_run_once(caplog: pytest.LogCaptureFixture) -> None:
    """As when neither knows of the other: the name of a run's Job is the same for both."""
    caplog.set_level(logging.CRITICAL)
    rules = RunRules()
    world = World(rules)
    world.store.create(CRONJOBS, made("* * * * *", "Allow", None, 3, 1))
    second = Operator(world)
    began = world.store.now()
    for _ in range(60):
        world.run(10)
        _all_end(world)
    world.run(2)
    assert len(rules.started) == 10
    assert not rules.missed(began)
    world.loop.run_until_complete(second.kill())
    world.close()
