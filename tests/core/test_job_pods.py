"""The pods that Jobs make, and what is read from those that there are."""

import pytest

from operators.core import job as rules
from operators.core import pods, runs
from operators.core.job import pods as made
from operators.core.objects import Obj
from operators.core.plan import Create, Plan
from tests.support.builders import ago, metadata
from tests.support.jobs import indexed, job, run, seen, told


def first(plan: Plan) -> Obj:
    """Return the first pod that is made."""
    step = next(plan.steps)
    assert isinstance(step, Create)
    return step.body


def test_a_pod_is_the_template_with_the_finalizer() -> None:
    """And with the Job as its controller."""
    body = first(rules.plan(seen(job())))
    assert body["metadata"]["generateName"] == "job-"
    assert body["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    assert body["metadata"]["ownerReferences"][0]["uid"] == "uid-job"
    assert body["spec"] == {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}


def test_a_custom_resource_gets_the_labels_that_upstream_generates() -> None:
    """Nobody generates a selector for it: the labels do what it would."""
    parent = job(group="kopfwerk.dev")
    del parent["spec"]["selector"]
    parent["spec"]["template"]["metadata"]["labels"] = {"mine": "yes"}
    body = first(rules.plan(seen(parent)))
    assert body["metadata"]["labels"] == {
        "mine": "yes",
        "job-name": "job",
        "batch.kubernetes.io/job-name": "job",
        "controller-uid": "uid-job",
        "batch.kubernetes.io/controller-uid": "uid-job",
    }
    assert rules.selector(parent).matches(body["metadata"]["labels"])


def test_a_selector_of_the_users_own_is_taken_as_it_is() -> None:
    """With manualSelector nothing is generated."""
    parent = job(group="kopfwerk.dev", manualSelector=True, selector={"matchLabels": {"mine": "yes"}})
    parent["spec"]["template"]["metadata"]["labels"] = {"mine": "yes"}
    assert first(rules.plan(seen(parent)))["metadata"]["labels"] == {"mine": "yes"}
    assert str(rules.selector(parent)) == "mine=yes"


def test_a_pod_of_an_index_says_which() -> None:
    """In its annotation, label, hostname and name, and to its containers in a variable."""
    body = first(rules.plan(seen(indexed(1))))
    assert body["metadata"]["annotations"] == {runs.INDEX: "0"}
    assert body["metadata"]["labels"][runs.INDEX] == "0"
    assert body["metadata"]["generateName"] == "job-0-"
    assert body["spec"]["hostname"] == "job-0"
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{runs.INDEX}']"}}
    assert body["spec"]["containers"][0]["env"] == [{"name": "JOB_COMPLETION_INDEX", "valueFrom": source}]


def test_a_variable_of_that_name_is_left_alone() -> None:
    """Whoever sets it means it."""
    parent = indexed(1)
    container = parent["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "JOB_COMPLETION_INDEX", "value": "7"}]
    assert first(rules.plan(seen(parent)))["spec"]["containers"][0]["env"] == container["env"]


@pytest.mark.parametrize(
    ("name", "index", "want"),
    [
        pytest.param("job", 3, "job-3-", id="short"),
        pytest.param("j" * 70, 12, "j" * 54 + "-12-", id="cut before the index"),
    ],
)
def test_the_index_is_never_cut_from_a_name(name: str, index: int, want: str) -> None:
    """A long name is shortened instead."""
    assert made.generate_name(name, index) == want


IGNORED = {"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}]}


@pytest.mark.parametrize(
    ("spec", "before", "want"),
    [
        pytest.param({}, None, {runs.INDEX_FAILURES: "0"}, id="the first"),
        pytest.param({}, {"failures": 1}, {runs.INDEX_FAILURES: "2"}, id="after a failure"),
        pytest.param(
            {"podFailurePolicy": IGNORED},
            {"failures": 1},
            {runs.INDEX_FAILURES: "1", runs.INDEX_IGNORED: "1"},
            id="after one that is ignored",
        ),
    ],
)
def test_a_pod_takes_on_its_index_failures(spec: Obj, before: dict[str, int] | None, want: dict[str, str]) -> None:
    """They are nowhere else than in the pods."""
    failed = () if before is None else (run("a", phase="Failed", index=0, ended=1000, **before),)  # type: ignore[arg-type]
    body = first(rules.plan(seen(indexed(1, backoffLimitPerIndex=5, **spec), *failed)))
    assert {key: value for key, value in body["metadata"]["annotations"].items() if key != runs.INDEX} == want


def raw(status: Obj, **meta: object) -> Obj:
    """Return a pod's JSON."""
    return {"metadata": metadata("p", age=500) | meta, "spec": {}, "status": status}


def ended(*seconds: float | None) -> list[Obj]:
    """Return the states of containers, each ended so long ago, or not."""
    return [
        {"name": f"c{n}", "state": {"terminated": {"exitCode": 0, "finishedAt": ago(s)}} if s is not None else {}}
        for n, s in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("obj", "want"),
    [
        pytest.param(raw({"containerStatuses": ended(30, 20)}), 20, id="the last container"),
        pytest.param(
            raw({"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": ago(40)}]}), 40, id="unready"
        ),
        pytest.param(
            raw({"containerStatuses": ended(30, None)}, deletionTimestamp=ago(5), deletionGracePeriodSeconds=30),
            35,
            id="deleted, before a container ended",
        ),
        pytest.param(raw({}), 500, id="nothing known"),
    ],
)
def test_when_a_pod_ended(obj: Obj, want: float) -> None:
    """By its containers, else by what else is known."""
    found = pods.parse(obj).run
    assert found is not None
    assert found.finished.strftime("%Y-%m-%dT%H:%M:%SZ") == ago(want)


def test_a_sidecar_counts_among_the_containers() -> None:
    """It ends last."""
    obj = raw({"containerStatuses": ended(30), "initContainerStatuses": [ended(None, 5)[1], ended(1)[0]]})
    obj["spec"] = {"initContainers": [{"name": "c1", "restartPolicy": "Always"}, {"name": "c0"}]}
    found = pods.parse(obj).run
    assert found is not None
    assert found.finished.strftime("%Y-%m-%dT%H:%M:%SZ") == ago(5)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("3", 3, id="a number"),
        pytest.param("-1", None, id="negative"),
        pytest.param("x", None, id="no number"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_reads_an_index(text: str | None, want: int | None) -> None:
    """One that cannot be read is none."""
    found = run("p", index=text).run
    assert found is not None
    assert found.index == want


def test_only_pods_that_a_job_may_have_are_read_for_it() -> None:
    """The cache of a cluster of Deployments stays small."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata("rs")}
    assert pods.parse({"metadata": metadata("p", owner=owner)}).run is None


@pytest.mark.parametrize(
    ("group", "pod", "present", "want"),
    [
        pytest.param("batch", run("p"), None, ["strip p"], id="its Job is gone"),
        pytest.param("batch", run("p"), job(), [], id="its Job is there"),
        pytest.param(
            "batch",
            run("p", of=job("other")),
            job("other") | {"metadata": metadata("new")},
            ["strip p"],
            id="another has the name",
        ),
        pytest.param("batch", run("p", tracked=False), None, [], id="nothing to take off"),
        pytest.param("kopfwerk.dev", run("p"), None, [], id="of another group"),
        pytest.param("kopfwerk.dev", run("p", of=job(group="kopfwerk.dev")), None, ["strip p"], id="of ours"),
    ],
)
def test_pods_that_wait_in_vain(group: str, pod: pods.Pod, present: Obj | None, want: list[str]) -> None:
    """A finalizer that nobody will ever take off is taken off."""
    strays = [pod] if rules.is_stray(pod, group, present) else []
    assert told(rules.release(strays)) == want
