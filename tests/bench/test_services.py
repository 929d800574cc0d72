"""What the benchmark makes of what it sees of pods and slices."""

import asyncio

import pytest

from operators.core.objects import Obj
from tests.bench.services import Endpoints
from tests.support.virtual import virtual


def pod(name: str, *, ready: bool = True) -> Obj:
    """Return a pod, and whether it is ready."""
    return {"metadata": {"uid": name}, "status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}


def listing(*pods: str, name: str = "web-1", kept_out: tuple[str, ...] = ()) -> Obj:
    """Return a slice with endpoints for pods, and for some that are not ready."""
    told = [(uid, True) for uid in pods] + [(uid, False) for uid in kept_out]
    endpoints = [{"targetRef": {"uid": uid}, "conditions": {"ready": ready}} for uid, ready in told]
    return {"metadata": {"name": name}, "endpoints": endpoints}


@pytest.mark.parametrize(
    ("pods", "slices"),
    [
        pytest.param([pod("a")], [listing("a")], id="one is missing"),
        pytest.param([pod("a"), pod("b")], [listing("a", kept_out=("b",))], id="one is listed as not ready"),
        pytest.param([pod("a"), pod("b", ready=False)], [listing("a", "b")], id="one is not ready"),
        pytest.param([pod("a"), pod("c")], [listing("a", "b")], id="another one is listed"),
    ],
)
@virtual
async def test_not_all_there(pods: list[Obj], slices: list[Obj]) -> None:
    """It waits until every pod is ready, and each is listed so."""
    endpoints = Endpoints()
    for obj in pods:
        endpoints.pod("ADDED", obj)
    for slice_ in slices:
        endpoints.slice("ADDED", slice_)
    with pytest.raises(TimeoutError):
        await endpoints.until(2, at_most=1)


@virtual
async def test_a_rollout() -> None:
    """Every write counts from when it is told to, and only pods that are new have a time."""
    endpoints = Endpoints()
    endpoints.pod("ADDED", pod("old"))
    endpoints.slice("ADDED", listing("old"))
    endpoints.forget()
    for uid in ("a", "b"):
        endpoints.pod("ADDED", pod(uid))
    endpoints.slice("MODIFIED", listing("old", "a", "b"))
    endpoints.pod("DELETED", pod("old"))
    waiting = asyncio.create_task(endpoints.until(2, at_most=1))
    endpoints.slice("MODIFIED", listing("a", "b"))
    await waiting
    figures = endpoints.figures()
    assert figures["slices written"] == (2, "")
    assert 0 <= figures["Ready to endpoint, p99"][0] < 1
