"""Values that few give and that are right all the same: what comes of them is what Kubernetes takes."""

import shutil
from pathlib import Path
from textwrap import indent

import pytest
import yaml

from tests.chart.rendering import CHART, NAMESPACE, OPTIONS, Helm, of_kind


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param(
            (), {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, id="default"
        ),
        pytest.param(("strategy.type=Recreate",), {"type": "Recreate"}, id="all-at-once"),
        pytest.param(("strategy=null",), None, id="kubernetes-own-default"),
    ],
)
def test_how_pods_are_replaced(helm: Helm, options: tuple[str, ...], want: dict[str, object] | None) -> None:
    """Numbers for rolling go with rolling alone, though they are there by default."""
    deployments = of_kind(helm.render("scheduler.enabled=true", *options), "Deployment")

    assert [deployment["spec"]["strategy"] for deployment in deployments] == [want, want]


def test_no_other_namespace_is_excluded(helm: Helm) -> None:
    """The release's own always is."""
    options = ("scheduler.enabled=true", "scheduler.replaceDefault=true", "scheduler.excludedNamespaces=null")
    (policy,) = of_kind(helm.render(*options), "MutatingAdmissionPolicy")

    (selector,) = policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
    assert selector["values"] == [NAMESPACE]


def test_who_grants_the_rights_himself_is_granted_none(helm: Helm) -> None:
    """Whoever may make no roles can install it: neither the jobs nor the test have any of their own."""
    kinds = {obj["kind"] for obj in helm.render("scheduler.enabled=true", "rbac.create=false")}

    assert "ServiceAccount" in kinds
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param((), "leaves the custom resources and every workload", id="default"),
        pytest.param(("crds.keep=false",), "DELETES EVERY WORKLOAD", id="not-kept"),
        pytest.param(
            ("crds.keep=false", "crds.enabled=false"),
            "leaves the custom resources and every workload",
            id="not-its-own",
        ),
        pytest.param(("crds.keep=false", "native.enabled=true"), "leaves every workload as it is", id="native"),
    ],
)
def test_the_notes_say_what_uninstalling_does(helm: Helm, tmp_path: Path, options: tuple[str, ...], want: str) -> None:
    """Custom resources that the chart has not made do not go with it."""
    assert want in notes(helm, tmp_path, options)


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param((), None, id="none"),
        pytest.param(("scheduler.enabled=true", "scheduler.name=ours"), "that say schedulerName: ours.", id="one"),
        pytest.param(("scheduler.enabled=true", "scheduler.replaceDefault=true"), "every new pod", id="for-all"),
    ],
)
def test_the_notes_speak_of_the_scheduler(
    helm: Helm, tmp_path: Path, options: tuple[str, ...], want: str | None
) -> None:
    """Which pods it places, where there is one."""
    told = notes(helm, tmp_path, options)
    assert ("deployment/kopfwerk-scheduler" in told) == bool(want)
    assert not want or want in told


def notes(helm: Helm, tmp_path: Path, options: tuple[str, ...]) -> str:
    """Return what helm would tell after an installation."""
    text = (CHART / "templates/NOTES.txt").read_text()
    chart = shutil.copytree(CHART, tmp_path / "chart", ignore=shutil.ignore_patterns("*.txt"))
    (chart / "templates/notes.yaml").write_text(
        f"notes: |\n{indent(text, '  ')}"
    )  # helm has no command that shows them alone

    command, name, _, *rest = helm.arguments("template", "kopfwerk", options)
    ran = helm.run(command, name, str(chart), *rest, "--show-only=templates/notes.yaml")
    assert ran.stdout, ran.stderr
    return ran.stdout


def test_a_release_and_its_namespace_may_have_a_number_for_a_name(helm: Helm) -> None:
    """Which is text all the same, wherever it is."""
    switches = [option for options in OPTIONS.values() for option in options if option.endswith("enabled=true")]
    options = [switch for switch in switches if not switch.startswith("native")]
    ran = helm.run(*helm.arguments("template", "1", options), "--namespace=2")
    objects = [obj for obj in yaml.load_all(ran.stdout, Loader=yaml.CSafeLoader) if obj]

    metadata = [obj["metadata"] for obj in objects] + [
        subject for obj in objects for subject in obj.get("subjects", ())
    ]
    assert len(metadata) > 40
    assert {type(meta.get("namespace", "")) for meta in metadata} == {str}
    assert {type(label) for meta in metadata for label in meta.get("labels", {}).values()} == {str}


@pytest.mark.parametrize("option", ["global=null", "global.imagePullSecrets=x", "enabled=true"])
def test_what_a_chart_above_says_means_nothing_here(helm: Helm, option: str) -> None:
    """Helm passes it on to all charts."""
    assert helm.template((option,)) == helm.template()
