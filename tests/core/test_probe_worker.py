"""A probe's results and what they amount to: upstream's thresholds, order and interplay."""

from datetime import timedelta

import pytest

from operators.core.probe.spec import Kind
from operators.core.probe.worker import Do, Result, State, due, judged, met
from tests.support.builders import NOW
from tests.support.probes import probe, probed, state

OK, BAD, HUH = Result.SUCCESS, Result.FAILURE, Result.UNKNOWN


@pytest.mark.parametrize(
    ("spec", "found", "want"),
    [
        pytest.param({}, [OK], OK, id="one success is enough by default"),
        pytest.param({}, [BAD, BAD], None, id="two failures are not"),
        pytest.param({}, [BAD, BAD, BAD], BAD, id="three are"),
        pytest.param({}, [BAD, BAD, OK, BAD, BAD], OK, id="a success in between begins anew"),
        pytest.param({}, [OK, BAD, BAD, BAD], BAD, id="what passed fails after three"),
        pytest.param({}, [BAD, BAD, HUH, BAD], BAD, id="a try that could not be made counts for nothing"),
        pytest.param({"successThreshold": 3}, [OK, OK], None, id="two successes of three"),
        pytest.param({"successThreshold": 3}, [OK, OK, OK], OK, id="three of three"),
        pytest.param({"successThreshold": 2}, [BAD, BAD, BAD, OK], BAD, id="what failed needs as many in a row"),
        pytest.param({"successThreshold": 2}, [OK, BAD, OK, BAD, OK], None, id="in turns, nothing comes of it"),
        pytest.param({"failureThreshold": 1}, [OK, BAD], BAD, id="one failure, where one is enough"),
    ],
)
def test_thresholds(spec: dict[str, int], found: list[Result], want: Result | None) -> None:
    """A result takes effect once it has come often enough in a row."""
    readiness, now = probe(Kind.READINESS, **spec), State("c1")
    for result in found:
        now = judged(now, readiness, result, "", NOW)
    assert now.result == want


@pytest.mark.parametrize(
    ("kind", "running", "want"),
    [
        pytest.param(Kind.READINESS, 5, BAD, id="not ready until it is shown"),
        pytest.param(Kind.LIVENESS, 5, OK, id="alive until it is shown not to be"),
        pytest.param(Kind.STARTUP, 5, None, id="whether it has started is open"),
        pytest.param(Kind.READINESS, 60, None, id="of what ran before anybody looked, nothing is known"),
        pytest.param(Kind.LIVENESS, 60, None, id="nor whether it is alive"),
        pytest.param(Kind.STARTUP, 60, OK, id="it must have started, having had the time"),
        pytest.param(Kind.STARTUP, 20, None, id="unless there was not yet time enough"),
    ],
)
def test_what_is_taken_for_granted(kind: Kind, running: float, want: Result | None) -> None:
    """A new container begins as upstream has it; one that was there before keeps what it had."""
    pod = probed(running=running)
    assert pod.probed is not None
    first = met(State(), probe(kind), pod, pod.probed.containers[0], born=NOW, now=NOW)
    assert first.result == want


def test_a_new_container_begins_anew() -> None:
    """Neither the old container's result nor its count of failures is the new one's."""
    pod = probed(running=1, container="c2")
    assert pod.probed is not None
    before = State("c1", BAD, last=BAD, run=7)
    after = met(before, probe(Kind.LIVENESS), pod, pod.probed.containers[0], born=NOW - timedelta(hours=1), now=NOW)
    assert (after.container, after.result, after.run) == ("c2", OK, 0)


@pytest.mark.parametrize("kind", Kind)
def test_a_container_that_does_not_run_fails(kind: Kind) -> None:
    """There is nothing to try, and the answer is known."""
    pod = probed(running=None)
    assert pod.probed is not None
    assert met(state(OK), probe(kind), pod, pod.probed.containers[0], born=NOW, now=NOW).result == BAD


@pytest.mark.parametrize(
    ("kind", "want"),
    [
        pytest.param(Kind.READINESS, (BAD, False), id="readiness goes on"),
        pytest.param(Kind.LIVENESS, (OK, True), id="liveness does not"),
        pytest.param(Kind.STARTUP, (OK, True), id="nor does startup"),
    ],
)
def test_a_pod_that_is_deleted_ends_in_quiet(kind: Kind, want: tuple[Result, bool]) -> None:
    """Nothing is restarted any more, but it may still become unready."""
    pod = probed(deleting=True)
    assert pod.probed is not None
    after = met(state(BAD), probe(kind), pod, pod.probed.containers[0], born=NOW, now=NOW)
    assert (after.result, after.held) == want


@pytest.mark.parametrize(
    ("kind", "spec", "running", "started", "startup", "want"),
    [
        pytest.param(Kind.READINESS, {}, 60, None, None, Do.TRY, id="without a startup probe"),
        pytest.param(Kind.READINESS, {}, 60, None, state(None), Do.WAIT, id="while it starts"),
        pytest.param(Kind.LIVENESS, {}, 60, None, state(BAD), Do.WAIT, id="when it has not started in time"),
        pytest.param(Kind.LIVENESS, {}, 60, None, state(OK), Do.TRY, id="once it has started"),
        pytest.param(Kind.STARTUP, {}, 60, None, state(None), Do.TRY, id="startup itself waits for none"),
        pytest.param(Kind.STARTUP, {}, 60, False, state(None), Do.WAIT, id="but for the kubelet's"),
        pytest.param(
            Kind.READINESS, {"initialDelaySeconds": 61}, 60, None, None, Do.WAIT, id="before its delay is over"
        ),
        pytest.param(Kind.READINESS, {"initialDelaySeconds": 59.5}, 60, None, None, Do.TRY, id="after its delay"),
        pytest.param(Kind.READINESS, {}, None, None, None, Do.WAIT, id="while it does not run"),
    ],
)
def test_when_it_is_tried(  # noqa: PLR0917 - a column each
    kind: Kind,
    spec: dict[str, float],
    running: float | None,
    started: bool | None,  # noqa: FBT001 - a column
    startup: State | None,
    want: Do,
) -> None:
    """First the kubelet's startup probe, then ours, then the others; each after its initial delay."""
    pod = probed(running=running, started=started)
    assert pod.probed is not None
    assert due(state(None), probe(kind, **spec), pod.probed.containers[0], startup, NOW) == want


@pytest.mark.parametrize("found", [[OK], [BAD, BAD, BAD]], ids=["started", "did not start"])
def test_startup_is_tried_until_it_is_known(found: list[Result]) -> None:
    """Once a startup probe has an answer, there is nothing to try until there is another container."""
    startup, now = probe(Kind.STARTUP), State("c1")
    for result in found:
        assert not now.held
        now = judged(now, startup, result, "", NOW)
    assert now.held


def test_liveness_goes_on_after_a_failure() -> None:
    """A restart may have to wait; what has come to itself by then needs none."""
    liveness, now = probe(Kind.LIVENESS), State("c1")
    for result in (BAD, BAD, BAD, OK):
        now = judged(now, liveness, result, "", NOW)
    assert now.result == OK


def test_what_is_said_is_of_the_try_that_counted() -> None:
    """The message and the time are those of the transition, not of every try since."""
    readiness, now = probe(failureThreshold=2), State("c1")
    for second in range(4):
        now = judged(now, readiness, BAD, f"failure {second}", NOW + timedelta(seconds=second))
    assert (now.message, now.since) == ("failure 1", NOW + timedelta(seconds=1))
