"""CronJobs, ours beside upstream's, in every scenario at once, within the same three minutes."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operators.core.objects import Obj
from tests.parity.manifests import cronjob, job
from tests.parity.minutes import Minutes, Scenario, run
from tests.parity.pair import Pair, Side, Want
from tests.parity.view import View
from tests.parity.wanted import both, size
from tests.support.cluster import Shared

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cronjob")]

OK = {"exit_after": "1s"}
BAD = {"exit_after": "1s", "exit_code": "7"}
DAY = 24 * 60
"""In minutes."""
NEVER = "0 0 1 1 *"
"""Once a year, which is taken not to be now."""
SCENARIOS: dict[str, Scenario] = {}


def scenario(title: str) -> Callable[[Scenario], Scenario]:
    """Enter a scenario under a title."""

    def enter(function: Scenario) -> Scenario:
        SCENARIOS[title] = function
        return function

    return enter


@pytest.fixture(scope="module")
def came_of(whole: Shared) -> Mapping[str, BaseException | None]:
    """Run all scenarios, and return what each came to."""
    return asyncio.run(run(str(whole.kubeconfig), "cron", SCENARIOS))


def runs(*names: str) -> Want:
    """There are Jobs of these names, and no others."""
    return lambda v: sorted(obj["metadata"]["name"] for obj in v.raw["jobs"]) == sorted(names)


def active(*names: str) -> Want:
    """The CronJob's status names these Jobs."""
    return lambda v: [ref["name"] for ref in _status(v).get("active") or ()] == list(names)


def last(time: str | None) -> Want:
    """The last run that was started is that of a time."""
    return lambda v: _status(v).get("lastScheduleTime") == time


def has(field: str) -> Want:
    """The CronJob's status has a field."""
    return lambda v: field in _status(v)


def said(*reasons: str) -> Want:
    """Just these things have been said about the CronJob."""

    def holds(v: View) -> bool:
        return {e["reason"] for e in v.raw["events"] if e["involvedObject"]["kind"] == "CronJob"} == set(reasons)

    return holds


def ended(name: str, condition: str) -> Want:
    """A Job has ended with a condition."""

    def holds(v: View) -> bool:
        found = (c for job in v.raw["jobs"] if job["metadata"]["name"] == name
                 for c in job.get("status", {}).get("conditions") or ())  # fmt: skip
        return any(c["type"] == condition and c["status"] == "True" for c in found)

    return holds


def _status(v: View) -> Obj:
    status: Obj = v.find("cronjobs", "tick").get("status") or {}
    return status


async def set_status(pair: Pair, **status: Any) -> None:
    """Write into the CronJob's status."""
    await pair.patch("cronjobs", "tick", {"status": status}, "status")


@scenario("runs and succeeds")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1), sim=OK))
    await pair.agree(both(runs(), active(), last(None)))
    await minutes.begun(1)
    name = minutes.name(1)
    want = both(runs(name), ended(name, "Complete"), active(), has("lastSuccessfulTime"), last(minutes.text(1)))
    await pair.agree(both(want, said("SuccessfulCreate", "SawCompletedJob")))


@scenario("runs side by side")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1, 2)))
    await minutes.begun(1)
    await pair.agree(both(runs(minutes.name(1)), active(minutes.name(1)), last(minutes.text(1))))
    await minutes.begun(2)
    await pair.agree(both(active(minutes.name(1), minutes.name(2)), last(minutes.text(2)), said("SuccessfulCreate")))


@scenario("Forbid")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1, 2), concurrencyPolicy="Forbid"))
    await minutes.begun(2)
    want = both(runs(minutes.name(1)), active(minutes.name(1)), last(minutes.text(1)))
    await pair.agree(both(want, said("SuccessfulCreate", "JobAlreadyActive")))


@scenario("Forbid lets the next one run once the one before is deleted")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1, 2), concurrencyPolicy="Forbid"))
    await minutes.begun(1)
    await pair.agree(runs(minutes.name(1)))
    await pair.delete("jobs", minutes.name(1))
    await minutes.begun(2)
    want = both(runs(minutes.name(2)), active(minutes.name(2)), said("SuccessfulCreate", "MissingJob"))
    await pair.agree(want)


