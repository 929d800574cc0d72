"""The page for Prometheus: every format, compressed where that is asked for, and made beside the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NoReturn

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.samples import Sample

from operators.cluster import ports
from operators.runtime.admission import Server
from operators.runtime.operator import _served
from operators.runtime.state import StateMetrics

MANY = 5_000


class Many(StateMetrics):
    """Has many series, and notes the thread on which it is asked for them."""

    def __init__(self) -> None:
        super().__init__((), {}, lambda: True)
        self.threads: set[int] = set()

    def collect(self) -> Iterator[Metric]:
        """Yield one metric of many series."""
        self.threads.add(threading.get_ident())
        metric = Metric("many", "Many", "gauge")
        metric.samples = [Sample("many", {"name": f"web-{i}"}, i) for i in range(MANY)]
        yield metric


@asynccontextmanager
async def served(states: StateMetrics, lacks: str = "") -> AsyncIterator[str]:
    """Serve the page, and return its address."""
    listen = f"127.0.0.1:{ports.choose().operator}"
    async with _served(listen, lambda: lacks, states):
        yield f"http://{listen}/metrics"


@pytest.mark.parametrize(
    ("accept", "want_type"),
    [
        pytest.param("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8", id="text"),
        pytest.param(
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            id="openmetrics",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_formats(accept: str, want_type: str, encoding: str) -> None:
    """Whoever asks gets the format and the encoding that it asks for, whole."""
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    async with served(Many()) as url, aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        text = await answer.text()

    assert answer.headers["Content-Type"] == want_type
    assert answer.headers.get("Content-Encoding", "identity") == encoding
    assert text.count("\nmany{") == MANY


@pytest.mark.parametrize(
    ("lacks", "want"),
    [pytest.param("", (200, "ok"), id="ready"), pytest.param("a thing", (503, "a thing\n"), id="not ready")],
)
async def test_readiness_says_what_is_missing(lacks: str, want: tuple[int, str]) -> None:
    """What is lacking is in the answer, which the kubelet puts into an event."""
    async with (
        served(Many(), lacks) as url,
        aiohttp.ClientSession() as session,
        session.get(url.replace("metrics", "readyz")) as answer,
    ):
        assert (answer.status, await answer.text()) == want


async def test_the_webhook_knows_whether_it_listens() -> None:
    """It does from when a connection can be made until it is told to end."""

    async def never(*_: object, **__: object) -> NoReturn:
        raise AssertionError

    port = ports.choose().webhook
    server = Server(addr="127.0.0.1", port=port, insecure=True)
    assert not server.listens
    async with server:
        await anext(server(never))
        assert server.listens
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
    assert not server.listens


async def test_it_is_made_beside_the_event_loop() -> None:
    """Thousands of series take a second, for which the lease could not wait."""
    states = Many()
    async with served(states) as url, aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200

    assert states.threads
    assert threading.get_ident() not in states.threads
