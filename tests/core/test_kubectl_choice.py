"""Which pod is taken for logs and for attaching."""

import pytest

from operators.core.kubectl import choice
from operators.core.objects import Obj
from tests.support.jobs import job


def pod(name: str, **facts: object) -> Obj:
    """Build a pod: on a node, running and ready since the first of the month, unless `facts` say otherwise."""
    meta = {
        "name": name,
        "namespace": "default",
        "uid": name,
        "resourceVersion": "1",
        "creationTimestamp": facts.get("created", "2026-01-01T00:00:00Z"),
    }
    if "deleted" in facts:
        meta["deletionTimestamp"] = facts["deleted"]
    ready = {"type": "Ready", "status": facts.get("ready", "True")}
    ready["lastTransitionTime"] = facts.get("since", "2026-01-01T00:00:00Z")
    return {
        "metadata": meta,
        "spec": {"nodeName": facts.get("node", "n"), "containers": []},
        "status": {
            "phase": facts.get("phase", "Running"),
            "conditions": [ready],
            "containerStatuses": [{"name": "c", "restartCount": facts.get("restarts", 0)}],
        },
    }


BEST = pod("best")
SHARED = [
    pytest.param(pod("x", node=""), id="no node"),
    pytest.param(pod("x", phase="Unknown"), id="unknown"),
    pytest.param(pod("x", phase="Pending"), id="pending"),
    pytest.param(pod("x", ready="False"), id="not ready"),
    pytest.param(pod("x", since="2026-01-02T00:00:00Z"), id="ready for less time"),
    pytest.param(pod("x", created="2026-01-02T00:00:00Z"), id="younger"),
]


@pytest.mark.parametrize("worse", SHARED)
def test_both_prefer(worse: Obj) -> None:
    """What runs well for long is preferred for either purpose."""
    assert choice.for_logs([worse, BEST])[0] == BEST
    assert choice.for_attaching([worse, BEST])[0] == BEST


def test_restarts_are_worth_logs() -> None:
    """Logs of the pod that restarted most are the most telling; to attach, the steadiest is best."""
    restarted = pod("restarted", restarts=3)
    assert choice.for_logs([BEST, restarted])[0] == restarted
    assert choice.for_attaching([restarted, BEST])[0] == BEST


def test_attaching_avoids_what_is_being_deleted() -> None:
    """A pod that is being deleted is attached to only where all are, and then to the one deleted last."""
    early, late = pod("early", deleted="2026-01-03T00:00:00Z"), pod("late", deleted="2026-01-04T00:00:00Z")
    assert choice.for_attaching([early, late, BEST]) == [BEST, late, early]


def test_ended_pods() -> None:
    """An ended pod counts as running for its logs, and as pending to attach to."""
    ended, unknown = pod("ended", phase="Succeeded", ready="False"), pod("unknown", phase="Unknown", ready="False")
    assert choice.for_logs([unknown, ended])[0] == ended
    assert choice.for_attaching([ended, unknown])[0] == unknown


def test_alike_keep_their_order() -> None:
    """Where nothing tells two pods apart, the list's order decides."""
    assert [one["metadata"]["name"] for one in choice.for_logs([pod("b"), pod("a")])] == ["b", "a"]


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        pytest.param({"matchLabels": {"b": "1", "a": "2"}}, "a=2,b=1", id="labels"),
        pytest.param(
            {"matchExpressions": [{"key": "t", "operator": "In", "values": ["y", "x"]}]}, "t in (x,y)", id="in"
        ),
        pytest.param(
            {"matchExpressions": [{"key": "t", "operator": "NotIn", "values": ["x"]}]}, "t notin (x)", id="not in"
        ),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]},
            "!b,a",
            id="exists and not",
        ),
    ],
)
def test_selector_text(selector: Obj, want: str) -> None:
    """A selector is written as kubectl reads it."""
    assert choice.selector_text(selector) == want


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(
            job(group="kopfwerk.dev", selector=None), "batch.kubernetes.io/controller-uid=uid-job", id="generated"
        ),
        pytest.param(job(), "batch.kubernetes.io/controller-uid=uid-job", id="in the object"),
        pytest.param(job(manualSelector=True, selector={"matchLabels": {"a": "b"}}), "a=b", id="the user's own"),
    ],
)
def test_selector_of_a_job(obj: Obj, want: str) -> None:
    """A Job's pods are found by its UID, whether or not the object says so."""
    assert choice.pod_selector(obj) == want
