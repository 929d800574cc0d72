"""Whatever is chosen, helm finds no fault with the chart, and each supported Kubernetes knows every field of it."""

import subprocess
from pathlib import Path

import pytest

from operators.cluster.progress import Lines
from tests.chart.rendering import OPTIONS, Helm
from tests.support import kubernetes_schemas

FOREIGN = (
    "cert-manager.io/v1/Certificate,cert-manager.io/v1/Issuer,"
    "monitoring.coreos.com/v1/PrometheusRule,monitoring.coreos.com/v1/ServiceMonitor"
)
"""Kinds that are not Kubernetes' own."""


@pytest.fixture(scope="session", params=kubernetes_schemas.RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Return a release, whose schemas are there."""
    version = str(request.param)
    kubernetes_schemas.obtain(version, Lines())
    return version


@pytest.mark.parametrize("options", [pytest.param(options, id=name) for name, options in OPTIONS.items()])
def test_helm_finds_no_fault(helm: Helm, options: tuple[str, ...]) -> None:
    """`helm lint --strict` passes, and with it every template, the notes included."""
    ran = helm.run(*helm.arguments("lint", "", options), "--strict")

    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("options", [pytest.param(options, id=name) for name, options in OPTIONS.items()])
def test_kubernetes_knows_every_field(helm: Helm, kubeconform: Path, release: str, options: tuple[str, ...]) -> None:
    """Each object has a kind that this Kubernetes serves, and no field that it does not know."""
    ran = kubeconform_run(kubeconform, release, helm.template(options))

    assert ran.returncode == 0, ran.stdout


def test_each_release_is_one_that_the_chart_is_for(helm: Helm, release: str) -> None:
    """Helm renders it for that release, and the same for all of them."""
    assert helm.template(kubernetes=release) == helm.template()


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    """By one error that says which are not."""
    ran = helm.run(*helm.arguments("template", "kopfwerk", (), "1.33.9"))

    assert "requires kubeVersion: >=1.34.0-0 which is incompatible with Kubernetes v1.33.9" in ran.stderr


def test_a_field_that_kubernetes_does_not_know_is_found(helm: Helm, kubeconform: Path, release: str) -> None:
    """The schemas are strict: a misspelt field would not pass."""
    manifest = helm.template().replace("imagePullPolicy:", "imagePullPolcy:")

    ran = kubeconform_run(kubeconform, release, manifest)

    assert ran.returncode == 1
    assert "imagePullPolcy" in ran.stdout


def kubeconform_run(program: Path, release: str, manifest: str) -> "subprocess.CompletedProcess[str]":
    """Check a manifest against a release's schemas."""
    location = f"{kubernetes_schemas.folder()}/{kubernetes_schemas.LOCATION}"
    options = ["-strict", "-kubernetes-version", release, "-schema-location", location, "-skip", FOREIGN]
    return subprocess.run([str(program), *options, "-"], input=manifest, capture_output=True, text=True, check=False)
