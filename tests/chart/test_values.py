"""Values: each is documented, known to the schema, and a mistake in one is an error that names it."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, NAMESPACE, Helm, container, operator

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
HELMS_OWN = {"global"}
PASSED_ON = {
    "resources",
    "webhook.certificate.resources",
    "scheduler.resources",
    "scheduler.kubeScheduler.resources",
    "strategy",
}
"""Kubernetes' own fields, of which values.yaml need not name all."""


def of_values(values: dict[str, Any], schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the path of each value, as far as the schema says what there is."""
    for name, value in values.items():
        yield above + name
        inner = schema["properties"].get(name, {})
        if isinstance(value, dict) and value and "properties" in inner:
            yield from of_values(value, inner, f"{above}{name}.")


def of_schema(schema: dict[str, Any], values: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the path of each value that the schema knows, where values.yaml has more than an empty default."""
    for name, inner in schema["properties"].items():
        yield above + name
        value = values.get(name)
        if isinstance(value, dict) and value and "properties" in inner and above + name not in PASSED_ON:
            yield from of_schema(inner, value, f"{above}{name}.")


def test_the_schema_knows_every_value_and_no_other() -> None:
    """A value in the one file and not in the other is either refused or without a default."""
    in_values = {path for path in of_values(VALUES, SCHEMA) if path.rpartition(".")[0] not in PASSED_ON}

    assert in_values == set(of_schema(SCHEMA, VALUES)) - HELMS_OWN


@pytest.mark.parametrize(
    ("option", "want_names"),
    [
        pytest.param("replica=3", ["replica"], id="misspelt"),
        pytest.param("image.repo=x", ["/image", "repo"], id="misspelt-below"),
        pytest.param("webhook.certManager.issuer=x", ["/webhook/certManager", "issuer"], id="misspelt-deep-below"),
        pytest.param("replicas=two", ["/replicas"], id="no-number"),
        pytest.param("log.level=loud", ["/log/level", "info"], id="no-such-level"),
        pytest.param("image.digest=abc", ["/image/digest"], id="no-digest"),
        pytest.param("image.pullPolicy=Sometimes", ["/image/pullPolicy"], id="no-such-policy"),
        pytest.param("metrics.port=80", ["/metrics/port", "1,024"], id="port-that-only-root-may-have"),
        pytest.param("podDisruptionBudget.minAvailable=half", ["/podDisruptionBudget/minAvailable"], id="no-share"),
        pytest.param(r"commonLabels.app\.kubernetes\.io/name=x", ["/commonLabels", "app/kubernetes"], id="selected-by"),
        pytest.param(
            r"podLabels.app\.kubernetes\.io/component=x", ["/podLabels", "app/kubernetes"], id="selected-by-too"
        ),
        pytest.param("terminationGracePeriodSeconds=2", ["/terminationGracePeriodSeconds", "3"], id="no-time-to-sleep"),
        pytest.param("webhook.certManager.issuerRef.kind=Issuer", ["/issuerRef", "name"], id="nameless-issuer"),
        pytest.param("networkPolicy.apiServerPorts=null", ["/networkPolicy", "apiServerPorts"], id="ports-taken-away"),
    ],
)
def test_a_mistake_is_an_error_that_names_the_value(helm: Helm, option: str, want_names: list[str]) -> None:
    """Nothing is rendered, and the message says which value it is about."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", [option]))

    assert ran.returncode == 1
    assert not ran.stdout
    assert "values don't meet the specifications of the schema" in ran.stderr
    message = ran.stderr.replace(".", "/")
    assert [name for name in want_names if name not in message] == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("image.repository", id="no-image"),
        pytest.param("replicas", id="nobody-knows-how-many"),
        pytest.param("metrics.port", id="no-port"),
        pytest.param("log.format", id="an-empty-argument"),
        pytest.param("webhook.certificate.validFor", id="no-time"),
        pytest.param("scheduler.kubeScheduler.image.repository", id="no-image-of-the-scheduler"),
        pytest.param("monitoring", id="all-below"),
        pytest.param("webhook.certManager", id="all-below-that"),
    ],
)
def test_what_cannot_be_done_without_cannot_be_taken_away(helm: Helm, path: str) -> None:
    """`null` takes a default away: where nothing could be rendered without it, the message says which it is."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", [f"{path}=null"]))

    assert ran.returncode == 1
    assert "values don't meet the specifications of the schema" in ran.stderr
    assert f"'{path.rpartition('.')[2]}'" in ran.stderr


