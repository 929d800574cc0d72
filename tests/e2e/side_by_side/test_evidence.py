"""What a failed test has to show."""

import pytest

from operators.core.objects import KOPFWERK
from tests.e2e import evidence
from tests.e2e.manifests import OURS, service
from tests.e2e.shell import Shell, run

DAY = 24 * 3600


@pytest.mark.xdist_group("kinds and release")
def test_nothing_is_left_out(shell: Shell) -> None:
    """All kinds of ours are shown and no secret is, with the log and the figures of each operator."""
    shell.apply(service(api=OURS))
    shell.kubectl("create", "secret", "generic", "password", "--from-literal=word=xyzzy")
    shell.kubectl("wait", "services.kopfwerk.dev/web", "--for=condition=Ready", "--timeout=60s")
    ours = set(run("kubectl", "api-resources", f"--api-group={KOPFWERK}", "--output=name").split())
    assert ours
    assert ours <= set(evidence.kinds())
    shown = dict(evidence.evidence(shell.namespace, DAY))  # the operator may have had nothing to say for a while
    objects = shown[f"objects of {shell.namespace}"]
    for kind in ("Service", "EndpointSlice", "Event", "ServiceAccount"):
        assert f"kind: {kind}\n" in objects
    assert "kind: Secret" not in objects
    assert "leader_election_master_status" in "".join(text for title, text in shown.items() if "figures of" in title)
    assert '"msg"' in "".join(text for title, text in shown.items() if title.startswith("log of"))
