"""What a PodProbe does about pods: their condition, restarts on record, and what is left behind."""

from typing import Any

import pytest

from operators.core import probe as rules
from operators.core.objects import Obj
from operators.core.plan import Delete, Outcome, Patch, Plan
from operators.core.pods import Pod
from operators.core.probe import Member
from operators.core.probe.worker import Result
from tests.support.builders import NOW, ago
from tests.support.probes import CONDITION, member, podprobe, probed, seen, state

OK, BAD = Result.SUCCESS, Result.FAILURE
LIVE: dict[str, Obj] = {"liveness": {}}


def told(plan: Plan) -> list[str]:
    """Return what a plan does, a few words a write."""
    return [_word(step) for step in plan.steps if isinstance(step, Patch | Delete)]


def _word(step: Patch | Delete) -> str:
    if isinstance(step, Delete):
        assert step.evicts
        return f"evict {step.target.name}"
    (condition,) = step.body["status"]["conditions"]
    assert (step.subresource, step.strategic, condition["type"]) == ("status", True, CONDITION)
    return f"{step.target.name} {condition.get('status') or condition['$patch']}"


def entry(name: str, *, before: float = 10, container: str = "c1") -> Obj:
    """Return a restart on record, decided some seconds ago."""
    return {"pod": name, "uid": f"uid-{name}", "containerID": container, "probe": "Liveness", "time": ago(before)}


@pytest.mark.parametrize(
    ("pod", "result", "want"),
    [
        pytest.param(probed(), OK, ["pod True"], id="passes, and nothing is said yet"),
        pytest.param(probed(), BAD, ["pod False"], id="fails, and nothing is said yet"),
        pytest.param(probed(says="True"), OK, [], id="it is said already"),
        pytest.param(probed(says="True"), BAD, ["pod False"], id="it passed and fails now"),
        pytest.param(probed(says="False"), OK, ["pod True"], id="it failed and passes now"),
        pytest.param(probed(says="True"), None, [], id="nothing is known: what was said stays"),
        pytest.param(probed(says="True", deleting=True), BAD, ["pod False"], id="also while it is being deleted"),
    ],
)
def test_condition(pod: Pod, result: Result | None, want: list[str]) -> None:
    """The condition is written where it says something else than the probe amounts to, and only there."""
    assert told(rules.plan(seen(podprobe(), member(pod, readiness=state(result))))) == want


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(probed(says="False"), ["pod delete"], id="the condition goes"),
        pytest.param(probed(says="False", gated=True), ["pod True"], id="from a gated pod it cannot: it says yes"),
        pytest.param(probed(says="True", gated=True), [], id="or goes on saying so"),
        pytest.param(probed(), [], id="there is none"),
    ],
)
def test_what_is_left_behind(pod: Pod, want: list[str]) -> None:
    """A pod that is not probed any more, or whose PodProbe is gone, is not kept out for ever."""
    assert told(rules.plan(seen(podprobe(), left=(pod,)))) == want
    assert told(rules.plan(seen(podprobe(**LIVE), member(pod, liveness=state(OK))))) == want
    assert told(rules.release("web", [pod], NOW)) == want


def failing(*names: str, **more: Any) -> list[Member]:
    """Return pods whose liveness probe fails."""
    return [member(probed(name, running=3600, age=3600, **more), liveness=state(BAD)) for name in names]


def decided(parent: Obj, *members: Member, after: float = 0) -> list[str]:
    """Return the pods that are newly put on record."""
    observed = seen(parent, *members, after=after)
    status = rules.report(observed, Outcome())
    before = {one["uid"] for one in observed.status.get("restarting", [])}
    return [one["pod"] for one in (status or {}).get("restarting", []) if one["uid"] not in before]


