"""The scheduler of the chart: one pod of two containers, its rights, and what makes it place every pod."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from operators.cluster.progress import Lines
from operators.core.objects import Obj
from operators.runtime import scheduler_admission
from operators.scheduler import access, profiles
from operators.scheduler.configuration import ARGUMENTS, ENVIRONMENT, Extender, configuration
from operators.scheduler.rules import rules
from tests.chart.rendering import NAMESPACE, OPTIONS, Helm, container, named, of_kind, rights
from tests.chart.test_valid import kubeconform_run
from tests.support import kubernetes_schemas

ON = ("scheduler.enabled=true",)
DEFAULT = (*ON, "scheduler.replaceDefault=true")
ALL = ("scheduler.nodes=all",)
ROOM = (*ALL, "scheduler.preemption=room")
BINDS = ("scheduler.binds=true",)
NAME = "kopfwerk-scheduler"
URL = "http://127.0.0.1:8090/scheduler"


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

    assert config == configuration(Extender(URL), "", "kopfwerk", (NAMESPACE, NAME))
    assert "--listen=127.0.0.1:8090" in extender["args"]
    assert "--config=/etc/kopfwerk/scheduler/kube-scheduler.yaml" in kube_scheduler["command"]
    assert set(ARGUMENTS) <= set(kube_scheduler["command"])
    assert {one["name"]: one["value"] for one in kube_scheduler["env"]} == ENVIRONMENT
    assert kube_scheduler["image"] == "registry.k8s.io/kube-scheduler:v1.37.1"


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param((), Extender(URL), id="by default"),
        pytest.param(ALL, Extender(URL, looks_at="all"), id="chooses from all nodes"),
        pytest.param(ROOM, Extender(URL, looks_at="all", preempts="room"), id="preempts for room alone"),
        pytest.param(("scheduler.percentageOfNodesToScore=0",), Extender(URL, percentage=0), id="a part as by default"),
        pytest.param(BINDS, Extender(URL, binds=True), id="the extender binds"),
        pytest.param((*ALL, *BINDS), Extender(URL, looks_at="all", binds=True), id="chooses from all nodes and binds"),
    ],
)
def test_how_much_is_asked_of_each(helm: Helm, options: tuple[str, ...], want: Extender) -> None:
    """The configuration is then that of the code too, and the extender is told, and may do no more than that."""
    config = files(helm, *options)["kube-scheduler.yaml"]
    objects = helm.render(*ON, *options)
    extender, _ = pod_of(objects)["containers"]

    assert config == configuration(want, "", "kopfwerk", (NAMESPACE, NAME))
    assert [arg for arg in extender["args"] if arg == "--part"] == want.arguments
    assert named(objects, "ClusterRole", NAME)["rules"] == access.cluster_rules(binds=want.binds)


def test_scores_are_off_in_any_case_and_filters_that_can_be_with_all_nodes(helm: Helm) -> None:
    """What is on beside plugins that are kept whole."""
    by_default, with_all, for_room = (files(helm, *options)["kube-scheduler.yaml"] for options in ((), ALL, ROOM))
    plugins = [config["profiles"][0]["plugins"] for config in (by_default, with_all, for_room)]

    assert [each["multiPoint"]["disabled"] for each in plugins] == [[{"name": "*"}]] * 3
    assert [set(each) for each in plugins] == [{"multiPoint", "preFilter", "filter"}] * 3
    assert [{one["name"] for one in each["filter"]["enabled"]} for each in plugins] == [
        set(rules().predicates),
        {"NodePorts", "NodeResourcesFit", "PodTopologySpread", "InterPodAffinity"},
        {"NodePorts", "NodeResourcesFit"},
    ]


@pytest.mark.parametrize(
    ("options", "left_out", "want_said"),
    [
        pytest.param((), "TaintToleration", "that takes scheduler.nodes=all\n", id="a part, about nodes"),
        pytest.param((), "InterPodAffinity", "nodes=all and scheduler.preemption=room\n", id="a part, about pods"),
        pytest.param(ALL, "TaintToleration", None, id="all, about nodes"),
        pytest.param(ALL, "PodTopologySpread", "nodes=all and scheduler.preemption=room\n", id="all, about pods"),
        pytest.param(ROOM, "PodTopologySpread", None, id="for room alone, about pods"),
        pytest.param(ROOM, "NodeResourcesFit", "whom to evict\n", id="room itself"),
    ],
)
def test_a_predicate_that_kube_scheduler_has_on_cannot_be_left_out(
    helm: Helm, options: tuple[str, ...], left_out: str, want_said: str | None
) -> None:
    """It would refuse the same nodes all the same. The message names the profile and what would make it work."""
    listed = ",".join(name for name in rules().predicates if name != left_out)
    own = f"scheduler.profiles.profiles.lax.predicates={{{listed}}}"
    ran = helm.run(*helm.arguments("template", "kopfwerk", [*ON, *options, own]))

    assert ran.returncode == (1 if want_said else 0), ran.stderr
    if want_said:
        assert f'profile "lax": {left_out} cannot be left out' in ran.stderr
        assert want_said in ran.stderr


def test_upstreams_predicates_may_be_one_word(helm: Helm) -> None:
    """What a profile has beside them does not matter."""
    content = files(helm, "scheduler.profiles.profiles.own.predicates={*,NodeName}")["profiles.yaml"]

    assert list(profiles.read(content).by_name["own"].predicates) == list(rules().predicates)


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
    assert named(objects, "ClusterRole", NAME)["rules"] == access.cluster_rules(binds=False)
    assert [rule.get("resourceNames") for rule in named(objects, "Role", NAME)["rules"]] == [None, [NAME]]


@pytest.mark.parametrize(
    ("replicas", "want_budgets"), [pytest.param(2, 1, id="two"), pytest.param(1, 0, id="one, which could never leave")]
)
def test_a_drain_takes_one_at_a_time(helm: Helm, replicas: int, want_budgets: int) -> None:
    """Somebody is left to lead."""
    objects = helm.render(*ON, f"scheduler.replicas={replicas}")

    assert len([b for b in of_kind(objects, "PodDisruptionBudget") if b["metadata"]["name"] == NAME]) == want_budgets


def test_an_older_kubernetes_has_a_webhook_in_place_of_the_policy(helm: Helm) -> None:
    """The operator's: it is told the scheduler's name, its certificate is trusted, and namespaces are left out."""
    text = helm.template(DEFAULT, "1.35.1")
    objects = [obj for obj in yaml.load_all(text, Loader=yaml.CSafeLoader) if obj]
    (configuration,) = of_kind(objects, "MutatingWebhookConfiguration")
    service = {"name": "kopfwerk-webhook", "namespace": NAMESPACE, "path": "/schedule", "port": 443}

    assert of_kind(objects, "MutatingAdmissionPolicy") == []
    want = scheduler_admission.configuration({"service": service}, ["kube-system", NAMESPACE])
    assert configuration["webhooks"] == want["webhooks"]
    assert "--webhook-scheduler=kopfwerk" in container(objects)["args"]
    mutating = [r for r in rights(objects, "kopfwerk-webhook-certificate")["ClusterRole"] if "mutat" in str(r)]
    assert [rule["resourceNames"] for rule in mutating] == [[configuration["metadata"]["name"]]]
    (job,) = of_kind(objects, "CronJob")
    (renewing,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert f"--mutating-configuration={configuration['metadata']['name']}" in renewing["args"]


def test_cert_manager_vouches_for_the_webhook(helm: Helm) -> None:
    """It enters the authority, and no job has to."""
    text = helm.template((*DEFAULT, "webhook.certManager.enabled=true"), "1.35.1")
    objects = [obj for obj in yaml.load_all(text, Loader=yaml.CSafeLoader) if obj]
    (configuration,) = of_kind(objects, "MutatingWebhookConfiguration")

    inject = configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
    assert inject == f"{NAMESPACE}/kopfwerk-webhook"


def test_an_older_kubernetes_needs_the_webhook(helm: Helm) -> None:
    """Where the operator has none, that is an error that says what to do."""
    for option in ("webhook.enabled=false", "native.enabled=true"):
        ran = helm.run(*helm.arguments("template", "kopfwerk", (*DEFAULT, option), "1.35.1"))

        assert ran.returncode == 1
        assert "needs the operator's webhook" in ran.stderr


@pytest.mark.parametrize("release", kubernetes_schemas.RELEASES)
def test_kubernetes_knows_every_field_of_what_replaces_the_default(helm: Helm, kubeconform: Path, release: str) -> None:
    """In each release what it has: the policy, or the webhook."""
    kubernetes_schemas.obtain(release, Lines())
    version = f"{release}.0" if release.count(".") == 1 else release
    ran = kubeconform_run(kubeconform, release, helm.template(DEFAULT, version))

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("option", "want_name"),
    [
        pytest.param("scheduler.name=default-scheduler", "/scheduler/name", id="the default's own name"),
        pytest.param("scheduler.profiles.profile.a.b=c", "/scheduler/profiles", id="misspelt"),
        pytest.param("scheduler.replicas=0", "/scheduler/replicas", id="nobody"),
        pytest.param("scheduler.nodes=half", "/scheduler/nodes", id="neither all nor a part"),
        pytest.param("scheduler.preemption=room", "needs scheduler/nodes=all", id="a part without its filters"),
    ],
)
def test_a_mistake_is_an_error(helm: Helm, option: str, want_name: str) -> None:
    """It names the value."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", [*ON, option]))

    assert ran.returncode == 1
    assert want_name in ran.stderr.replace(".", "/")
