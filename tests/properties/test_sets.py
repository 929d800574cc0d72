"""StatefulSets in a world where anything may happen at any moment."""

import logging

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties import rights
from tests.properties.conftest import PROFILE
from tests.properties.sets import Sets

UNASKED = (
    ("", "persistentvolumeclaims", "delete"),  # of which an apiserver asks where a claim gets an owner
    ("", "persistentvolumeclaims", "get"),  # where the answer to the creation of a claim is lost
)


def test_order_and_identity_hold_and_all_ends_as_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """Order, bounds and identity hold after every write, and a corrected template is rolled out by itself."""
    caplog.set_level(logging.CRITICAL)
    profile = settings.get_profile(PROFILE)
    fewer = settings(profile, max_examples=profile.max_examples // 3)  # its worlds are larger than a Deployment's
    run_state_machine_as_test(Sets, settings=fewer)
    rights.check("statefulset", unasked=UNASKED)
