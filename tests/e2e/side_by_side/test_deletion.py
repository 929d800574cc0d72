"""What goes with a workload, and what stays."""

import pytest

from tests.e2e.manifests import deployment
from tests.e2e.shell import Shell, eventually, run

WHAT = "deployments.kopfwerk.dev,replicasets.kopfwerk.dev,pods"


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_cascade(shell: Shell, cascade: str) -> None:
    """ReplicaSets and pods go with their Deployment."""
    shell.apply(deployment(2))
    shell.rolled_out()
    shell.kubectl("delete", "deployments.kopfwerk.dev", "web", f"--cascade={cascade}")
    eventually("nothing is left", lambda: shell.get(WHAT) == [])


def test_orphans_are_adopted_again(shell: Shell) -> None:
    """What was orphaned keeps running, and belongs to the Deployment that is created anew."""
    shell.apply(deployment(2))
    shell.rolled_out()
    what = "replicasets.kopfwerk.dev,pods"
    before = {obj["metadata"]["uid"] for obj in shell.get(what)}
    shell.kubectl("delete", "deployments.kopfwerk.dev", "web", "--cascade=orphan")
    (replicaset,) = shell.get("replicasets.kopfwerk.dev")
    assert not replicaset["metadata"].get("ownerReferences")
    shell.apply(deployment(2))
    shell.rolled_out()
    (replicaset,) = shell.get("replicasets.kopfwerk.dev")
    assert replicaset["metadata"]["ownerReferences"][0]["kind"] == "Deployment"
    assert {obj["metadata"]["uid"] for obj in shell.get(what)} == before


def test_namespace(shell: Shell) -> None:
    """A namespace with a running workload can be deleted, and nothing comes back in it."""
    shell.apply(deployment(3))
    shell.rolled_out()
    run("kubectl", "delete", "namespace", shell.namespace, "--timeout=90s")
