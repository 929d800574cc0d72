"""What stock kubectl does with custom resources, as docs/kubectl.md says: it knows some commands for its own alone."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.apiserver.plugin_cli import CommandLine, namespace

pytestmark = pytest.mark.cluster

WEB = "deployments.kopfwerk.dev/web"


def manifest(group: str) -> str:
    """Return a Deployment without pods."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "one"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return json.dumps({"apiVersion": f"{group}/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


@pytest.fixture(scope="module")
def stock(kubeconfig: Path) -> Iterator[CommandLine]:
    """Return kubectl in a namespace that has a Deployment of ours and a built-in one, of the same name."""
    for shell in namespace(kubeconfig, f"stock-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"):
        for group in ("kopfwerk.dev", "apps"):
            shell.done("apply", "--filename=-", stdin=manifest(group))
        service = {"apiVersion": "kopfwerk.dev/v1", "kind": "Service", "metadata": {"name": "web"}}
        shell.done("create", "--filename=-", stdin=json.dumps(service | {"spec": {"ports": [{"port": 80}]}}))
        yield shell


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(f"rollout status {WEB} --watch=false", id="rollout-status"),
        pytest.param(f"rollout history {WEB}", id="rollout-history"),
        pytest.param(f"rollout undo {WEB}", id="rollout-undo"),
        pytest.param(f"rollout pause {WEB}", id="rollout-pause"),
        pytest.param(f"rollout restart {WEB}", id="rollout-restart"),
        pytest.param(f"logs {WEB}", id="logs"),
        pytest.param(f"exec {WEB} -- true", id="exec"),
        pytest.param(f"attach {WEB}", id="attach"),
        pytest.param(f"port-forward {WEB} 80", id="port-forward"),
        pytest.param(f"set image {WEB} c=two", id="set-image"),
        pytest.param(f"set serviceaccount {WEB} one", id="set-serviceaccount"),
        pytest.param("set selector services.kopfwerk.dev/web a=b", id="set-selector"),
        pytest.param(f"expose {WEB} --port=80", id="expose"),
    ],
)
def test_what_it_cannot_do(stock: CommandLine, command: str) -> None:
    """It says so, and ends with an error: then there is something to do in its place."""
    said = stock.kubectl(*command.split())

    assert said.code == 1
    assert said.stderr
    assert "not found" not in said.stderr


@pytest.mark.parametrize(
    ("command", "path", "want"),
    [
        pytest.param(
            [
                *("patch", "deployments.kopfwerk.dev", "web", "--type=merge", "-p"),
                '{"spec":{"template":{"spec":{"serviceAccountName":"NAME"}}}}',
            ],
            "{.spec.template.spec.serviceAccountName}",
            "NAME",
            id="account",
        ),
        pytest.param(
            [
                *("patch", "services.kopfwerk.dev", "web", "--type=json", "-p"),
                '[{"op":"add","path":"/spec/selector","value":{"app":"web"}}]',
            ],
            "{.spec.selector}",
            '{"app":"web"}',
            id="selector",
        ),
    ],
)
def test_what_does_it_instead(stock: CommandLine, command: list[str], path: str, want: str) -> None:
    """As the document has it."""
    documented = (Path(__file__).parents[2] / "docs/kubectl.md").read_text()

    *words, patch = command
    assert f"`kubectl {' '.join(words)} '{patch}'`" in documented
    stock.done(*command)
    assert stock.done("get", f"{words[1]}/{words[2]}", f"--output=jsonpath={path}") == want


def test_autoscale(stock: CommandLine) -> None:
    """It goes by the scale subresource, which ours have."""
    stock.done("autoscale", WEB, "--max=5")

    scaler = yaml.safe_load(stock.done("get", "hpa/web", "--output=yaml"))
    assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "kopfwerk.dev/v1", "kind": "Deployment", "name": "web"}


@pytest.mark.parametrize(
    ("group", "want"),
    [pytest.param("apps", "A", id="built-in-merges-lists"), pytest.param("kopfwerk.dev", "", id="ours-replaces-them")],
)
def test_apply_after_a_change_inside_a_list(stock: CommandLine, group: str, want: str) -> None:
    """A variable that the file does not have stays or goes when the file is applied again."""
    added = '[{"op":"add","path":"/spec/template/spec/containers/0/env","value":[{"name":"A","value":"1"}]}]'
    stock.done("patch", f"deployments.{group}/web", "--type=json", "-p", added)
    stock.done("apply", "--filename=-", stdin=manifest(group))

    names = "--output=jsonpath={.spec.template.spec.containers[*].env[*].name}"
    assert stock.done("get", f"deployments.{group}/web", names) == want