@pytest.mark.parametrize(
    ("restart", "status", "members", "want"),
    [
        pytest.param({}, {}, failing("a", "b"), ["a"], id="one at a time by default"),
        pytest.param({"maxConcurrent": 2}, {}, failing("a", "b", "c"), ["a", "b"], id="or as many as may"),
        pytest.param({"maxConcurrent": "50%"}, {}, failing("a", "b", "c"), ["a"], id="a share is rounded down"),
        pytest.param({"maxConcurrent": "1%"}, {}, failing("a", "b", "c"), ["a"], id="to one at least"),
        pytest.param({"method": "None"}, {}, failing("a"), [], id="none at all, where that is asked for"),
        pytest.param({}, {}, failing("a", deleting=True), [], id="none that is being deleted"),
        pytest.param({}, {"restarting": [entry("a")]}, failing("a", "b"), [], id="the place is taken"),
        pytest.param(
            {},
            {"restarting": [entry("a")]},
            [*failing("a", deleting=True), *failing("b")],
            [],
            id="also while the pod ends",
        ),
        pytest.param({}, {"restarting": [entry("a")]}, failing("b"), [], id="and while none has replaced it"),
        pytest.param(
            {},
            {"restarting": [entry("a")]},
            [*failing("b"), member(probed("new", age=5, ready=False), liveness=state(OK))],
            [],
            id="and until the one that did is ready",
        ),
        pytest.param(
            {},
            {"restarting": [entry("a")]},
            [*failing("b"), member(probed("new", age=5), liveness=state(OK))],
            ["b"],
            id="then it is free",
        ),
        pytest.param({}, {"restarting": [entry("a", before=300)]}, failing("b"), ["b"], id="nobody waits for ever"),
        pytest.param(
            {"maxConcurrent": 2},
            {"restarting": [entry("a"), entry("b")]},
            [*failing("c", "d"), member(probed("new", age=5), liveness=state(OK))],
            ["c"],
            id="one of two has been replaced",
        ),
        pytest.param(
            {},
            {"restarting": [entry("a")]},
            [member(probed("a", container="c2", ready=False), liveness=state(OK, container="c2")), *failing("b")],
            [],
            id="restarted in place, and not ready yet",
        ),
        pytest.param(
            {},
            {"restarting": [entry("a")]},
            [member(probed("a", container="c2"), liveness=state(OK, container="c2")), *failing("b")],
            ["b"],
            id="restarted in place, and ready",
        ),
        pytest.param(
            {},
            {"restarting": [entry("a")]},
            [member(probed("a"), liveness=state(OK)), *failing("b")],
            ["b"],
            id="come to itself before anything was done",
        ),
    ],
)
def test_who_is_restarted(restart: Obj, status: Obj, members: list[Member], want: list[str]) -> None:
    """At most maxConcurrent are under restart, each until it, or its replacement, is ready."""
    assert decided(podprobe(restart=restart, status=status, **LIVE), *members) == want


def test_what_has_come_to_itself_is_off_the_record() -> None:
    """If it fails again it waits for a place again: otherwise it and the one that has its place would both go."""
    parent = podprobe(status={"restarting": [entry("a")]}, **LIVE)
    status = rules.report(seen(parent, member(probed("a"), liveness=state(OK)), *failing("b")), Outcome())
    assert status is not None
    assert [one["pod"] for one in status["restarting"]] == ["b"]


@pytest.mark.parametrize(
    ("running", "delay", "before", "want"),
    [
        pytest.param(30, 10, 5, [], id="failed again soon: it waits"),
        pytest.param(30, 10, 10, ["a"], id="and then is restarted"),
        pytest.param(3600, 300, 5, ["a"], id="one that ran for long need not wait"),
        pytest.param(30, 300, 601, ["a"], id="after a calm time nothing is held against it"),
    ],
)
def test_back_off(running: float, delay: int, before: float, want: list[str]) -> None:
    """A container that fails again soon after its start waits, since the restart before did not help."""
    parent = podprobe(status={"lastRestartTime": ago(before), "restartDelaySeconds": delay}, **LIVE)
    assert decided(parent, member(probed("a", running=running), liveness=state(BAD))) == want


@pytest.mark.parametrize(
    ("running", "delay", "want"),
    [
        pytest.param(3600, 0, 10, id="the first"),
        pytest.param(30, 10, 20, id="twice as long each time"),
        pytest.param(30, 200, 300, id="to a bound"),
        pytest.param(3600, 40, 40, id="but for those that ran for long"),
    ],
)
def test_the_next_delay(running: float, delay: int, want: int) -> None:
    """The status says how long the next restart that comes too soon will wait."""
    before = {"lastRestartTime": ago(400), "restartDelaySeconds": delay} if delay else {}
    parent = podprobe(status=before, **LIVE)
    status = rules.report(seen(parent, member(probed("a", running=running), liveness=state(BAD))), Outcome())
    assert status is not None
    assert status["restartDelaySeconds"] == want


