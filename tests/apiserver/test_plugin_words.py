"""The plugin speaks and ends as stock kubectl does: each case is run with both, on built-in Deployments that are alike.

The Deployments want no replicas, so that their rollouts end without nodes. In the commands `@deploy` stands for the
type, `deploy` for stock kubectl and `deployments.apps` for the plugin, and `@name` for the case's own Deployment.
"""

import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from operators.cli.plugin import rollout
from operators.cluster import binaries
from operators.cluster.versions import DEFAULT, PROGRAMS
from tests.apiserver.plugin_cli import CommandLine, Said, namespace

pytestmark = pytest.mark.cluster

STORIES = {
    "status": ["rollout status @deploy/@name"],
    "status, type and name apart": ["rollout status @deploy @name --watch=false"],
    "status of another revision": ["rollout status @deploy/@name --revision=7"],
    "status of a negative revision": ["rollout status @deploy/@name --revision=-1"],
    "status of nothing": ["rollout status"],
    "status of what is not there": ["rollout status @deploy/nope"],
    "status of an unknown type": ["rollout status foo/bar"],
    "status by labels that nobody has": ["rollout status @deploy -l app=nobody"],
    "status of a kind without rollouts": ["rollout status configmap/conf"],
    "status with a wrong unit": ["rollout status @deploy/@name --timeout=1x"],
    "status without a unit": ["rollout status @deploy/@name --timeout=5"],
    "status, options in every spelling": ["rollout -n @ns status @deploy/@name -w=false --timeout 3s"],
    "history": ["rollout history @deploy/@name"],
    "history of a revision": ["rollout history @deploy/@name --revision=1"],
    "history of an unknown revision": ["rollout history @deploy/@name --revision=9"],
    "history by name": [
        "set image @deploy/@name c=two",
        "rollout status @deploy/@name",
        "rollout history @deploy/@name -o name",
        "rollout history @deploy/@name -o name --revision=1",
        "rollout history @deploy/@name -o name --revision=9",
    ],
    "undo without history": ["rollout undo @deploy/@name"],
    "undo to what runs": ["rollout undo @deploy/@name --to-revision=1"],
    "undo to an unknown revision": ["rollout undo @deploy/@name --to-revision=8"],
    "undo": [
        "set image @deploy/@name c=two",
        "rollout status @deploy/@name",
        "rollout undo @deploy/@name --dry-run=client",
        "rollout undo @deploy/@name --dry-run=server",
        "rollout undo @deploy/@name",
        "rollout status @deploy/@name",
        "rollout history @deploy/@name",
        "rollout undo @deploy/@name --to-revision=2 -o name",
        "rollout undo @deploy/@name --dry-run=perhaps",
    ],
    "pause and resume": [
        "rollout pause @deploy/@name",
        "rollout pause @deploy/@name",
        "rollout undo @deploy/@name --to-revision=1",
        "rollout restart @deploy/@name",
        "rollout resume @deploy @name",
        "rollout resume @deploy/@name",
        "rollout pause @deploy/@name -o jsonpath={.spec.paused}",
    ],
    "pause nobody": ["rollout pause @deploy -l app=nobody"],
    "restart": ["rollout restart @deploy/@name", "rollout status @deploy/@name"],
    "restart some of which one is missing": ["rollout restart @deploy/@name @deploy/nope"],
    "restart what cannot be": ["rollout restart configmap/conf"],
    "image": [
        "set image @deploy/@name c=two",
        "set image @deploy/@name c=two",
        "set image @deploy/@name *=three -o jsonpath={..image}",
        "set image @deploy/@name c=four --dry-run=client",
        "set image @deploy/@name c=four --dry-run=server",
        "set image @deploy -l app=@name c=five",
    ],
    "image of no container": ["set image @deploy/@name foo=two"],
    "image that is none": ["set image @deploy/@name c="],
    "no image": ["set image @deploy/@name"],
    "image of all and some": ["set image @deploy/@name c=two *=three"],
    "image before resource": ["set image @deploy/@name c=two x"],
    "image removed": ["set image @deploy/@name c-"],
    "image of a type": ["set image @deploy c=two"],
    "image of all by label": ["set image @deploy c=two --all -l a=b"],
    "image of what has none": ["set image configmap/conf c=two"],
    "image of a local name": ["set image @deploy/@name c=two --local"],
    "environment": [
        "set env @deploy/@name A=1 B=2",
        "set env @deploy/@name --list",
        "set env @deploy/@name A- C=3",
        "set env @deploy/@name C=3",
        "set env @deploy/@name C=4 --overwrite=false",
        "set env @deploy/@name -e D=1 -e E=2",
        "set env @deploy/@name --list -c c*",
        "set env @deploy/@name X=1 --dry-run=client",
    ],
    "environment from elsewhere": [
        "set env @deploy/@name --from=configmap/conf --keys=some-key",  # of several keys kubectl's order is by chance
        "set env @deploy/@name --from=configmap/conf --keys=B --prefix=P_",
        "set env @deploy/@name --from=secret/secret",
        "set env @deploy/@name --list",
        "set env @deploy/@name --list --resolve",
        "set env @deploy/@name --from=secret/nope",
        "set env @deploy/@name --keys=B A=1",
    ],
    "environment, wrong names": ["set env @deploy/@name 1A=1", "set env @deploy/@name ..A=1"],
    "environment, both": ["set env @deploy/@name A=1 A-"],
    "environment, nothing": ["set env @deploy/@name", "set env A=1"],
    "environment, no container": ["set env @deploy/@name -c nope A=1"],
    "environment, list and output": ["set env @deploy/@name --list -o yaml"],
    "resources": [
        "set resources @deploy/@name --limits=cpu=200m,memory=512Mi --requests=cpu=0.1",
        "set resources @deploy/@name --limits=cpu=0.2",
        "set resources @deploy/@name --requests=cpu=2",
        "set resources @deploy/@name --limits=cpu=1 -c c*",
    ],
    "resources, wrong": [
        "set resources @deploy/@name",
        "set resources @deploy/@name --limits=cpu",
        "set resources @deploy/@name --limits=cpu=x",
        "set resources @deploy/@name --limits=cpu=1 -c nope",
    ],
    "exec in nothing": ["exec @deploy/nope -- true", "exec @deploy/@name"],
    "forward to nothing": ["port-forward @deploy/nope 80", "port-forward @deploy/@name"],
    "wait for a pod": ["exec @deploy/@name --pod-running-timeout=1s -- true"],
    "wait for a pod of a Service": [
        "logs svc/nobody --pod-running-timeout=1s",
        "exec svc/nobody --pod-running-timeout=1s -- true",
        "port-forward svc/nobody --pod-running-timeout=1s 80",
    ],
    "unknown command": ["rollout foo"],
    "unknown options": ["set image @deploy/@name --foo", "set image @deploy/@name -Z"],
}

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {app: NAME}}
spec:
  replicas: 0
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: c, image: one}]}
"""

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def shells(kubeconfig: Path) -> Iterator[tuple[CommandLine, CommandLine]]:
    """Return a shell for stock kubectl and one for the plugin, in namespaces that hold the same."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    sides = (namespace(kubeconfig, f"words-{side}-{worker}") for side in ("stock", "ours"))
    for stock, ours in zip(*sides, strict=True):
        for shell in (stock, ours):
            shell.done("create", "configmap", "conf", "--from-literal=some-key=1", "--from-literal=B=2")
            shell.done("create", "secret", "generic", "secret", "--from-literal=word=x")
            shell.done("create", "service", "clusterip", "nobody", "--tcp=80")
        yield stock, ours


