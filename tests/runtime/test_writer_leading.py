"""What the writer sends, and what it remembers, while the lease or an answer is lost."""

import pytest

from operators.core.objects import PODS, Key, Obj, replicasets
from operators.core.plan import Batch, Create, Delete, Failure, Plan, Target
from operators.runtime import writer as module
from operators.runtime.client import IN_FLIGHT, ApiError
from operators.runtime.events import Recorder
from operators.runtime.freshness import Freshness
from operators.runtime.informer import Informer, Informers
from operators.runtime.writer import NotLeadingError, Writer
from tests.runtime.scripted import Answer, Scripted, thing
from tests.support.builders import replicaset

REPLICASETS = replicasets("kopfwerk.dev")
KEY: Key = ("ns", "rs")
PARENT = replicaset()
NO_ANSWER = ApiError(0, "NoAnswer", "timed out")
MISSING = ApiError(404, "NotFound", "gone")
CREATE = Create(PODS, {"metadata": {"generateName": "rs-"}, "spec": {}})
DELETE = Delete(Target(PODS, "ns", "a", "uid-a"))


class World:
    """A writer with its client, cache and memory."""

    def __init__(self, *answers: Answer) -> None:
        self.leads = True
        self.client = Scripted(list(answers))
        self.cache: Informer[Obj] = Informer(self.client, PODS, lambda obj: obj, {})
        informers = Informers()
        informers.add(self.cache)
        self.fresh = Freshness(informers)
        self.writer = Writer(self.client, Recorder(self.client, "test"), lambda: self.leads)

    def lose_the_lease(self, _: Obj | None) -> Obj:
        """Answer a write, the last that is allowed."""
        self.leads = False
        return thing("pod", 5)

    @property
    def is_stale(self) -> bool:
        """Whether the key has to wait for the cache."""
        return self.fresh.lagging(KEY, lambda: None) is not None


@pytest.fixture(autouse=True)
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRIES", 1)


async def test_a_write_that_waited_for_its_turn_is_not_sent_once_the_lease_is_lost() -> None:
    """Whether this process may write is asked after the waiting, not before."""
    world = World()
    world.client.answers = [world.lose_the_lease, *[thing("pod", 6)] * (2 * IN_FLIGHT)]
    with pytest.raises(NotLeadingError):
        await world.writer.apply(REPLICASETS, PARENT, Plan((Batch((CREATE,) * 2 * IN_FLIGHT),)), world.fresh)
    assert len(world.client.sent) == IN_FLIGHT


async def test_a_request_that_the_client_holds_back_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long an overloaded apiserver asks to wait, a write is over before another process may lead."""
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.01)
    world = World()  # never answers
    outcome = await world.writer.apply(REPLICASETS, PARENT, Plan((Batch((CREATE,)),)), world.fresh)
    [(_, result)] = outcome.results
    assert isinstance(result, Failure)
    assert result.status == 0


@pytest.mark.parametrize(
    ("step", "live", "want"),
    [
        pytest.param(CREATE, thing("pod", 5), True, id="a pod that was made after all is waited for"),
        pytest.param(CREATE, MISSING, False, id="one that was not is not"),
        pytest.param(DELETE, MISSING, True, id="a pod that is gone has to be so in the cache too"),
        pytest.param(DELETE, thing("a", 1), False, id="one that is still there as it was may be deleted again"),
    ],
)
async def test_what_came_of_a_write_without_an_answer_is_asked_first(
    step: Create | Delete, live: Answer, *, want: bool
) -> None:
    """The key is planned again only when the cache shows what the apiserver has."""
    world = World(NO_ANSWER, live)
    world.cache._store(thing("a", 1))
    world.cache._advance(1)
    await world.writer.apply(REPLICASETS, PARENT, Plan((Batch((step,)),)), world.fresh)
    await world.writer.settle(KEY, world.fresh)
    assert [sent.method for sent in world.client.sent][1:] == ["GET"]
    assert world.is_stale is want


async def test_a_lost_answer_stays_to_be_asked_for_while_there_is_none() -> None:
    """An apiserver that does not answer this either fails the sync, and the next one asks again."""
    world = World(NO_ANSWER, NO_ANSWER, thing("pod", 5))
    await world.writer.apply(REPLICASETS, PARENT, Plan((Batch((CREATE,)),)), world.fresh)
    with pytest.raises(ApiError):
        await world.writer.settle(KEY, world.fresh)
    await world.writer.settle(KEY, world.fresh)
    assert world.is_stale


async def test_a_name_whose_holder_is_gone_by_now_is_free() -> None:
    """A create that met a pod which was then deleted is sent again."""
    world = World(ApiError(409, "AlreadyExists", "taken"), MISSING, thing("pod", 5))
    outcome = await world.writer.apply(REPLICASETS, PARENT, Plan((Batch((CREATE,)),)), world.fresh)
    assert outcome.results == ((CREATE, thing("pod", 5)),)
