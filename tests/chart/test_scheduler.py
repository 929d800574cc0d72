"""The scheduler of the chart: one pod of two containers, its rights, and what makes it place every pod."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from operators.cluster.progress import Lines
from operators.core.objects import Obj
from operators.scheduler import access, profiles
from operators.scheduler.configuration import Extender, configuration
from operators.scheduler.rules import rules
from tests.chart.rendering import NAMESPACE, OPTIONS, Helm, named, of_kind
from tests.chart.test_valid import kubeconform_run
from tests.support import kubernetes_schemas

ON = ("scheduler.enabled=true",)
DEFAULT = (*ON, "scheduler.replaceDefault=true")
NAME = "kopfwerk-scheduler"


def pod_of(objects: list[Obj]) -> dict[str, Any]:
    """Return the spec of the scheduler's pods."""
    spec: dict[str, Any] = named(objects, "Deployment", NAME)["spec"]["template"]["spec"]
    return spec


def files(helm: Helm, *options: str, kubernetes: str = "1.37.1") -> dict[str, Any]:
    """Return what its ConfigMap has, each file read."""
    documents = (yaml.safe_load(text) for text in helm.template((*ON, *options), kubernetes).split("\n---\n"))
    found = named([document for document in documents if document], "ConfigMap", NAME)
    return {file: yaml.safe_load(text) for file, text in found["data"].items()}


def test_nothing_of_it_is_there_unless_asked_for(helm: Helm) -> None:
    """The default is the cluster's own scheduler."""
    assert [obj["kind"] for obj in helm.render() if "scheduler" in obj["metadata"]["name"]] == []


def test_kube_scheduler_asks_the_extender_beside_it(helm: Helm) -> None:
    """Its configuration is the code's, with a Lease and a name of its own, and where it asks the other one listens."""
    config = files(helm)["kube-scheduler.yaml"]
    extender, kube_scheduler = pod_of(helm.render(*ON))["containers"]

    assert config == configuration(Extender("http://127.0.0.1:8090/scheduler"), "", "kopfwerk", (NAMESPACE, NAME))
    assert "--listen=127.0.0.1:8090" in extender["args"]
    assert "--config=/etc/kopfwerk/scheduler/kube-scheduler.yaml" in kube_scheduler["command"]
    assert kube_scheduler["image"] == "registry.k8s.io/kube-scheduler:v1.37.1"


def test_an_older_kube_scheduler_is_not_asked_for_what_it_has_not(helm: Helm) -> None:
    """A plugin that is not there would keep it from starting."""
    kept, fewer = (
        {plugin["name"] for plugin in config["profiles"][0]["plugins"]["multiPoint"]["enabled"]}
        for config in (files(helm, kubernetes=version)["kube-scheduler.yaml"] for version in ("1.35.0", "1.34.2"))
    )

    assert kept - fewer == {"NodeDeclaredFeatures"}


def test_profiles_are_read_by_the_extender(helm: Helm) -> None:
    """What a user writes among the values is a file that the extender understands."""
    content = files(helm, *OPTIONS["scheduler"])["profiles.yaml"]

    read = profiles.read(content)
    assert read.namespaces == {"batch": "packed"}
    assert set(read.by_name) == {"default", "packed"}
    assert list(read.by_name["default"].predicates) == list(rules().predicates)


def test_it_is_not_placed_by_itself(helm: Helm) -> None:
    """The default scheduler places it, and the policy leaves its namespace alone."""
    objects = helm.render(*DEFAULT)
    (policy,) = of_kind(objects, "MutatingAdmissionPolicy")
    (selector,) = policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]

    assert pod_of(objects)["schedulerName"] == "default-scheduler"
    assert (selector["operator"], selector["values"]) == ("NotIn", ["kube-system", NAMESPACE])


def test_its_rights_are_those_that_the_code_declares(helm: Helm) -> None:
    """Beside the built-in roles of a kube-scheduler, and its own Lease."""
    objects = helm.render(*ON)
    roles = {
        binding["roleRef"]["name"]
        for binding in of_kind(objects, "ClusterRoleBinding")
        if binding["subjects"][0]["name"] == NAME
    }

    assert roles == {NAME, "system:kube-scheduler", "system:volume-scheduler"}
    assert named(objects, "ClusterRole", NAME)["rules"] == access.cluster_rules()
    assert [rule.get("resourceNames") for rule in named(objects, "Role", NAME)["rules"]] == [None, [NAME]]


@pytest.mark.parametrize(
    ("replicas", "want_budgets"), [pytest.param(2, 1, id="two"), pytest.param(1, 0, id="one, which could never leave")]
)
def test_a_drain_takes_one_at_a_time(helm: Helm, replicas: int, want_budgets: int) -> None:
    """Somebody is left to lead."""
    objects = helm.render(*ON, f"scheduler.replicas={replicas}")

    assert len([b for b in of_kind(objects, "PodDisruptionBudget") if b["metadata"]["name"] == NAME]) == want_budgets


def test_the_default_can_only_be_replaced_where_a_policy_can_do_it(helm: Helm) -> None:
    """On an older cluster that is an error that says what to do instead."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", DEFAULT, "1.35.1"))

    assert ran.returncode == 1
    assert "serves from 1.36 on" in ran.stderr


@pytest.mark.parametrize("release", [r for r in kubernetes_schemas.RELEASES if r >= "1.36"])
def test_kubernetes_knows_every_field_of_the_policy(helm: Helm, kubeconform: Path, release: str) -> None:
    """In each release that has it."""
    kubernetes_schemas.obtain(release, Lines())
    ran = kubeconform_run(kubeconform, release, helm.template(DEFAULT))

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("option", "want_name"),
    [
        pytest.param("scheduler.name=default-scheduler", "/scheduler/name", id="the default's own name"),
        pytest.param("scheduler.profiles.profile.a.b=c", "/scheduler/profiles", id="misspelt"),
        pytest.param("scheduler.replicas=0", "/scheduler/replicas", id="nobody"),
    ],
)
def test_a_mistake_is_an_error(helm: Helm, option: str, want_name: str) -> None:
    """It names the value."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", [*ON, option]))

    assert ran.returncode == 1
    assert want_name in ran.stderr.replace(".", "/")
