"""ReplicaSets and Deployments in a world where anything may happen at any moment."""

import logging

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties import rights
from tests.properties.conftest import PROFILE
from tests.properties.machine import Workloads


def test_no_rule_is_ever_broken_and_all_ends_as_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """The invariants hold after every write, all comes to its fixed point, and that takes every right declared."""
    caplog.set_level(logging.CRITICAL)
    run_state_machine_as_test(Workloads, settings=settings.get_profile(PROFILE))
    rights.check("replicaset", "deployment")