@pytest.mark.parametrize("story", [pytest.param(story, id=title) for title, story in STORIES.items()])
def test_words(shells: tuple[CommandLine, CommandLine], story: list[str]) -> None:
    """Every command of a story prints the same, and ends with the same code."""
    stock, ours = shells
    name = f"web-{next(NUMBERS)}"
    for shell in shells:
        shell.done("create", "--filename=-", stdin=MANIFEST.replace("NAME", name))
        shell.done("rollout", "status", f"deploy/{name}")
    for command in story:
        want = _without_namespace(stock.kubectl(*_words(command, name, stock, "deploy")))
        got = _without_namespace(ours.plugin(*_words(command, name, ours, "deployments.apps")))
        assert got == want, command


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("logs @deploy/@name", id="logs of one pod out of several"),
        pytest.param("logs @deploy/@name --all-pods", id="logs of all pods"),
        pytest.param("logs @deploy/@name nope", id="logs of no container"),
        pytest.param("exec @deploy/@name -- true", id="exec"),
        pytest.param("exec -it @deploy/@name -c nope -- true -x", id="exec in no container"),
        pytest.param("port-forward @deploy/@name 8080:80", id="port-forward"),
    ],
)
def test_words_about_pods(shells: tuple[CommandLine, CommandLine], command: str) -> None:
    """The same pod of a Deployment is chosen: both look at the same one, whose pods have no node to run on."""
    stock, _ = shells
    name = f"pods-{next(NUMBERS)}"
    manifest = MANIFEST.replace("NAME", name).replace("replicas: 0", "replicas: 3")
    stock.done("create", "--filename=-", stdin=manifest.replace("spec: {c", "spec: {nodeSelector: {no: node}, c"))
    stock.done("wait", "--for=jsonpath={.status.replicas}=3", f"deploy/{name}", "--timeout=30s")
    want = stock.kubectl(*_words(command, name, stock, "deploy"))
    got = stock.plugin(*_words(command, name, stock, "deployments.apps"))
    stock.done("delete", "deployment", name)
    assert got == want


def test_every_option_of_kubectl_is_understood() -> None:
    """Those that `kubectl options` lists, long and short: they are kubectl's own business."""
    kubectl = binaries.find(PROGRAMS["kubectl"], DEFAULT, None)
    listed = subprocess.run([kubectl, "options"], capture_output=True, text=True, check=True).stdout
    want = {name for line in listed.splitlines() for name in re.findall(r"(?<![\w-])--?[\w-]+", line.partition("=")[0])}

    assert len(want) > 20
    assert want <= {name for param in rollout.commands.params for name in param.opts}


def _words(command: str, name: str, shell: CommandLine, kind: str) -> list[str]:
    replaced = command.replace("@deploy", kind).replace("@name", name).replace("@ns", shell.namespace)
    return replaced.split()


def _without_namespace(said: Said) -> Said:
    """Take out what must differ: the namespace, and the program's name."""
    stdout, stderr = (
        re.sub(r"words-(stock|ours)-\w+", "words", text).replace("kubectl kopfwerk", "kubectl")
        for text in (said.stdout, said.stderr)
    )
    return Said(stdout, stderr, said.code)
