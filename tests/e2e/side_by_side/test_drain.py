"""A node that is drained."""

import pytest

from tests.e2e import scenarios
from tests.e2e.manifests import deployment
from tests.e2e.shell import Shell, run


@pytest.mark.xdist_group("all nodes")
def test_drain_within_a_disruption_budget(shell: Shell) -> None:
    """A drain waits for the replacements that the budget asks for, and ends."""
    shell.apply(deployment(3, "drained"))
    shell.kubectl("create", "poddisruptionbudget", "drained", "--selector=app=drained", "--min-available=2")
    shell.rolled_out("drained")
    node = shell.pods(app="drained")[0]["spec"]["nodeName"]
    try:
        run(
            "kubectl",
            "drain",
            node,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--pod-selector=app=drained",
            "--timeout=120s",
        )
        shell.rolled_out("drained")
        assert scenarios.ready_elsewhere(shell, node, "drained") == 3
    finally:
        run("kubectl", "uncordon", node)
