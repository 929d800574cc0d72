"""A namespace for each test, on the cluster that kubectl points at, with the chart installed (`make e2e`)."""

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell, run

_NUMBERS = itertools.count(1)


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Return kubectl in a namespace of the test's own."""
    made = Shell(f"e2e-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{next(_NUMBERS)}")
    run("kubectl", "create", "namespace", made.namespace)
    yield made
    run("kubectl", "delete", "namespace", made.namespace, "--wait=false", "--ignore-not-found")
