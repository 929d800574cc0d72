"""The profiles of the properties, and the line that says how much was tried.

`PROPERTIES_PROFILE=long` tries many times more worlds, each run others.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.properties.counts import TRIED

settings.register_profile(
    "properties-ci",
    derandomize=True,
    database=None,
    max_examples=500,
    stateful_step_count=40,
    phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "properties-long",
    max_examples=5000,
    stateful_step_count=100,
    print_blob=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
PROFILE = f"properties-{os.environ.get('PROPERTIES_PROFILE', 'ci')}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that sums up what this one has tried."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tried"] = dict(TRIED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what another process has tried."""
    TRIED.update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many steps were tried."""
    if TRIED["worlds"]:
        terminalreporter.write_line(
            f"properties: {TRIED['worlds']} worlds, {TRIED['steps']} steps, {TRIED['writes']} writes checked"
        )