@pytest.mark.parametrize(
    ("method", "before", "members", "want"),
    [
        pytest.param("Evict", 0, failing("a", "b"), ["evict a"], id="what is on record is evicted"),
        pytest.param("Evict", 60, failing("a"), ["evict a"], id="again, while the budget does not allow it"),
        pytest.param("Evict", 0, failing("a", deleting=True), [], id="not what is being deleted"),
        pytest.param("Evict", 0, [member(probed("a"), liveness=state(OK))], [], id="not what has come to itself"),
        pytest.param("Evict", 0, [member(probed("a", container="c2"), liveness=state(BAD, container="c2"))], [],
                     id="not another container"),
        pytest.param("InPlace", 29, failing("a"), [], id="in place: it gets time"),
        pytest.param("InPlace", 30, failing("a"), ["evict a"], id="in place: its time is over"),
        pytest.param("None", 60, failing("a"), [], id="none"),
    ],
)  # fmt: skip
def test_what_is_on_record_is_carried_out(method: str, before: float, members: list[Member], want: list[str]) -> None:
    """Nothing is evicted before the status says so, so that a lost write or another leader changes nothing."""
    parent = podprobe(restart={"method": method}, status={"restarting": [entry("a", before=before)]}, **LIVE)
    assert told(rules.plan(seen(parent, *members))) == want


@pytest.mark.parametrize(
    ("method", "want"),
    [
        pytest.param("Evict", "Container app failed liveness probe, its pod will be evicted", id="evicted"),
        pytest.param("InPlace", "Container app failed liveness probe, will be restarted", id="in place"),
    ],
)
def test_killing(method: str, want: str) -> None:
    """The pod's event says what becomes of the container, in upstream's words where it is what upstream does."""
    observed = seen(podprobe(restart={"method": method}, **LIVE), *failing("a"))
    status = rules.report(observed, Outcome())
    assert status is not None
    (said,) = rules.announce(observed, status)
    assert (said.type, said.reason, said.message) == ("Normal", "Killing", want)
    assert said.about is not None
    assert (said.about["metadata"]["name"], said.about["fieldPath"]) == ("a", "spec.containers{app}")


def test_status() -> None:
    """Counts by probe, and what came last of any pod."""
    parent = podprobe(readiness={}, liveness={})
    members = (
        member(probed("a"), readiness=state(OK, since=30), liveness=state(OK, since=40)),
        member(probed("b"), readiness=state(BAD, since=5, message="refused"), liveness=state(None)),
    )
    assert rules.report(seen(parent, *members), Outcome()) == {
        "observedGeneration": 1,
        "matched": 2,
        "restarts": 0,
        "readiness": {"passing": 1, "failing": 1, "lastTransitionTime": ago(5), "lastMessage": "refused"},
        "liveness": {"passing": 1, "failing": 0, "lastTransitionTime": ago(40), "lastMessage": ""},
    }


@pytest.mark.parametrize(
    ("says", "want"),
    [
        pytest.param("True", (1, 0), id="passes"),
        pytest.param("False", (0, 1), id="fails"),
        pytest.param(None, (0, 0), id="no word"),
    ],
)
def test_status_of_what_is_not_known_yet(says: str | None, want: tuple[int, int]) -> None:
    """A new leader counts what the pods say, until it knows better; and it changes none of it."""
    observed = seen(podprobe(), member(probed(says=says)))
    status = rules.report(observed, Outcome())
    assert status is not None
    assert (status["readiness"]["passing"], status["readiness"]["failing"]) == want
    assert told(rules.plan(observed)) == []


def test_status_that_says_the_same_is_not_written() -> None:
    """Writes are for transitions."""
    members = (member(probed("a"), readiness=state(OK)),)
    status = rules.report(seen(podprobe(), *members), Outcome())
    assert rules.report(seen(podprobe(status=status), *members, after=60), Outcome()) is None
