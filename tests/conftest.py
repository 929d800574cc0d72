"""The clusters that tests share, and a namespace for each test."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from operators.runtime.client import Client
from tests.support.cluster import NATIVE, WHOLE, Shared, shared

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def whole(run_folder: Path) -> Iterator[Shared]:
    """Return the cluster that has upstream's controllers and ours."""
    with shared(WHOLE, run_folder) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def native(run_folder: Path) -> Iterator[Shared]:
    """Return the cluster whose apps/v1 is ours."""
    with shared(NATIVE, run_folder) as cluster:
        yield cluster


@pytest.fixture
async def admin(whole: Shared) -> AsyncIterator[Client]:
    """Return an administrator's client to the cluster that has both."""
    async with await Client.connect(str(whole.kubeconfig)) as client:
        yield client


@pytest.fixture
def unique() -> str:
    """Return a name that no other test of this run has."""
    return f"t{next(_NUMBERS)}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
