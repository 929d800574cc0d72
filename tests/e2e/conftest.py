"""A namespace for each test, on the cluster that kubectl points at, with the chart installed (`make e2e`)."""

import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell, run


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Return kubectl in a namespace of the test's own."""
    made = Shell(f"e2e-{uuid.uuid4().hex[:8]}")
    run("kubectl", "create", "namespace", made.namespace)
    yield made
    run("kubectl", "delete", "namespace", made.namespace, "--wait=false", "--ignore-not-found")
