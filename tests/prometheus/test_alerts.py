"""Each alert is fired once on purpose, and calms down where what causes it is over."""

import itertools
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from operators.cluster import ports
from tests.parity.manifests import template
from tests.prometheus.world import NAMESPACE, QUOTA, SLOW, World
from tests.support.prometheus import RULES, SCHEDULER, Programs, hastened, until

LONG: Final = Path(__file__).with_name("rules_test.yaml")
"""promtool's tests, of what takes too long to happen here."""
DOCUMENT: Final = Path(__file__).parents[2] / "docs/operate.md"

TROUBLE: Final = [
    pytest.param(
        "KopfwerkDeploymentStuck", {"deployment": "stuck", "reason": "ProgressDeadlineExceeded"}, id="rollout"
    ),
    pytest.param("KopfwerkDeploymentReplicasMismatch", {"deployment": "stuck"}, id="deployment"),
    pytest.param("KopfwerkStatefulSetStuck", {"statefulset": "stuck"}, id="rollout-of-a-statefulset"),
    pytest.param("KopfwerkStatefulSetReplicasMismatch", {"statefulset": "stuck"}, id="statefulset"),
    pytest.param("KopfwerkJobFailed", {"job_name": "stuck", "reason": "BackoffLimitExceeded"}, id="job"),
    pytest.param("KopfwerkCronJobLate", {"cronjob": "stuck"}, id="cronjob"),
    pytest.param("KopfwerkPodProbeFailing", {"podprobe": "stuck", "probe": "readiness"}, id="podprobe"),
]
"""Alerts on the workloads that the world has."""

PROVOKED: Final = {
    "KopfwerkDeploymentReplicaFailure",
    "KopfwerkSyncErrors",
    "KopfwerkQueueGrowing",
    "KopfwerkDown",
    "KopfwerkReplicaDown",
    "KopfwerkNoLeader",
    "KopfwerkApiserverErrors",
    "KopfwerkSeveralLeaders",
    "KopfwerkWebhookCertificateExpiring",
    "KopfwerkStateMetricsOmitted",
    "KopfwerkSchedulerDown",
    "KopfwerkSchedulerReplicaDown",
}
"""Alerts that the tests below provoke."""


def alerts() -> dict[str, dict[str, Any]]:
    """Return each alert of the rules by its name."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_promtool_finds_no_fault(programs: Programs, tmp_path: Path) -> None:
    """The rules are good, and so are the hastened ones."""
    (tmp_path / "rules.yaml").write_text(hastened(RULES.read_text()))

    programs.check("check", "rules", str(RULES))
    programs.check("check", "rules", str(tmp_path / "rules.yaml"))


def test_those_that_take_long(programs: Programs) -> None:
    """Promtool plays them through with the rules' own durations; what is healthy stays quiet."""
    programs.check("test", "rules", str(LONG))


def test_each_alert_is_fired_somewhere() -> None:
    """A new alert without a test of its own is noticed."""
    played = yaml.safe_load(LONG.read_text())["tests"]
    fired = {case["alertname"] for test in played for case in test["alert_rule_test"] if case["exp_alerts"]}

    assert fired | PROVOKED | {str(param.values[0]) for param in TROUBLE} == set(alerts())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_each_alert_says_what_to_do(name: str) -> None:
    """It has a severity, a summary and a description, and the document that it refers to has its section."""
    rule = alerts()[name]

    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["annotations"]["runbook_url"] == f"docs/operate.md#{name.lower()}"
    assert f"\n### {name}\n" in DOCUMENT.read_text()


@pytest.mark.parametrize(("alert", "want_labels"), TROUBLE)
def test_workloads_in_trouble(world: World, alert: str, want_labels: dict[str, str]) -> None:
    """Pods that are never ready are noticed; a healthy workload beside them is not."""
    fired = world.fires(alert, namespace=NAMESPACE, **want_labels)

    assert "stuck" in fired["annotations"]["description"]
    assert not [a for a in world.prometheus.firing(alert) if "healthy" in a["labels"].values()]


def test_refused_pods(world: World) -> None:
    """Where a quota allows no pod, the Deployments say so, and many syncs end in errors."""
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template()}
    tries = itertools.count()

    def fires() -> list[dict[str, Any]]:
        """Ask, and now and then create one more: the more often one is tried, the later it is tried again."""
        if (number := next(tries)) % 5 == 0:
            world.create("deployments", QUOTA, spec, f"web-{number}")
        return [one for one in world.prometheus.firing("KopfwerkSyncErrors") if one["labels"]["name"] == "replicaset"]

    until(fires, "KopfwerkSyncErrors does not fire")
    world.fires("KopfwerkDeploymentReplicaFailure", namespace=QUOTA, reason="FailedCreate")


def test_work_that_comes_faster_than_it_is_done(world: World) -> None:
    """A queue that grows is noticed, and is worked off once the apiserver answers as it should."""
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template()}
    names = (f"web-{number}" for number in itertools.count())

    def fires() -> list[dict[str, Any]]:
        world.create("deployments", SLOW, spec, next(names))
        return [one for one in world.prometheus.firing("KopfwerkQueueGrowing") if one["labels"]["name"] == "replicaset"]

    with world.slow_pods(SLOW):
        until(fires, "KopfwerkQueueGrowing does not fire")
    world.is_quiet("KopfwerkQueueGrowing")


def test_no_operator(world: World) -> None:
    """Where none answers, both the replica and the whole are reported."""
    with world.without_operator():
        world.fires("KopfwerkReplicaDown", instance=world.target)
        world.fires("KopfwerkDown")
    world.is_quiet("KopfwerkDown")


def test_no_leader(world: World) -> None:
    """Where another has the Lease and does nothing, the operator that waits for it says so; it has no state metrics."""
    with world.lease_of_another():
        waiting = 'leader_election_master_status{job="kopfwerk"} == 0 and on (instance) up == 1'
        until(lambda: world.prometheus.query(waiting), "the operator does not wait for its turn")
        world.fires("KopfwerkNoLeader")
        until(lambda: not world.prometheus.query("kopfwerk_deployment_created"), "who does not lead has state metrics")
    world.is_quiet("KopfwerkNoLeader")


def test_a_second_installation(world: World, tmp_path: Path) -> None:
    """One with a Lease of its own is a second leader; its certificate runs out, its limit leaves kinds out."""
    with world.second_installation(ports.choose(), tmp_path):
        world.fires("KopfwerkSeveralLeaders")
        world.fires("KopfwerkWebhookCertificateExpiring")
        world.fires("KopfwerkStateMetricsOmitted", resource="deployments.kopfwerk.dev")
    world.is_quiet("KopfwerkSeveralLeaders")


def test_no_extender(world: World) -> None:
    """Where the scheduler is scraped and nobody answers, that is reported."""
    extender = world.cluster.processes["scheduler-extender"]
    world.prometheus.scrape(f"127.0.0.1:{world.cluster.layout.ports.scheduler_extender}", job=SCHEDULER)
    until(lambda: world.prometheus.query('up{job="kopfwerk-scheduler"} == 1'), "the extender is not scraped")
    world.is_quiet("KopfwerkSchedulerDown")

    extender.stop()
    try:
        world.fires("KopfwerkSchedulerReplicaDown")
        world.fires("KopfwerkSchedulerDown")
    finally:
        world.cluster.restart("scheduler-extender")
    world.is_quiet("KopfwerkSchedulerDown")


def test_no_apiserver(world: World) -> None:
    """Requests that stay without an answer are errors, the watches' among them."""
    with world.without_apiserver():
        world.fires("KopfwerkApiserverErrors")
