"""What is wrong with one object, one event or one file stops nothing else."""

import asyncio

import pytest
from kubernetes.aio.client.configuration import Configuration

from operators.core import pods
from operators.core.objects import PODS, Obj, replicasets
from operators.core.plan import Say
from operators.runtime.client import ApiError, Client
from operators.runtime.events import Recorder
from operators.runtime.informer import Informer, Informers
from operators.runtime.wake import obj_indexers, owners, pod_indexers
from tests.runtime.scripted import Scripted, page
from tests.support.builders import pod, replicaset

REPLICASETS = replicasets("kopfwerk.dev")


async def test_an_event_that_cannot_be_sent_does_not_hold_up_the_next() -> None:
    """A defect in sending one is logged; the others are sent."""

    def defect(_: Obj | None) -> Obj:
        raise TypeError

    client = Scripted([defect, {}])
    recorder = Recorder(client, "test")
    for name in ("first", "second"):
        recorder.record(replicaset(name), Say("Normal", "Tested", "said"))
    task = asyncio.create_task(recorder.run())
    while client.answers and not task.done():  # noqa: ASYNC110 - it takes a few turns of the loop
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [sent.body["involvedObject"]["name"] for sent in client.sent if sent.body] == ["first", "second"]


async def test_credentials_that_cannot_be_read_are_an_answer_that_did_not_come() -> None:
    """A token file that is being replaced costs one request, not the process."""

    def unreadable(_: Configuration) -> None:
        raise FileNotFoundError

    configuration = Configuration(host="http://127.0.0.1:9")
    configuration.api_key["BearerToken"] = "old"
    configuration.refresh_api_key_hook = unreadable
    async with Client(configuration) as client:
        with pytest.raises(ApiError) as error:
            await client.request("GET", "/version")
    assert error.value.is_ambiguous


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"spec": {"selector": {"matchExpressions": [{"key": "app", "operator": "Like"}]}}}, id="operator"),
        pytest.param({"spec": {"selector": "app=web"}}, id="selector of another type"),
        pytest.param({"spec": {"selector": {}}}, id="empty selector"),
        pytest.param({"spec": None}, id="no spec"),
    ],
)
async def test_a_parent_without_a_readable_selector_leaves_an_orphan_to_the_others(broken: Obj) -> None:
    """The ReplicaSets whose selectors take it are woken, whatever else is in the namespace."""
    client = Scripted([page(replicaset("a") | broken, replicaset("b"))])
    parents: Informer[Obj] = Informer(client, REPLICASETS, lambda obj: obj, obj_indexers())
    await parents._list("test")
    informers = Informers()
    informers.add(parents)
    informers.add(Informer(client, PODS, pods.parse, pod_indexers()))
    assert list(owners(REPLICASETS)(informers, None, pod("orphan"))) == [("ns", "b")]
