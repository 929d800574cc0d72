"""State metrics: what is in the caches, in the shape of kube-state-metrics, and nothing of what is not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from operators.controllers import state
from operators.core.objects import KOPFWERK, PODS, Obj, Resource, deployments, replicasets, statefulsets
from operators.runtime.informer import Informer
from operators.runtime.state import StateMetrics
from tests.runtime.scripted import Scripted
from tests.support.builders import NOW, deployment, replicaset

DAEMONSETS = Resource(KOPFWERK, "v1", "daemonsets", "DaemonSet")
TABLES = {
    deployments(KOPFWERK): state.DEPLOYMENT,
    replicasets(KOPFWERK): state.REPLICASET,
    statefulsets(KOPFWERK): state.STATEFULSET,
    DAEMONSETS: state.DAEMONSET,
}
WEB = {"namespace": "ns", "deployment": "web"}

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Page:
    """The state metrics of objects in caches, as a scrape would show them."""

    informers: list[Informer[Any]] = field(default_factory=list)
    leads: bool = True
    limit: int = 10

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(StateMetrics(self.informers, TABLES, lambda: self.leads, self.limit))

    def add(self, resource: Resource, *found: Obj) -> Informer[Obj]:
        """Add a cache with objects."""
        informer: Informer[Obj] = Informer(Scripted(), resource, lambda obj: obj, {})
        for obj in found:
            informer._store(obj)
        informer.synced.set()
        self.informers.append(informer)
        return informer

    def series(self) -> Series:
        """Return every series with its value."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Return one series' value, None where there is no such series."""
        return self.series().get((name, frozenset(labels.items())))


STATUS = {
    "observedGeneration": 1,
    "replicas": 5,
    "readyReplicas": 4,
    "availableReplicas": 3,
    "updatedReplicas": 2,
    "unavailableReplicas": 1,
    "terminatingReplicas": 6,
}


@pytest.mark.parametrize(
    ("name", "want_value"),
    [
        pytest.param("created", NOW.timestamp() - 60, id="time"),
        pytest.param("metadata_generation", 1, id="generation"),
        pytest.param("status_observed_generation", 1, id="observed-generation"),
        pytest.param("spec_replicas", 10, id="wanted"),
        pytest.param("spec_paused", 1, id="truth-value"),
        pytest.param("status_replicas", 5, id="replicas"),
        pytest.param("status_replicas_ready", 4, id="ready"),
        pytest.param("status_replicas_available", 3, id="available"),
        pytest.param("status_replicas_updated", 2, id="updated"),
        pytest.param("status_replicas_unavailable", 1, id="unavailable"),
        pytest.param("status_terminating_replicas", 6, id="terminating"),
    ],
)
def test_each_figure_of_a_deployment(name: str, want_value: float) -> None:
    """Every figure is read from its own field."""
    page = Page()
    page.add(deployments(KOPFWERK), deployment(status=STATUS, paused=True))

    assert page.value(f"kopfwerk_deployment_{name}", **WEB) == want_value


def test_what_a_fresh_object_does_not_say() -> None:
    """Counts that are not there are 0, as Kubernetes means it; a time or a pointer that is not there has no series."""
    page = Page()
    page.add(deployments(KOPFWERK), deployment())

    assert page.value("kopfwerk_deployment_status_replicas_ready", **WEB) == 0
    assert page.value("kopfwerk_deployment_status_terminating_replicas", **WEB) is None
    assert page.value("kopfwerk_deployment_deletion_timestamp", **WEB) is None


def test_a_condition_has_a_series_for_each_status() -> None:
    """Of true, false and unknown the one that holds is 1."""
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    page = Page()
    page.add(deployments(KOPFWERK), deployment(status={"conditions": [condition]}))

    labels = {**WEB, "condition": "Progressing", "reason": "ProgressDeadlineExceeded"}
    found = {
        s: page.value("kopfwerk_deployment_status_condition", **labels, status=s) for s in ("true", "false", "unknown")
    }
    assert found == {"true": 0, "false": 1, "unknown": 0}


def test_a_replicaset_names_its_deployment() -> None:
    """The owner is in labels."""
    page = Page()
    page.add(replicasets(KOPFWERK), replicaset("web-1", owner=deployment()))

    owner = {"owner_kind": "Deployment", "owner_name": "web", "owner_is_controller": "true"}
    assert page.value("kopfwerk_replicaset_owner", namespace="ns", replicaset="web-1", **owner) == 1


def test_a_statefulset_names_its_revisions() -> None:
    """A revision is in a label; so is the number of its pods in a figure."""
    obj = replicaset("db", status={"currentRevision": "db-1", "updateRevision": "db-2", "currentReplicas": 2})
    page = Page()
    page.add(statefulsets(KOPFWERK), obj)

    labels = {"namespace": "ns", "statefulset": "db"}
    assert page.value("kopfwerk_statefulset_replicas", **labels) == 3
    assert page.value("kopfwerk_statefulset_status_replicas_current", **labels) == 2
    assert page.value("kopfwerk_statefulset_status_update_revision", **labels, revision="db-2") == 1