@scenario("Replace")
async def _(pair: Pair, minutes: Minutes) -> None:
    # upstream's cache may still show what it has just deleted, which it then calls unexpected
    pair = pair.without_events()
    await pair.create(cronjob(minutes.only(1, 2), concurrencyPolicy="Replace"))
    await minutes.begun(1)
    await pair.agree(runs(minutes.name(1)))
    await minutes.begun(2)
    await pair.agree(both(runs(minutes.name(2)), active(minutes.name(2)), last(minutes.text(2))))


@scenario("fails, and one failure is kept")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1, 2), sim=BAD, job_spec={"backoffLimit": 0}))
    await minutes.begun(1)
    await pair.agree(both(ended(minutes.name(1), "Failed"), active(), said("SuccessfulCreate", "SawCompletedJob")))
    await minutes.begun(2)
    await pair.agree(both(runs(minutes.name(2)), ended(minutes.name(2), "Failed"), active()))


@scenario("no success is kept")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1), sim=OK, successfulJobsHistoryLimit=0))
    await minutes.begun(1)
    # upstream's cache may still have the CronJob name what it has just deleted, which it then calls missing
    await pair.without_events().agree(both(runs(), active(), has("lastSuccessfulTime"), last(minutes.text(1))))
    await pair.ours.until(said("SuccessfulCreate", "SuccessfulDelete"))


@scenario("suspended")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1), suspend=True))
    await minutes.begun(1, after=3)
    await pair.agree(both(runs(), last(None), said()))


@scenario("resumed: the run that was missed starts at once")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1), suspend=True))
    await minutes.begun(1, after=3)
    await pair.edit("tick", suspend=False)
    await pair.agree(both(runs(minutes.name(1)), active(minutes.name(1)), last(minutes.text(1))))


@scenario("resumed after the deadline")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1), suspend=True, startingDeadlineSeconds=10))
    await minutes.begun(1, after=14)
    await pair.edit("tick", suspend=False)
    await pair.agree(both(runs(), last(None)), quiet_for=4)


@scenario("suspended while a Job runs")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1)))
    await minutes.begun(1)
    await pair.agree(both(active(minutes.name(1)), size(1)))
    await pair.edit("tick", suspend=True)
    await pair.end_pods(1, "Succeeded")
    await pair.agree(both(ended(minutes.name(1), "Complete"), active(), has("lastSuccessfulTime")))


@scenario("rarer from now on")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1, 2), sim=OK))
    await minutes.begun(1)
    await pair.agree(ended(minutes.name(1), "Complete"))
    await pair.edit("tick", schedule=NEVER)
    await minutes.begun(2, after=3)
    await pair.agree(both(runs(minutes.name(1)), last(minutes.text(1))))


@scenario("more often from now on: no run that is past")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(NEVER))
    await minutes.begun(1, after=3)
    await pair.edit("tick", schedule=minutes.only(1, 2))
    await pair.agree(runs(), quiet_for=3)
    await minutes.begun(2)
    await pair.agree(both(runs(minutes.name(2)), last(minutes.text(2))))


@scenario("in a time zone")
async def _(pair: Pair, minutes: Minutes) -> None:
    local = minutes.at(1).astimezone(ZoneInfo("Asia/Kolkata"))
    await pair.create(cronjob(f"{local.minute} {local.hour} * * *", timeZone="Asia/Kolkata"))
    await minutes.begun(1)
    await pair.agree(both(runs(minutes.name(1)), last(minutes.text(1))))


@scenario("not at that time in another time zone")
async def _(pair: Pair, minutes: Minutes) -> None:
    when = minutes.at(1)
    await pair.create(cronjob(f"{when.minute} {when.hour} * * *", timeZone="Asia/Kolkata"))
    await minutes.begun(1, after=3)
    await pair.agree(runs())


@scenario("a Job that is suspended itself")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1), job_spec={"suspend": True}))
    await minutes.begun(1)
    await pair.agree(both(runs(minutes.name(1)), active(minutes.name(1)), ended(minutes.name(1), "Suspended")))


@scenario("a Job that the apiserver refuses")
async def _(pair: Pair, minutes: Minutes) -> None:
    made = cronjob(minutes.only(1))
    made["spec"]["jobTemplate"]["metadata"]["labels"] = {"app": "not a label"}
    await pair.create(made)
    await minutes.begun(1)
    await pair.agree(both(runs(), active(), last(None), said("FailedCreate")))


