"""The Job by which a CronJob is run now."""

import pytest

from operators.core.kubectl.kinds import Refused
from operators.core.kubectl.running import job_from
from tests.support.builders import deployment
from tests.support.cronjobs import TEMPLATE, cronjob


@pytest.mark.parametrize("group", ["batch", "kopfwerk.dev"])
def test_the_job_is_the_templates_and_the_cronjobs(group: str) -> None:
    """As kubectl makes it of a built-in CronJob: annotated, controlled, blocking nothing."""
    assert job_from(cronjob(group=group), "now") == {
        "apiVersion": f"{group}/v1",
        "kind": "Job",
        "metadata": {
            "name": "now",
            "namespace": "ns",
            "labels": {"app": "tick"},
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual", "note": "mine"},
            "ownerReferences": [
                {"apiVersion": f"{group}/v1", "kind": "CronJob", "name": "tick", "uid": "uid-tick", "controller": True}
            ],
        },
        "spec": TEMPLATE["spec"],
    }


def test_without_a_name_one_is_drawn() -> None:
    """Which leaves room for what names of pods have in addition."""
    made = cronjob()
    made["metadata"]["name"] = "x" * 52
    assert job_from(made)["metadata"]["generateName"] == f"{'x' * 50}-manual-"


def test_nothing_else_can_be_run() -> None:
    """Of other kinds there is no template of a Job."""
    with pytest.raises(Refused, match="only a CronJob can be run now"):
        job_from(deployment())