def test_a_statefulset_has_upstreams_own_metrics() -> None:
    """They have upstream's name and labels; what is not available counts, whether it is there or not."""
    page = Page()
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}}
    page.add(
        statefulsets(KOPFWERK), replicaset("db", replicas=5, updateStrategy=rolling, status={"availableReplicas": 2})
    )

    labels = {"statefulset_namespace": "ns", "statefulset_name": "db", "pod_management_policy": "OrderedReady"}
    assert page.value("statefulset_controller_statefulset_max_unavailable", **labels) == 2
    assert page.value("statefulset_controller_statefulset_unavailable_replicas", **labels) == 3


@pytest.mark.parametrize(
    ("strategy", "want"),
    [
        pytest.param({}, 5, id="all"),
        pytest.param({"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}, 2, id="from the partition on"),
        pytest.param({"type": "RollingUpdate", "rollingUpdate": {"partition": 9}}, 0, id="none beyond it"),
        pytest.param({"type": "OnDelete"}, 0, id="none with OnDelete"),
    ],
)
def test_a_statefulset_says_how_many_pods_a_rollout_is_about(strategy: Obj, want: int) -> None:
    """What an alert about rollouts compares with the pods that are new."""
    page = Page()
    page.add(statefulsets(KOPFWERK), replicaset("db", replicas=5, updateStrategy=strategy))
    assert page.value("kopfwerk_statefulset_rollout_replicas", namespace="ns", statefulset="db") == want


def test_a_daemonset_counts_nodes() -> None:
    """The names of the status' fields are split as kube-state-metrics splits them."""
    page = Page()
    page.add(DAEMONSETS, replicaset("log", status={"desiredNumberScheduled": 4, "numberUnavailable": 1}))

    labels = {"namespace": "ns", "daemonset": "log"}
    assert page.value("kopfwerk_daemonset_status_desired_number_scheduled", **labels) == 4
    assert page.value("kopfwerk_daemonset_status_number_unavailable", **labels) == 1


def test_what_is_deleted_is_gone_from_the_next_scrape() -> None:
    """Nothing is kept between scrapes."""
    page = Page()
    informer = page.add(deployments(KOPFWERK), deployment("kept"), deployment("gone"))
    assert page.value("kopfwerk_deployment_spec_replicas", namespace="ns", deployment="gone") == 10

    informer._remove(("ns", "gone"))

    assert {dict(labels).get("deployment") for _, labels in page.series()} == {"kept", None}


def test_only_the_leader_has_state() -> None:
    """A candidate shows none, so that sums over the replicas are right."""
    page = Page()
    page.add(deployments(KOPFWERK), deployment())
    assert page.series()

    page.leads = False

    assert not page.series()


def test_a_kind_without_a_table_has_no_series() -> None:
    """Pods are watched too, and are no workload."""
    page = Page()
    page.add(PODS, replicaset("pod"))

    assert not page.series()


@pytest.mark.parametrize(
    ("limit", "want_omitted", "want_named"),
    [
        pytest.param(2, 0, {"a", "b"}, id="as-many-as-the-limit"),
        pytest.param(1, 2, set(), id="more"),
    ],
)
def test_the_limit(limit: int, want_omitted: int, want_named: set[str], caplog: pytest.LogCaptureFixture) -> None:
    """Of a kind with more objects than the limit there is no series of any, and one line and a gauge say so."""
    page = Page(limit=limit)
    page.add(deployments(KOPFWERK), deployment("a"), deployment("b"))
    page.add(replicasets(KOPFWERK), replicaset("other"))

    page.series()

    named = {dict(labels).get("deployment") for _, labels in page.series()} - {None}
    omitted = page.value("kopfwerk_state_metrics_omitted_objects", resource="deployments.kopfwerk.dev")
    assert (omitted, named) == (want_omitted, want_named)
    assert page.value("kopfwerk_replicaset_spec_replicas", namespace="ns", replicaset="other") == 3
    assert len(caplog.records) == bool(want_omitted)


def test_a_limit_of_0_leaves_out_everything() -> None:
    """Nobody is told that something is missing where nothing is wanted."""
    page = Page(limit=0)
    page.add(deployments(KOPFWERK), deployment())

    assert not page.series()


@pytest.mark.parametrize(
    ("accept", "parse"),
    [
        pytest.param("text/plain;version=0.0.4", parse_text, id="text"),
        pytest.param("application/openmetrics-text;version=1.0.0", parse_openmetrics, id="openmetrics"),
    ],
)
def test_both_formats_parse(accept: str, parse: Callable[[str], Iterator[Metric]]) -> None:
    """What is read back is what was written, an odd name included."""
    page = Page()
    condition = {"type": 'Odd"\\\n', "status": "True", "reason": "A"}
    page.add(deployments(KOPFWERK), deployment(status={**STATUS, "conditions": [condition]}))
    page.add(replicasets(KOPFWERK), replicaset(owner=deployment(), deleting=True))

    encode, _ = choose_encoder(accept)
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in parse(encode(page.registry).decode())
        for sample in metric.samples
    }

    assert found == page.series()