@scenario("a name that is taken")
async def _(pair: Pair, minutes: Minutes) -> None:
    other = job(suspend=True)
    other["metadata"]["name"] = minutes.name(1)
    await pair.create(other)
    await pair.create(cronjob(minutes.only(1)))
    await minutes.begun(1, after=3)
    await pair.agree(both(runs(minutes.name(1)), active(), last(None), said()))


@scenario("a run that is started by hand")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(NEVER, sim={"exit_after": "4s"}))
    await pair.each(_by_hand)
    await pair.agree(both(ended("by-hand", "Complete"), active(), last(None), has("lastSuccessfulTime")))
    await pair.agree(said("UnexpectedJob"))


async def _by_hand(side: Side) -> None:
    """Create a Job as `kubectl create job --from` does."""
    found = await side.client.request("GET", side.url("cronjobs", "tick"))
    owner = {"apiVersion": f"{side.group}/v1", "kind": "CronJob", "name": "tick", "controller": True}
    template = found["spec"]["jobTemplate"]
    meta = {
        "name": "by-hand",
        "labels": template["metadata"]["labels"],
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
        "ownerReferences": [owner | {"uid": found["metadata"]["uid"]}],
    }
    body = {"apiVersion": f"{side.group}/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}
    await side.client.request("POST", side.url("jobs"), body)


@scenario("strangers in the status: those that exist stay")
async def _(pair: Pair, minutes: Minutes) -> None:
    other = job(suspend=True)
    other["metadata"]["name"] = "other"
    await pair.create(other)
    await pair.create(cronjob(minutes.only(1)))

    async def claim(side: Side) -> None:
        common = {"apiVersion": f"{side.group}/v1", "kind": "Job", "namespace": side.namespace}
        refs = [common | {"name": name, "uid": f"uid-{name}"} for name in ("other", "gone")]
        await side.merge("cronjobs", "tick", {"status": {"active": refs}}, "status")

    await pair.each(claim)
    await pair.agree(both(active("other"), said("MissingJob")))
    await minutes.begun(1)
    await pair.agree(both(active("other", minutes.name(1)), runs("other", minutes.name(1))))


@scenario("few missed runs: the latest starts")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(0)))
    await set_status(pair, lastScheduleTime=minutes.text(-3 * DAY))
    await pair.agree(both(runs(minutes.name(0)), last(minutes.text(0)), said("SuccessfulCreate")))


@scenario("many missed runs: the latest starts, with a warning")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(0)))
    await set_status(pair, lastScheduleTime=minutes.text(-200 * DAY))
    want = both(runs(minutes.name(0)), last(minutes.text(0)), said("SuccessfulCreate", "TooManyMissedTimes"))
    await pair.agree(want)


@scenario("many missed runs, few of them within the deadline")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(0), startingDeadlineSeconds=3600))
    await set_status(pair, lastScheduleTime=minutes.text(-200 * DAY))
    await pair.agree(both(runs(minutes.name(0)), last(minutes.text(0)), said("SuccessfulCreate")))


@scenario("the last run is still to come: a clock was put back")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob())
    await set_status(pair, lastScheduleTime=minutes.text(60))
    await minutes.begun(1, after=3)
    await pair.agree(both(runs(), last(minutes.text(60))))


@scenario("a date that never comes")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob("0 0 31 2 *"))
    await pair.agree(both(runs(), said("InvalidSchedule")))


@scenario("deleted with its Jobs")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1)))
    await minutes.begun(1)
    await pair.agree(runs(minutes.name(1)))
    await pair.delete("cronjobs", "tick")
    await pair.agree(both(runs(), lambda v: not v.raw["cronjobs"] and not v.raw["pods"]))


@scenario("deleted without its Jobs")
async def _(pair: Pair, minutes: Minutes) -> None:
    await pair.create(cronjob(minutes.only(1)))
    await minutes.begun(1)
    await pair.agree(runs(minutes.name(1)))
    await pair.delete("cronjobs", "tick", "Orphan")
    await pair.agree(both(runs(minutes.name(1)), lambda v: not v.raw["cronjobs"]))


@pytest.mark.parametrize("title", SCENARIOS)
def test_as_upstream(title: str, came_of: Mapping[str, BaseException | None]) -> None:
    """What both sides show is the same."""
    failure = came_of[title]
    if failure is not None:
        raise failure
