"""The page for Prometheus: every format, compressed where that is asked for, and made beside the event loop."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.samples import Sample

from operators.cluster import ports
from operators.runtime.manager import Manager
from operators.runtime.operator import _served
from operators.runtime.state import StateMetrics
from tests.runtime.scripted import Scripted

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
async def served(states: StateMetrics) -> AsyncIterator[str]:
    """Serve the page, and return its address."""
    listen = f"127.0.0.1:{ports.choose().operator}"
    async with _served(listen, Manager(Scripted(), (), None), states):
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


async def test_it_is_made_beside_the_event_loop() -> None:
    """Thousands of series take a second, for which the lease could not wait."""
    states = Many()
    async with served(states) as url, aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200

    assert states.threads
    assert threading.get_ident() not in states.threads
