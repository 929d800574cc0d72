"""What is installed: rights, pods that may do little, custom resources that stay, a webhook, two replicas."""

from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from operators.cli.main import kopfwerk
from operators.runtime import admission, manager
from operators.runtime.client import REQUEST_TIMEOUT
from tests.chart.rendering import (
    ACCOUNT,
    CHART,
    NAMESPACE,
    OPTIONS,
    Helm,
    container,
    named,
    of_kind,
    operator,
    pods,
    rights,
)

RULES: dict[str, dict[str, Any]] = yaml.safe_load((CHART / "files/rules.yaml").read_text())
EVERY_OPTION = [pytest.param(options, id=name) for name, options in OPTIONS.items()]


@pytest.mark.parametrize(
    ("options", "mode", "want"),
    [
        pytest.param([], "kopfwerk", ["cluster", "webhook"], id="custom-resources"),
        pytest.param(["webhook.enabled=false"], "kopfwerk", ["cluster"], id="no-webhook"),
        pytest.param(["native.enabled=true"], "native", ["cluster"], id="native"),
    ],
)
def test_the_operator_has_the_rights_that_the_code_declares(
    helm: Helm, options: list[str], mode: str, want: list[str]
) -> None:
    """No rule less, and by no binding any more."""
    given = rights(helm.render(*options), "kopfwerk")

    want_rules = [rule for part in want for rule in RULES[mode][part]]
    assert given == {"ClusterRole": want_rules, "Role": RULES[mode]["lease"]}


def test_nobody_but_the_webhook_makes_built_in_workloads(helm: Helm) -> None:
    """And that one as a dry run: without it the operator has no right to."""
    rules = rights(helm.render("webhook.enabled=false"), "kopfwerk")["ClusterRole"]
    made = {
        name
        for rule in rules
        for name in rule["resources"]
        if "create" in rule["verbs"] and "apps" in rule["apiGroups"]
    }

    assert made == {"controllerrevisions"}


def test_who_sees_to_the_certificate_may_write_one_secret_and_one_configuration(helm: Helm) -> None:
    """The account of the job that runs before the installation has no right outside of the namespace."""
    objects = helm.render()
    secrets = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["kopfwerk-webhook"],
            "verbs": ["get", "update"],
        },
    ]
    configuration = {
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["validatingwebhookconfigurations"],
        "resourceNames": [admission.configuration({})["metadata"]["name"]],
        "verbs": ["get", "patch"],
    }

    assert rights(objects, "kopfwerk-webhook-certificate-hook") == {"ClusterRole": [], "Role": secrets}
    assert rights(objects, "kopfwerk-webhook-certificate") == {"ClusterRole": [configuration], "Role": secrets}


def test_users_of_a_namespace_may_use_the_custom_resources(helm: Helm) -> None:
    """Who may view reads all of it; who may edit writes everything but what the operator reports."""
    objects = helm.render()
    view, edit = (named(objects, "ClusterRole", f"kopfwerk-{role}") for role in ("view", "edit"))
    plurals = {crd["spec"]["names"]["plural"] for crd in of_kind(objects, "CustomResourceDefinition")}

    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert set(view["rules"][0]["resources"]) >= plurals | {f"{plural}/status" for plural in plurals}
    assert view["rules"][0]["verbs"] == ["get", "list", "watch"]
    assert edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert set(edit["rules"][0]["resources"]) >= plurals | {"deployments/scale"}
    assert not any(resource.endswith("/status") for resource in edit["rules"][0]["resources"])


@pytest.mark.parametrize("options", EVERY_OPTION)
def test_every_pod_meets_the_restricted_standard(helm: Helm, options: tuple[str, ...]) -> None:
    """As Pod Security has it, and with nothing but its image to read."""
    found = dict(pods(helm.render(*options)))

    for name, spec in found.items():
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == 65532, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert {kind for volume in spec.get("volumes", ()) for kind in volume} <= {"name", "secret", "configMap"}, name
        for each in spec["containers"]:
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert each["imagePullPolicy"] == "IfNotPresent", name
            assert each["resources"]["requests"], name


