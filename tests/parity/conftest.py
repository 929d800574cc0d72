"""A pair of namespaces for each scenario."""

from collections.abc import AsyncIterator

import pytest

from operators.core.objects import KOPFWERK
from operators.runtime.client import Client
from tests.parity.pair import Pair, Side


@pytest.fixture
async def pair(admin: Client, unique: str) -> AsyncIterator[Pair]:
    """Return both sides of a comparison, each in a namespace of its own."""
    made = Pair(Side(admin, "apps", f"{unique}-up"), Side(admin, KOPFWERK, f"{unique}-our"))
    for side in (made.upstream, made.ours):
        await admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": side.namespace}})
    yield made
    for side in (made.upstream, made.ours):
        await admin.request("DELETE", f"/api/v1/namespaces/{side.namespace}")
