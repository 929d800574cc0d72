"""The benchmark's own watch, from which its times are."""

from typing import Any

import pytest

from operators.core.objects import Obj, replicasets
from tests.bench.following import Following
from tests.runtime.scripted import Scripted
from tests.support.virtual import virtual

RESOURCE = replicasets("apps")


def thing(name: str, ready: int, *, generation: int = 1) -> Obj:
    """Return an object with so many of what is waited for."""
    return {"metadata": {"name": name, "generation": generation, "resourceVersion": "7"}, "ready": ready}


def listed(*items: Obj) -> Obj:
    """Return the answer to a list."""
    return {"metadata": {"resourceVersion": "5"}, "items": list(items)}


def line(kind: str, obj: Obj) -> Obj:
    """Return an event of a watch."""
    return {"type": kind, "object": obj}


def is_ready(obj: Obj) -> bool:
    """What is waited for."""
    return bool(obj["ready"])


async def waited(items: list[Obj], events: list[Obj], **how: Any) -> list[str]:
    """Follow until what is waited for has come, and return from where was watched."""
    client = Scripted([listed(*items)])
    for event in events:
        client.events.put_nowait(event)
    async with Following.start(client, RESOURCE, "ns") as following:  # type: ignore[arg-type]
        await following.until(is_ready, at_most=5, **how)
    return client.watched_from


@virtual
async def test_what_is_there_counts() -> None:
    """Nothing has to change for it."""
    await waited([thing("a", 1)], [])


@virtual
async def test_what_comes_counts() -> None:
    """The watch goes on where the list ended."""
    assert (await waited([thing("a", 0)], [line("MODIFIED", thing("a", 1))]))[:1] == ["5"]


@pytest.mark.parametrize(
    ("events", "how"),
    [
        pytest.param([], {}, id="nothing comes"),
        pytest.param([line("MODIFIED", thing("a", 1))], {"count": 2}, id="one of two"),
        pytest.param([line("MODIFIED", thing("a", 1))], {"generation": 2}, id="the one of before"),
        pytest.param(
            [line("ADDED", thing("b", 1)), line("DELETED", thing("b", 1)), line("ADDED", thing("c", 1))],
            {"count": 2},
            id="one goes before the other comes",
        ),
    ],
)
def test_what_is_not_there_is_waited_for_in_vain(events: list[Obj], how: dict[str, Any]) -> None:
    """The error says how far it got."""

    @virtual
    async def scenario() -> None:
        with pytest.raises(TimeoutError, match=r"^[01] of"):
            await waited([thing("a", 0)], events, **how)

    scenario()