def test_only_pods_that_talk_to_the_apiserver_have_a_token(helm: Helm) -> None:
    """The test's workload has none, and no account gives its token to a pod that does not ask for it."""
    objects = helm.render()

    assert {name: spec["automountServiceAccountToken"] for name, spec in pods(objects)} == {
        "kopfwerk": True,
        "kopfwerk-test": True,
        "kopfwerk-webhook-certificate": True,
        "kopfwerk-webhook-certificate-make": True,
        "kopfwerk-webhook-certificate-trust": True,
        "DEPLOYMENT of the test": False,
    }
    accounts = of_kind(objects, "ServiceAccount")
    assert [each["automountServiceAccountToken"] for each in accounts] == [False] * len(accounts)


@pytest.mark.parametrize("options", EVERY_OPTION)
def test_every_pod_gives_kopfwerk_arguments_that_it_understands(helm: Helm, options: tuple[str, ...]) -> None:
    """The command exists, and has every option that the chart names."""
    given = {name: spec["containers"][0].get("args", []) for name, spec in pods(helm.render(*options))}
    commands = {name: arguments for name, arguments in given.items() if "test" not in name}

    for name, arguments in commands.items():
        ran = CliRunner().invoke(kopfwerk, [*arguments, "--help"])
        want_command = "webhook-certificate" if "certificate" in name else "run"
        assert arguments[0] == ("scheduler-extender" if name.endswith("-scheduler") else want_command)
        assert ran.exit_code == 0, ran.output


def test_custom_resources_are_those_of_this_source_and_stay(helm: Helm) -> None:
    """Upgraded with the chart, and left where they are when it goes."""
    rendered = of_kind(helm.render(), "CustomResourceDefinition")
    own = [yaml.safe_load(file.read_text()) for file in sorted((CHART.parents[1] / "crds").glob("*.yaml"))]

    specs = {crd["metadata"]["name"]: crd["spec"] for crd in rendered}
    assert specs == {crd["metadata"]["name"]: crd["spec"] for crd in own}
    assert {crd["metadata"]["annotations"]["helm.sh/resource-policy"] for crd in rendered} == {"keep"}


@pytest.mark.parametrize(
    "options",
    [pytest.param(OPTIONS["native"], id="native"), pytest.param(OPTIONS["no-custom-resources"], id="switched-off")],
)
def test_custom_resources_can_be_left_out(helm: Helm, options: tuple[str, ...]) -> None:
    """In native mode there are none, and somebody else may bring them."""
    assert of_kind(helm.render(*options), "CustomResourceDefinition") == []


@pytest.mark.parametrize(
    ("options", "want_user"),
    [
        pytest.param([], ACCOUNT, id="own-account"),
        pytest.param(["serviceAccount.name=a"], f"system:serviceaccount:{NAMESPACE}:a", id="other-name"),
    ],
)
def test_the_apiserver_asks_the_webhook_as_the_code_says(helm: Helm, options: list[str], want_user: str) -> None:
    """The configuration is the code's own, with the Service as its address and the operator's account exempt."""
    (found,) = of_kind(helm.render(*options), "ValidatingWebhookConfiguration")
    service = {"name": "kopfwerk-webhook", "namespace": NAMESPACE, "path": "/validate", "port": 443}

    want = admission.configuration({"service": service}, want_user)
    assert found["webhooks"] == want["webhooks"]
    assert found["metadata"]["name"] == want["metadata"]["name"]


@pytest.mark.parametrize(
    "options", [pytest.param(OPTIONS["native"], id="native"), pytest.param(OPTIONS["no-webhook"], id="switched-off")]
)
def test_without_the_webhook_nothing_of_it_is_left(helm: Helm, options: tuple[str, ...]) -> None:
    """No configuration, no Service, no certificate, and no pod that waits for one."""
    objects = helm.render(*options)

    assert [obj["kind"] for obj in objects if "webhook" in obj["metadata"]["name"]] == []
    assert "volumes" not in operator(objects)["spec"]["template"]["spec"]
    assert not any("webhook" in argument for argument in container(objects)["args"])


