"""Kubernetes Events: counted up, combined and limited by upstream's figures."""

from operators.core.objects import Obj
from operators.core.plan import Say
from operators.runtime.client import ApiError
from operators.runtime.events import Recorder
from tests.runtime.scripted import Scripted
from tests.support.builders import NOW, deployment


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def recorder(answers: int = 100) -> tuple[Scripted, Recorder, Clock]:
    """Return a recorder whose events all arrive."""
    client, clock = Scripted([{} for _ in range(answers)]), Clock()
    return client, Recorder(client, "deployment-controller", clock, lambda: NOW), clock


def said(client: Scripted) -> list[tuple[str, Obj]]:
    """Return method and body of what was sent."""
    return [(sent.method, sent.body or {}) for sent in client.sent]


def say(message: str = "Scaled up", reason: str = "ScalingReplicaSet") -> Say:
    """Return an event."""
    return Say("Normal", reason, message)


async def test_an_event_says_what_and_about_whom() -> None:
    """Clients find it by the object's kind and UID, and people by its component."""
    client, events, _ = recorder()
    events.record(deployment("web"), say())
    await events.flush()
    ((method, body),) = said(client)
    assert method == "POST"
    assert client.sent[0].url == "/api/v1/namespaces/ns/events"
    assert (body["type"], body["reason"], body["message"], body["count"]) == (
        "Normal",
        "ScalingReplicaSet",
        "Scaled up",
        1,
    )
    assert body["source"] == {"component": "deployment-controller"}
    about = body["involvedObject"]
    assert (about["apiVersion"], about["kind"], about["name"], about["uid"]) == (
        "kopfwerk.dev/v1",
        "Deployment",
        "web",
        "uid-web",
    )


async def test_equal_events_are_counted_up() -> None:
    """The second of the same is no second event."""
    client, events, _ = recorder()
    for _ in range(3):
        events.record(deployment(), say())
        await events.flush()
    assert [(method, body["count"]) for method, body in said(client)] == [("POST", 1), ("PATCH", 2), ("PATCH", 3)]


async def test_an_event_that_has_run_out_is_written_anew() -> None:
    """The apiserver forgets events after an hour; counting up one that is gone makes it again."""
    client, events, _ = recorder()
    client.answers = [{}, ApiError(404, "NotFound", "gone"), {}]
    events.record(deployment(), say())
    events.record(deployment(), say())
    await events.flush()
    assert [sent.method for sent in client.sent] == ["POST", "PATCH", "POST"]


async def test_many_of_a_kind_are_combined_until_ten_minutes_have_passed() -> None:
    """Ten that differ are told apart, the eleventh stands for the rest."""
    client, events, clock = recorder()
    for number in range(12):
        events.record(deployment(), say(f"Scaled to {number}"))
    await events.flush()
    messages = [body["message"] for _, body in said(client)]
    assert messages[9] == "Scaled to 9"
    assert messages[10:] == [f"(combined from similar events): Scaled to {number}" for number in (10, 11)]
    assert [method for method, _ in said(client)][10:] == ["POST", "PATCH"]
    clock.now = 601
    events.record(deployment(), say("Scaled to 99"))
    await events.flush()
    assert said(client)[-1][1]["message"] == "Scaled to 99"


async def test_one_object_gets_25_at_once_and_then_one_in_five_minutes() -> None:
    """An object that is talked about without end does not fill etcd; others are not affected."""
    client, events, clock = recorder()

    for number in range(30):
        events.record(deployment("loud"), say(reason=f"Reason{number}"))
    await events.flush()
    assert len(client.sent) == 25
    events.record(deployment("quiet"), say())
    await events.flush()
    assert len(client.sent) == 26
    clock.now = 300
    events.record(deployment("loud"), say(reason="Later"))
    events.record(deployment("loud"), say(reason="TooSoon"))
    await events.flush()
    assert [sent.body["reason"] for sent in client.sent[26:] if sent.body] == ["Later"]


async def test_a_refused_event_stops_no_other() -> None:
    """An event that the apiserver will not have is dropped."""
    client, events, _ = recorder()
    client.answers = [ApiError(403, "Forbidden", "no"), {}]
    events.record(deployment("one"), say())
    events.record(deployment("two"), say())
    await events.flush()
    assert len(client.sent) == 2
