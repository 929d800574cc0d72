"""What Prometheus gets to know of Jobs, under upstream's names."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import REGISTRY

from operators.controllers import job_metrics
from operators.core import job as rules
from operators.core.job import Observed
from operators.core.objects import Obj
from operators.core.plan import Outcome
from operators.core.pods import Pod
from operators.runtime.controller import Sync
from tests.support.jobs import all_done, begun, condition, indexed, job, run, seen


@dataclass
class Page:
    """The figures as they were, and by how much they have grown since."""

    before: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self._all()

    @staticmethod
    def _all() -> dict[str, float]:
        found = {}
        for family in REGISTRY.collect():
            for sample in family.samples:
                if sample.name.startswith(("job_controller_", "ttl_after")) and "_bucket" not in sample.name:
                    found[" ".join((sample.name, *sample.labels.values()))] = sample.value
        return found

    @property
    def grown(self) -> dict[str, float]:
        """What has grown, but for durations."""
        now = self._all()
        return {name: now[name] - self.before.get(name, 0) for name in now if now[name] != self.before.get(name, 0)}


@pytest.fixture
def page() -> Page:
    """Return the figures of before the test."""
    return Page()


def sync(observed: Observed, status: Obj | None = None, *, failed: bool = False) -> None:
    """Let a sync end that took two seconds."""
    outcome = all_done(rules.plan(observed))
    job_metrics.ended(observed, Sync(outcome, status, 2.0, failed))


def test_a_sync(page: Page) -> None:
    """Its duration and its number, by mode, result and action."""
    sync(seen(job(), run("a")))
    sync(seen(indexed(1)), failed=True)
    assert page.grown == {
        "job_controller_job_sync_duration_seconds_count NonIndexed success tracking": 1,
        "job_controller_job_sync_duration_seconds_sum NonIndexed success tracking": 2,
        "job_controller_job_syncs_total NonIndexed success tracking": 1,
        "job_controller_job_sync_duration_seconds_count Indexed error pods_created": 1,
        "job_controller_job_sync_duration_seconds_sum Indexed error pods_created": 2,
        "job_controller_job_syncs_total Indexed error pods_created": 1,
        "job_controller_job_pods_creation_total new succeeded": 1,
    }


def test_an_end(page: Page) -> None:
    """The Job, its pods and its indexes."""
    over = begun(
        completedIndexes="0-1",
        succeeded=2,
        failed=3,
        conditions=[condition("SuccessCriteriaMet"), condition("Complete")],
    )
    sync(seen(indexed(2)), over)
    assert (
        page.grown.items()
        >= {
            "job_controller_jobs_finished_total Indexed succeeded Some": 1.0,
            "job_controller_job_pods_finished_total Indexed succeeded": 2.0,
            "job_controller_job_pods_finished_total Indexed failed": 3.0,
            "job_controller_job_finished_indexes_total succeeded global": 2.0,
        }.items()
    )


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        pytest.param(run("a"), run("a", phase="Failed"), "add", id="ends"),
        pytest.param(None, run("a", phase="Succeeded"), "add", id="is found so"),
        pytest.param(run("a", phase="Failed"), run("a", phase="Failed", tracked=False), "delete", id="is let go"),
        pytest.param(run("a", phase="Failed"), None, "delete", id="is gone"),
        pytest.param(run("a", phase="Failed"), run("a", phase="Failed"), None, id="still waits"),
        pytest.param(None, run("a"), None, id="runs"),
    ],
)
def test_pods_that_wait_to_be_counted(page: Page, old: Pod | None, new: Pod | None, want: str | None) -> None:
    """Both directions, so that the difference says how many wait."""
    job_metrics.pod_changed(old, new)
    expected: Any = {f"job_controller_terminated_pods_tracking_finalizer_total {want}": 1} if want else {}
    assert page.grown == expected


def test_a_failure_that_a_policy_handles(page: Page) -> None:
    """By the rule's action."""
    policy = {"rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [1]}}]}
    parent = job(podFailurePolicy=policy, status=begun(uncountedTerminatedPods={"failed": ["uid-a"]}))
    sync(seen(parent, run("a", phase="Failed", code=1)))
    assert page.grown["job_controller_pod_failures_handled_by_failure_policy_total Count"] == 1


def test_anothers_job(page: Page) -> None:
    """By who looks after it; its syncs are none."""
    job_metrics.managed_elsewhere("acme.com/jobs")
    job_metrics.ended(seen(job(managedBy="acme.com/jobs")), Sync(Outcome(), None, 1.0, failed=False))
    assert page.grown == {"job_controller_jobs_by_external_controller_total acme.com/jobs": 1}