def test_no_port_of_the_apiserver_is_a_mistake(helm: Helm) -> None:
    """A NetworkPolicy's rule without ports lets all of them out."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", ()), "--set-json", "networkPolicy.apiServerPorts=[]")

    assert ran.returncode == 1
    assert "/networkPolicy/apiServerPorts" in ran.stderr.replace(".", "/")


def test_an_account_that_is_not_made_has_to_be_named(helm: Helm) -> None:
    """There is no name that could be guessed."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", ["serviceAccount.create=false"]))

    assert "serviceAccount.name is needed where serviceAccount.create is false" in ran.stderr


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param(["metrics.port=9443"], "metrics.port and webhook.port", id="of-the-webhook"),
        pytest.param(
            ["metrics.port=8090", "scheduler.enabled=true"], "metrics.port cannot be 8090", id="of-the-extender"
        ),
        pytest.param(["metrics.port=9443", "webhook.enabled=false"], "", id="no-webhook"),
        pytest.param(["metrics.port=8090"], "", id="no-scheduler"),
    ],
)
def test_a_port_that_is_taken_is_an_error(helm: Helm, options: list[str], want: str) -> None:
    """What would only show as a pod that does not start."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", options))

    assert (ran.returncode != 0) == bool(want)
    assert want in ran.stderr


@pytest.mark.parametrize(
    ("options", "want_image"),
    [
        pytest.param([], "kopfwerk:dev", id="the-charts-own-version"),
        pytest.param(["image.tag=v2"], "kopfwerk:v2", id="tag"),
        pytest.param(["image.repository=reg:5000/a/b"], "reg:5000/a/b:dev", id="repository"),
        pytest.param(
            ["image.tag=v2", f"image.digest=sha256:{'0' * 64}"],
            f"kopfwerk@sha256:{'0' * 64}",
            id="a-digest-says-more-than-a-tag",
        ),
    ],
)
def test_the_image(helm: Helm, options: list[str], want_image: str) -> None:
    """Repository, tag and digest choose it."""
    assert container(helm.render(*options))["image"] == want_image


@pytest.mark.parametrize(
    ("image", "want"),
    [
        pytest.param("kopfwerk:dev", ["image.repository=kopfwerk", "image.tag=dev"], id="default"),
        pytest.param("reg:5000/a/b:v2", ["image.repository=reg:5000/a/b", "image.tag=v2"], id="a-registry-with-a-port"),
        pytest.param("reg:5000/a", ["image.repository=reg:5000/a", "image.tag=latest"], id="no-tag-as-docker-has-it"),
    ],
)
def test_make_kind_installs_the_image_that_it_builds(image: str, want: list[str]) -> None:
    """Whatever it is called."""
    make = ["make", "--dry-run", "--directory", str(CHART.parents[1]), "kind", f"IMAGE={image}"]
    words = subprocess.run(make, capture_output=True, text=True, check=True).stdout.split()

    assert [word for word in words if word.startswith("image.")] == want


def test_common_labels_are_everywhere(helm: Helm) -> None:
    """Every object has them, and what selects pods does not: a selector cannot change."""
    objects = helm.render("commonLabels.team=platform")

    assert [obj["kind"] for obj in objects if obj["metadata"]["labels"].get("team") != "platform"] == []
    assert "team" not in operator(objects)["spec"]["selector"]["matchLabels"]


def test_everything_is_in_the_releases_namespace(helm: Helm) -> None:
    """`kubectl apply` of the rendered chart needs no option."""
    cluster_wide = {
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }

    for obj in helm.render("networkPolicy.enabled=true"):
        want_namespace = None if obj["kind"] in cluster_wide else NAMESPACE
        assert obj["metadata"].get("namespace") == want_namespace, obj["kind"]


def test_the_charts_files_are_all_in_its_readme() -> None:
    """By name, or by their folder."""
    text = (CHART / "README.md").read_text()
    folders = {"crds"}

    files = [file.relative_to(CHART) for file in (CHART / "files").rglob("*") if file.is_file()]
    named = {f"files/{file.parts[1]}/" if file.parts[1] in folders else str(file) for file in files}
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []
