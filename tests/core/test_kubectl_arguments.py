"""What the words of a command line mean."""

import pytest

from operators.core.kubectl import environment
from operators.core.kubectl.kinds import Refused, is_workload, pod_template, reference, resource_arguments, resource_of
from operators.core.objects import Obj


@pytest.mark.parametrize(
    ("args", "want"),
    [
        pytest.param(["deploy/web"], ["deployments.kopfwerk.dev/web"], id="short name"),
        pytest.param(["Deployment", "a", "b"], ["deployments.kopfwerk.dev", "a", "b"], id="type and names"),
        pytest.param(
            ["kdeploy/a", "krs/b"], ["deployments.kopfwerk.dev/a", "replicasets.kopfwerk.dev/b"], id="several"
        ),
        pytest.param(["deploy,rs"], ["deployments.kopfwerk.dev,replicasets.kopfwerk.dev"], id="several types"),
        pytest.param(["deploy", "deploy"], ["deployments.kopfwerk.dev", "deploy"], id="a name may look like a type"),
        pytest.param(["deploy.kopfwerk.dev/web"], ["deployments.kopfwerk.dev/web"], id="short name with our group"),
        pytest.param(["deploy.apps/web"], ["deployments.apps/web"], id="the built-in kind by its group"),
        pytest.param(["deployments.v1.apps/web"], ["deployments.v1.apps/web"], id="the built-in kind by its version"),
        pytest.param(["rs.example.org/web"], ["rs.example.org/web"], id="a namesake of a foreign group"),
        pytest.param(["pod/web", "cm/x"], ["pod/web", "cm/x"], id="no workloads"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_resource_arguments(args: list[str], want: list[str]) -> None:
    """A workload without a group is the custom resource; everything else stays what it is to kubectl."""
    assert resource_arguments(args) == want


@pytest.mark.parametrize(
    ("arg", "want"),
    [
        pytest.param("deploy/web", True, id="ours"),
        pytest.param("deployments.apps/web", True, id="built-in"),
        pytest.param("pod/web", False, id="pod"),
        pytest.param("svc/web", False, id="service"),
        pytest.param("deploy.example.org/web", False, id="foreign"),
    ],
)
def test_is_workload(arg: str, want: bool) -> None:  # noqa: FBT001 - a column of the table
    """Only workloads need a pod to be chosen here."""
    assert is_workload(arg) is want


@pytest.mark.parametrize(
    ("obj", "want_reference", "want_resource"),
    [
        pytest.param(
            {"apiVersion": "kopfwerk.dev/v1", "kind": "ReplicaSet", "metadata": {"name": "a"}},
            "replicaset.kopfwerk.dev/a",
            "replicasets.kopfwerk.dev",
            id="workload",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}, "configmap/a", "configmaps", id="core"
        ),
        pytest.param(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}},
            "networkpolicy.networking.k8s.io/a",
            "networkpolicies.networking.k8s.io",
            id="plural of -y",
        ),
    ],
)
def test_names_of_objects(obj: Obj, want_reference: str, want_resource: str) -> None:
    """Objects are named as in kubectl's messages."""
    assert reference(obj) == want_reference
    assert resource_of(obj) == want_resource


def test_pod_template_refused() -> None:
    """What has no pod template is refused."""
    with pytest.raises(Refused, match=r"does not have a pod template: \*v1.ConfigMap"):
        pod_template({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})


def test_images_are_split_from_resources() -> None:
    """Resources come first, then images by container."""
    want = (["deploy/web"], {"a": "r.io/a:1", "*": "b=c"})
    assert environment.split_images(["deploy/web", "a=r.io/a:1", "*=b=c"]) == want


@pytest.mark.parametrize(
    ("args", "want"),
    [
        pytest.param(["deploy/a", "a=1", "deploy/b"], "must be specified before image changes: deploy/b", id="order"),
        pytest.param(["deploy/a", "a-"], "invalid image format: a-", id="removal"),
    ],
)
def test_images_refused(args: list[str], want: str) -> None:
    """Images out of place or shape are refused."""
    with pytest.raises(Refused, match=want):
        environment.split_images(args)


def test_environment_is_read() -> None:
    """Variables are set, removed and read from standard input, where comments and other lines mean nothing."""
    edits = environment.read_edits(["A=1", "B-", "-"], ["C=2 # why\n", "nonsense\n", "#D=3\n"])
    assert edits.variables == ({"name": "A", "value": "1"}, {"name": "C", "value": "2 "})
    assert edits.removed == ("B",)


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        pytest.param(
            ["1A=1"], '"1A" is not a valid key name: a valid environment variable name must', id="digit first"
        ),
        pytest.param([".=1"], "\".\" is not a valid key name: must not be '.'", id="dot"),
        pytest.param(["..A=1"], "\"..A\" is not a valid key name: must not start with '..'", id="dots first"),
        pytest.param(["A=1", "A-"], "can not both modify and remove the same environment variable", id="both"),
        pytest.param(["A"], "unknown environment variable: A", id="neither"),
    ],
)
def test_environment_refused(changes: list[str], want: str) -> None:
    """What is no change of the environment is refused."""
    with pytest.raises(Refused) as caught:
        environment.read_edits(changes, [])
    assert str(caught.value).startswith(want)


def test_references() -> None:
    """Keys of a ConfigMap become names of variables, with a warning where they have to change for it."""
    source = {"kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"some-key": "1", "B": "2", "C": "3"}}
    variables, warnings = environment.references(source, ["some-key", "B"])
    refer = {key: {"configMapKeyRef": {"name": "conf", "key": key}} for key in ("B", "some-key")}
    assert environment.prefixed(variables, "P_") == [
        {"name": "P_B", "valueFrom": refer["B"]},
        {"name": "P_SOME_KEY", "valueFrom": refer["some-key"]},
    ]
    assert warnings == ["Warning: key some-key transferred to SOME_KEY"]
