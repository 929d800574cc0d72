"""Every command of the documents is run by a test.

Those of a session, on the embedded cluster, tests/cluster types; those about a real one, the end-to-end tests. Of what
is in a sentence only docs/install.md and docs/operate.md are gone through; docs/kubectl.md, which is a table of
commands, is left to tests/apiserver/test_plugin_*.py and test_stock_kubectl.py.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.support.documented import (
    DOCUMENTS,
    NATIVE,
    ROOT,
    SESSIONS,
    blocks,
    commands,
    languages,
    pages,
    session,
    typed,
)

BY_MAKE: Final = "Makefile"
LIFECYCLE: Final = "tests/cluster/test_lifecycle.py"
ELSEWHERE: Final = {
    "make kind": (BY_MAKE, "e2e-ready: kind\n"),
    "kind create cluster --config kind-config.yaml": (
        BY_MAKE,
        "kind create cluster --name $(KIND) --config kind-config.yaml",
    ),
    "docker build -t kopfwerk:dev .": (BY_MAKE, "docker build --build-arg BASE=$(BASE) --tag $(IMAGE) ."),
    "kind load docker-image kopfwerk:dev": (BY_MAKE, "kind load docker-image $(IMAGE) --name $(KIND)"),
    "make kind-native": (BY_MAKE, "e2e-native-ready: kind-native\n"),
    "helm install kopfwerk helm/kopfwerk --namespace kopfwerk-system --create-namespace --set native.enabled=true": (
        BY_MAKE,
        "$(HELM) --set native.enabled=true",
    ),
    "kubeadm kubeconfig user --client-name=system:serviceaccount:kopfwerk-system:kopfwerk"
    " >/etc/kubernetes/kopfwerk.conf": (
        BY_MAKE,
        "kubeadm kubeconfig user --config=/kind/kubeadm.conf --client-name=$(ACCOUNT)",
    ),
    "chown 65532 /etc/kubernetes/kopfwerk.conf && chmod 600 /etc/kubernetes/kopfwerk.conf": (
        BY_MAKE,
        "chown 65532 /tmp/kopfwerk.conf; mv /tmp/kopfwerk.conf /etc/kubernetes/",
    ),
    "cp static-pod.yaml /etc/kubernetes/manifests/kopfwerk.yaml": (
        BY_MAKE,
        "mv /tmp/kopfwerk.yaml /etc/kubernetes/manifests/",
    ),
    "helm upgrade … --set scheduler.replaceDefault=false": (
        "tests/e2e/one_by_one/test_scheduler.py",
        "--set=scheduler.replaceDefault={wanted}",
    ),
    "kopfwerk run --native --namespace kopfwerk-system": ("operators/cluster/arguments.py", '["--native"] if native'),
    "kopfwerk run --native --kubeconfig FILE": ("operators/cluster/arguments.py", '["--native"] if native'),
    "kopfwerk up": (LIFECYCLE, 'kopfwerk.start("up", '),
    "kopfwerk up --native": ("tests/cluster/test_documents.py", 'Settings(name="documents-native", native=True)'),
    "kopfwerk up --scheduler default": ("tests/scheduler/test_embedded.py", "scheduler=DEFAULT_SCHEDULER"),
    "make up": (BY_MAKE, "@$(BIN)/kopfwerk up $(ARGS)"),
    "make test": (".ci/run", "make test "),
    "export KUBECONFIG=...": (LIFECYCLE, 'f"export KUBECONFIG={user}" in said'),
    "helm upgrade kopfwerk helm/kopfwerk --namespace kopfwerk-system --reset-then-reuse-values"
    " --set scheduler.enabled=true --set scheduler.replaceDefault=true": (
        "tests/e2e/one_by_one/test_scheduler.py",
        'f"--set=scheduler.enabled={wanted}", f"--set=scheduler.replaceDefault={wanted}"',
    ),
    "kubectl --namespace argocd patch configmap argocd-cm --patch-file docs/gitops/argocd-cm.yaml": (
        "tests/gitops/test_argocd.py",
        '(ROOT / "docs/gitops/argocd-cm.yaml").read_text()',
    ),
}
"""What a test runs in other words, for another name, folder or namespace: the file that does, and its words."""

NOT_RUN: Final = {
    "docker build -t registry.example.com/kopfwerk:0.1.0 --build-arg VERSION=0.1.0 .": "the build, of another name",
    "docker push registry.example.com/kopfwerk:0.1.0": "takes a registry",
    "helm install kopfwerk helm/kopfwerk --namespace kopfwerk-system --create-namespace --wait"
    " --set image.repository=registry.example.com/kopfwerk --set image.tag=0.1.0": "takes a registry",
    "kubectl describe certificate": "takes cert-manager",
    "python -m tests.support.crdgen.snapshot KUBECTL KUBECONFIG": "takes an apiserver of another release",
}
"""What needs more than the tests have, and what that is."""

NOT_TYPED: Final = {
    "docs/benchmark.md": "takes an hour and an idle machine; tests/bench tests what it is made of",
    "docs/probes.md": "takes a web server that comes and goes; tests/apiserver/test_podprobe.py has its own",
}
"""Documents of which no command is run as it is written."""


@cache
def by_e2e() -> frozenset[str]:
    """Return the words of the end-to-end tests that take commands from the documents."""
    found = set()
    for file in sorted((ROOT / "tests/e2e").rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        if any(isinstance(node, ast.Name) and node.id == "documented" for node in ast.walk(tree)):
            found |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return frozenset(word for word in found if isinstance(word, str))


SESSION: Final = frozenset(command for document in (*SESSIONS, NATIVE) for command in session(document))
COMMANDS: Final = sorted(
    {command for document in DOCUMENTS for command in commands(document)}
    | {command for document in pages() if document not in NOT_TYPED for command in typed(document)}
)
"""What is in a block of any document, and in the sentences of those about a real cluster."""


@pytest.mark.parametrize("command", COMMANDS)
def test_each_is_run(command: str) -> None:
    """As it is written, or by a file that says the same of another name; else there is a reason why not."""
    ways = [command in by_e2e() or command in SESSION, command in ELSEWHERE, command in NOT_RUN]
    assert sum(ways) == 1, f"{command} is run by no test, or in several ways"


@pytest.mark.parametrize("command", ELSEWHERE)
def test_each_other_way_is_there(command: str) -> None:
    """What stands for a command is still in the file that was named, and the command in the documents."""
    file, words = ELSEWHERE[command]
    assert words in Path(ROOT / file).read_text()
    assert command in COMMANDS


def test_reasons_are_for_what_there_is() -> None:
    """No reason is left from a command that is gone."""
    assert set(NOT_RUN) <= set(COMMANDS)
    assert set(NOT_TYPED) <= set(pages())


@pytest.mark.parametrize("document", pages())
def test_a_block_says_what_it_is(document: str) -> None:
    """Commands are found by the language of their block; one without any is output, and nobody types it."""
    assert languages(document) <= {"sh", "console", "yaml", "dockerfile", ""}
    words = [line.split()[0] for body in blocks(document, "") for line in body.splitlines() if line.strip()]
    assert not {"kubectl", "kopfwerk", "helm", "make", "docker", "kind", "python"} & set(words)


def test_kind_config_leaves_the_name_to_kind() -> None:
    """Whoever names no cluster to `kind load` and `kind delete` means kind's default one, so it has to be that."""
    assert "name" not in yaml.safe_load((ROOT / "kind-config.yaml").read_text())
