"""A pod whose victims kube-scheduler has seen gone, and our watch has not, evicts nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from operators.core.objects import Obj
from operators.scheduler import node as machines
from operators.scheduler import pod as pods
from operators.scheduler import server
from operators.scheduler.extender import Extender
from operators.scheduler.rules import rules
from operators.scheduler.server import Server, served
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import member, node, pod, pod_object, snapshot
from tests.scheduler.test_server import Apiserver

ASKS: Obj = pod_object("asks", cpu="4", priority=10)
NOMINATED: Obj = ASKS | {"status": {"nominatedNodeName": "a"}}


@pytest.fixture
def nodes() -> Snapshot:
    """Return two nodes, each full with a pod that is less important than the one that asks."""
    full = (pod("on-a", node="a", cpu="4", priority=1), pod("on-b", node="b", cpu="4", priority=2))
    return snapshot(node("a"), node("b"), placed=full)


@pytest.fixture
async def session(nodes: Snapshot) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session to an extender that has been asked whom to evict, and has named one pod on each node."""
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0)
    async with (
        served(Server(extender, Apiserver(), lambda: True).application(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as opened,
    ):
        asked = {"Pod": ASKS, "NodeNameToMetaVictims": {"a": {}, "b": {}}}
        async with opened.post("/scheduler/preempt", json=asked) as response:
            assert set((await response.json())["NodeNameToMetaVictims"]) == {"a", "b"}
        yield opened


async def filtered(session: aiohttp.ClientSession, asks: Obj, *names: str) -> list[str]:
    """Ask where a pod goes."""
    async with session.post("/scheduler/filter", json={"Pod": asks, "NodeNames": list(names)}) as response:
        return list((await response.json())["NodeNames"])


@pytest.mark.parametrize(
    ("asks", "names"),
    [
        pytest.param(NOMINATED, ("a",), id="asked about the node that it is nominated to"),
        pytest.param(NOMINATED, ("a", "b"), id="asked about all"),
        pytest.param(ASKS, ("a",), id="before the nomination is seen"),
    ],
)
async def test_it_is_waited_for(
    session: aiohttp.ClientSession,
    nodes: Snapshot,
    asks: Obj,
    names: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer comes with the news, and is the node."""
    monkeypatch.setattr(server, "BEHIND_AT_MOST", 30.0)
    asking = asyncio.create_task(filtered(session, asks, *names))
    await asyncio.wait([asking], timeout=0.05)
    assert not asking.done()

    nodes.remove_pod("uid-on-a")
    assert await asking == ["a"]


async def test_nobody_waits_while_victims_end(session: aiohttp.ClientSession) -> None:
    """kube-scheduler refuses their node by itself as long as it sees them, and asks about others."""
    assert await filtered(session, NOMINATED, "b") == []


@pytest.mark.parametrize(
    "asks",
    [
        pytest.param(pod_object("late", cpu="4"), id="a pod"),
        pytest.param(member("late", minimum=2, cpu="2"), id="one of a group"),
    ],
)
async def test_a_refusal_waits_for_news(
    session: aiohttp.ClientSession, nodes: Snapshot, asks: Obj, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kube-scheduler asks because of, it may have seen just before our watch does; nothing else wakes the pod."""
    told = {"type": "PodScheduled", "message": "0/2 nodes are available: 2 node(s) wait for group g: ..."}
    nodes.put_pod(pods.parse(member("other", minimum=2, cpu="2") | {"status": {"conditions": [told]}}))
    monkeypatch.setattr(server, "NEWS_AT_MOST", 30.0)
    asking = asyncio.create_task(filtered(session, asks, "a", "b"))
    await asyncio.wait([asking], timeout=0.05)
    nodes.put_node(machines.parse(node("b", unschedulable=True)))
    await asyncio.wait([asking], timeout=0.05)
    assert not asking.done(), "that was not the news"

    nodes.remove_pod("uid-on-a")
    assert await asking == ["a"]


async def test_few_refusals_wait(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many pods are refused, others are not to wait for that."""
    monkeypatch.setattr(server, "NEWS_AT_MOST", 1.0)
    began = time.monotonic()
    for number in range(10):
        assert await filtered(session, pod_object(f"p{number}", cpu="4"), "a", "b") == []
    assert time.monotonic() - began < 9


async def test_not_for_ever(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no news comes the pod is refused."""
    monkeypatch.setattr(server, "BEHIND_AT_MOST", 0.01)
    assert await filtered(session, NOMINATED, "a") == []
