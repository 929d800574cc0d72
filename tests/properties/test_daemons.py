"""DaemonSets in a world where anything may happen at any moment."""

import logging

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties import rights
from tests.properties.conftest import PROFILE
from tests.properties.daemons import Daemons


def test_places_and_bounds_hold_and_all_ends_as_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """One pod on each node, bounds and back-off hold after every write, whatever fails, and all comes to rest."""
    caplog.set_level(logging.CRITICAL)
    profile = settings.get_profile(PROFILE)
    fewer = settings(profile, max_examples=profile.max_examples // 3)  # its worlds are larger than a Deployment's
    run_state_machine_as_test(Daemons, settings=fewer)
    rights.check("daemonset")