def test_cert_manager_takes_the_place_of_the_jobs(helm: Helm) -> None:
    """It makes the Secret that the pods mount, for the Service's name, by an authority that it enters."""
    objects = helm.render(*OPTIONS["cert-manager"])
    certificate = named(objects, "Certificate", "kopfwerk-webhook")
    issuer = named(objects, "Issuer", certificate["spec"]["issuerRef"]["name"])
    authority = named(objects, "Certificate", issuer["spec"]["ca"]["secretName"])
    (volume,) = operator(objects)["spec"]["template"]["spec"]["volumes"]
    (configuration,) = of_kind(objects, "ValidatingWebhookConfiguration")

    assert of_kind(objects, "Job") + of_kind(objects, "CronJob") == []
    assert authority["spec"]["isCA"]
    assert certificate["spec"]["secretName"] == volume["secret"]["secretName"]
    assert certificate["spec"]["dnsNames"] == [f"kopfwerk-webhook.{NAMESPACE}.svc"]
    injected = configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
    assert injected == f"{NAMESPACE}/{certificate['metadata']['name']}"


def test_the_first_job_has_its_account_before_anything_is_installed(helm: Helm) -> None:
    """All that it needs is a hook of the same moments, and comes before it."""
    objects = helm.render()
    job = named(objects, "Job", "kopfwerk-webhook-certificate-make")
    account = job["spec"]["template"]["spec"]["serviceAccountName"]

    for kind in ("ServiceAccount", "Role", "RoleBinding"):
        annotations = named(objects, kind, account)["metadata"]["annotations"]
        assert (
            annotations["helm.sh/hook"] == job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        )
        assert int(annotations["helm.sh/hook-weight"]) < int(
            job["metadata"]["annotations"].get("helm.sh/hook-weight", 0)
        )


@pytest.mark.parametrize("options", EVERY_OPTION)
def test_no_name_is_longer_than_kubernetes_lets_it_be(helm: Helm, options: tuple[str, ...]) -> None:
    """A CronJob's Jobs have longer names than it, and what is made for a Job or a Service has its name in a label."""
    longest = {"CronJob": 52, "Job": 63, "Service": 63}

    objects = helm.render(*options)
    too_long = [obj for obj in objects if len(obj["metadata"]["name"]) > longest.get(obj["kind"], 253)]
    assert [obj["metadata"]["name"] for obj in too_long] == []


def test_a_replica_has_the_time_to_end_what_is_in_flight(helm: Helm) -> None:
    """The kubelet's patience is longer than all that the operator does between the signal and its end."""
    spec = operator(helm.render())["spec"]["template"]["spec"]
    asleep = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert spec["terminationGracePeriodSeconds"] > asleep + manager.GRACE + manager.FLUSH + REQUEST_TIMEOUT


def test_there_is_always_somebody_to_lead(helm: Helm) -> None:
    """Two replicas, a new one before an old one goes, and a drain takes one at a time."""
    objects = helm.render()
    spec = operator(objects)["spec"]
    (budget,) = of_kind(objects, "PodDisruptionBudget")

    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == spec["selector"]


def test_a_single_replica_blocks_no_drain(helm: Helm) -> None:
    """A budget for one pod protects nothing."""
    assert of_kind(helm.render("replicas=1"), "PodDisruptionBudget") == []


@pytest.mark.parametrize("options", EVERY_OPTION)
def test_ports_are_those_of_the_container(helm: Helm, options: tuple[str, ...]) -> None:
    """Services, probes and the NetworkPolicy name ports, and the container has them."""
    component = "app.kubernetes.io/component"
    objects = [obj for obj in helm.render(*options) if obj["metadata"]["labels"].get(component) != "scheduler"]
    own = container(objects)
    names = {port["name"] for port in own["ports"]}
    probes = {own[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    services = {port["targetPort"] for each in of_kind(objects, "Service") for port in each["spec"]["ports"]}
    allowed = {
        port["port"]
        for policy in of_kind(objects, "NetworkPolicy")
        for rule in policy["spec"]["ingress"]
        for port in rule["ports"]
    }

    assert probes | services | allowed <= names
    assert not allowed or allowed == names
