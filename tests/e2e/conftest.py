"""A namespace for each test, on the cluster that kubectl points at, with the chart installed (`make e2e`)."""

import time
import uuid
from collections.abc import Generator, Iterator

import pytest

from tests.e2e.evidence import evidence
from tests.e2e.shell import NAMESPACE, Shell, run

_BEGAN = pytest.StashKey[float]()


@pytest.fixture
def words() -> type[Shell]:
    """Return the kind of shell: what it makes of a test's words."""
    return Shell


@pytest.fixture
def shell(words: type[Shell]) -> Iterator[Shell]:
    """Return kubectl in a namespace of the test's own."""
    made = words(f"e2e-{uuid.uuid4().hex[:8]}")
    run("kubectl", "create", "namespace", made.namespace)
    yield made
    run("kubectl", "delete", "namespace", made.namespace, "--wait=false", "--ignore-not-found")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what there was to see on the cluster."""
    report = yield
    began = item.stash.setdefault(_BEGAN, call.start)
    if report.failed:
        used = getattr(item, "funcargs", {}).get("shell")
        namespace = used.namespace if isinstance(used, Shell) else NAMESPACE
        report.sections += evidence(namespace, time.time() - began + 10)
    return report
