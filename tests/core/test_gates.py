"""Readiness gates that workloads add to their pods: which, whose, and what they leave alone."""

from typing import Any

import pytest

from operators.core import deployment as deployments
from operators.core.gates import ANNOTATION, asked, gated
from operators.core.hashing import template_hash
from operators.core.objects import Obj
from operators.core.plan import Create, Patch
from operators.core.replicaset.plan import pod_of
from tests.support.builders import NOW, deployment, member, metadata, replicaset, statefulset, template
from tests.support.daemons import daemonset
from tests.support.jobs import job

GATED = {ANNOTATION: "web"}
WANT = [{"conditionType": "probe.kopfwerk.dev/web"}]


@pytest.mark.parametrize(
    ("annotation", "want"),
    [
        pytest.param("web", ["web"], id="one"),
        pytest.param("web, db,web", ["web", "db"], id="several, one of them twice"),
        pytest.param("", [], id="nothing"),
        pytest.param(" , ", [], id="nothing but a comma"),
    ],
)
def test_names(annotation: str, want: list[str]) -> None:
    """They are PodProbes', with commas between them."""
    found = asked(replicaset(annotations={ANNOTATION: annotation}))
    assert list(found) == [f"probe.kopfwerk.dev/{name}" for name in want]


@pytest.mark.parametrize(
    "workload",
    [
        pytest.param(replicaset(annotations=GATED), id="ReplicaSet"),
        pytest.param(statefulset(annotations=GATED), id="StatefulSet"),
        pytest.param(daemonset(annotations=GATED), id="DaemonSet"),
        pytest.param(job(group="kopfwerk.dev") | {"metadata": metadata("job", annotations=GATED)}, id="Job"),
    ],
)
def test_pods_of_ours_are_gated(workload: Obj) -> None:
    """Whichever workload makes them; its template stays as it is."""
    before = template_hash(workload["spec"]["template"], None)
    assert pod_of(workload)["spec"]["readinessGates"] == WANT
    assert template_hash(workload["spec"]["template"], None) == before
    assert "readinessGates" not in workload["spec"]["template"]["spec"]


def test_built_in_kinds_are_left_alone() -> None:
    """Upstream knows no such annotation."""
    assert "readinessGates" not in pod_of(replicaset(group="apps", annotations=GATED))["spec"]


@pytest.mark.parametrize(
    ("there", "want"),
    [
        pytest.param([], WANT, id="none"),
        pytest.param(WANT, WANT, id="the same"),
        pytest.param([{"conditionType": "a/b"}], [{"conditionType": "a/b"}, *WANT], id="another"),
    ],
)
def test_gates_of_the_template_come_first(there: list[Obj], want: list[Obj]) -> None:
    """None is there twice."""
    spec = template()["spec"] | {"readinessGates": there}
    assert gated(replicaset(annotations=GATED), spec)["readinessGates"] == want


@pytest.mark.parametrize(
    ("deployed", "has", "want"),
    [
        pytest.param(GATED, {}, GATED, id="asked for"),
        pytest.param({}, GATED, {ANNOTATION: None}, id="no longer asked for"),
        pytest.param(GATED, GATED, None, id="as it is"),
        pytest.param({}, {}, None, id="never"),
    ],
)
def test_a_new_replicaset_follows_its_deployment(
    deployed: dict[str, str], has: dict[str, str], want: dict[str, Any] | None
) -> None:
    """It is patched in place: no other one is made, and none is scaled."""
    parent = deployment(replicas=3, annotations=deployed | {"deployment.kubernetes.io/revision": "1"})
    new = member(parent, "new", replicas=3, image="app:2", sized_for=(3, 4), annotations=has)
    steps = list(deployments.plan(deployments.Observed(parent, (new,), {}, NOW)).steps)
    assert not [step for step in steps if isinstance(step, Create)]
    assert [step.body for step in steps if isinstance(step, Patch)] == (
        [{"metadata": {"annotations": want}}] if want else []
    )
