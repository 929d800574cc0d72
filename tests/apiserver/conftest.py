"""The apiserver that these tests talk to: that of an embedded cluster, started once."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from operators.cluster.cluster import Settings
from operators.runtime.client import ApiError, Client
from tests.apiserver import plugin_cli, validation
from tests.apiserver.plugin_cli import CommandLine
from tests.support.cluster import Shared, shared

BARE = Settings(name="apiserver", nodes=0, operator=False)
"""No nodes and no operator: these tests are about the apiserver, and call the webhook's function themselves."""


@pytest.fixture(scope="session")
def kubeconfig(run_folder: Path) -> Iterator[Path]:
    """Return an administrator's kubeconfig; KOPFWERK_TEST_KUBECONFIG names that of a cluster that runs already."""
    if present := os.environ.get("KOPFWERK_TEST_KUBECONFIG"):
        yield Path(present)
        return
    with shared(BARE, run_folder) as cluster:
        yield cluster.kubeconfig


@pytest.fixture
async def client(kubeconfig: Path) -> AsyncIterator[Client]:
    """Return the runtime's client, as administrator; the namespace of the comparisons exists."""
    async with await Client.connect(str(kubeconfig)) as connected:
        with contextlib.suppress(ApiError):
            await connected.request("POST", "/api/v1/namespaces", {"metadata": {"name": validation.NAMESPACE}})
        yield connected


@pytest.fixture
def shell(whole: Shared, unique: str) -> Iterator[CommandLine]:
    """Return kubectl and the plugin in a namespace of their own, on the cluster that has both sides."""
    yield from plugin_cli.namespace(whole.kubeconfig, unique)
