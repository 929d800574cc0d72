"""What `rollout status` says, and when it ends."""

from typing import Any

import pytest

from operators.core.kubectl.kinds import Refused
from operators.core.kubectl.status import Progress, progress
from operators.core.objects import Obj


def deployment(*, generation: int = 2, observed: int = 2, replicas: int = 3, reason: str = "", **counts: int) -> Obj:
    """Build a Deployment as far as its status is judged; counts are status fields, all 3 where not given."""
    status: dict[str, Any] = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3} | counts
    status["observedGeneration"] = observed
    status["conditions"] = [{"type": "Progressing", "status": "True", "reason": reason}]
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "generation": generation,
            "annotations": {"deployment.kubernetes.io/revision": "4"},
        },
        "spec": {"replicas": replicas},
        "status": status,
    }


WAITING = 'Waiting for deployment "web" rollout to finish:'


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(
            deployment(observed=1, reason="ProgressDeadlineExceeded"),
            Progress("Waiting for deployment spec update to be observed..."),
            id="a status of an older generation says nothing, not even that it failed",
        ),
        pytest.param(
            deployment(updatedReplicas=1, availableReplicas=0),
            Progress(f"{WAITING} 1 out of 3 new replicas have been updated..."),
            id="replicas to update come first",
        ),
        pytest.param(
            deployment(replicas=2, updatedReplicas=2, availableReplicas=1),
            Progress(f"{WAITING} 1 old replicas are pending termination..."),
            id="then old ones to end",
        ),
        pytest.param(
            deployment(availableReplicas=2),
            Progress(f"{WAITING} 2 of 3 updated replicas are available..."),
            id="then availability",
        ),
        pytest.param(deployment(), Progress('deployment "web" successfully rolled out', done=True), id="done"),
        pytest.param(
            deployment(replicas=0, updatedReplicas=0, availableReplicas=0) | {"status": {"observedGeneration": 2}},
            Progress('deployment "web" successfully rolled out', done=True),
            id="nothing wanted and nothing there is done",
        ),
    ],
)
def test_progress(obj: Obj, want: Progress) -> None:
    """Each stage of a rollout has its sentence."""
    assert progress(obj, 0) == want


@pytest.mark.parametrize(
    ("obj", "revision", "want"),
    [
        pytest.param(
            deployment(reason="ProgressDeadlineExceeded"),
            0,
            'deployment "web" exceeded its progress deadline',
            id="deadline",
        ),
        pytest.param(
            deployment(), 3, "desired revision (3) is different from the running revision (4)", id="other revision"
        ),
        pytest.param(
            deployment() | {"kind": "ReplicaSet"},
            0,
            "no status viewer has been implemented for ReplicaSet.kopfwerk.dev",
            id="kind without rollouts",
        ),
        pytest.param(
            deployment() | {"apiVersion": "example.org/v1"},
            0,
            "no status viewer has been implemented for Deployment.example.org",
            id="namesake of a foreign group",
        ),
    ],
)
def test_progress_refused(obj: Obj, revision: int, want: str) -> None:
    """What cannot end well is refused in kubectl's words."""
    with pytest.raises(Refused) as caught:
        progress(obj, revision)
    assert str(caught.value) == want


def test_pinned_revision_passes() -> None:
    """The revision that runs may be pinned."""
    assert progress(deployment(), 4).done


def _daemonset(observed: int = 2, strategy: str = "RollingUpdate", **counts: int) -> Obj:
    """Build a DaemonSet as far as its status is judged; counts are all 3 where not given."""
    status = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3} | counts
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "generation": 2},
        "spec": {"updateStrategy": {"type": strategy}},
        "status": status | {"observedGeneration": observed},
    }


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(
            _daemonset(observed=1), Progress("Waiting for daemon set spec update to be observed..."), id="not observed"
        ),
        pytest.param(
            _daemonset(updatedNumberScheduled=1, numberAvailable=0),
            Progress('Waiting for daemon set "agent" rollout to finish: 1 out of 3 new pods have been updated...'),
            id="pods to update come first",
        ),
        pytest.param(
            _daemonset(numberAvailable=2),
            Progress('Waiting for daemon set "agent" rollout to finish: 2 of 3 updated pods are available...'),
            id="then availability",
        ),
        pytest.param(_daemonset(), Progress('daemon set "agent" successfully rolled out', done=True), id="done"),
    ],
)
def test_daemonset_progress(obj: Obj, want: Progress) -> None:
    """A DaemonSet's rollout is told in kubectl's words."""
    assert progress(obj, 0) == want


def test_daemonset_on_delete_has_no_rollout() -> None:
    """Nothing rolls out by itself, so there is nothing to wait for."""
    with pytest.raises(Refused, match="only available for RollingUpdate"):
        progress(_daemonset(strategy="OnDelete"), 0)
