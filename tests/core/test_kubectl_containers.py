"""Containers changed as `kubectl set` does."""

from decimal import Decimal

import pytest

from operators.core.kubectl import containers
from operators.core.kubectl.kinds import Refused
from operators.core.objects import Obj


def spec(*names: str, init: str = "") -> Obj:
    """Build a pod spec with containers of these names, all of the image `old`."""
    built: Obj = {"containers": [{"name": name, "image": "old"} for name in names]}
    if init:
        built["initContainers"] = [{"name": init, "image": "old"}]
    return built


def deployment(pod_spec: Obj) -> Obj:
    """Build a Deployment around a pod spec."""
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": pod_spec}},
    }


def images(pod_spec: Obj) -> dict[str, str]:
    """Return the image of every container."""
    return {c["name"]: c["image"] for field in containers.LISTS for c in pod_spec.get(field, ())}


@pytest.mark.parametrize(
    ("wanted", "want_images", "want_missing"),
    [
        pytest.param({"a": "new"}, {"a": "new", "b": "old", "i": "old"}, [], id="one"),
        pytest.param({"*": "new"}, {"a": "new", "b": "new", "i": "new"}, [], id="all, init containers too"),
        pytest.param({"i": "new"}, {"a": "old", "b": "old", "i": "new"}, [], id="an init container"),
        pytest.param({"a": "new", "z": "x"}, {"a": "new", "b": "old", "i": "old"}, ["z"], id="one of two is missing"),
    ],
)
def test_images(wanted: dict[str, str], want_images: dict[str, str], want_missing: list[str]) -> None:
    """Images are set by container name; a name that nobody has is told, and the others are set."""
    before = spec("a", "b", init="i")
    after, missing = containers.with_images(before, wanted)
    assert images(after) == want_images
    assert missing == want_missing
    assert images(before) == {"a": "old", "b": "old", "i": "old"}


A1, A2, B1 = {"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B", "value": "1"}


@pytest.mark.parametrize(
    ("existing", "env", "removed", "want"),
    [
        pytest.param([], [A1], [], [A1], id="added"),
        pytest.param([A1, B1], [A2], [], [A2, B1], id="replaced in its place"),
        pytest.param([A1, B1, A1], [A2], [], [A2, B1], id="every one of the name is replaced by one"),
        pytest.param([A1, B1, A1], [], ["A"], [B1], id="every one of the name is removed"),
        pytest.param([A1], [A2], ["A"], [], id="removal wins"),
        pytest.param([B1, B1], [A1], [], [B1, B1, A1], id="other doubles stay"),
        pytest.param([], [A1, A2], [], [A1], id="the first of two new values counts"),
    ],
)
def test_environment(existing: list[Obj], env: list[Obj], removed: list[str], want: list[Obj]) -> None:
    """Variables are set and removed by name, in a stable order."""
    before = {"containers": [{"name": "a", "env": existing}]}
    assert containers.with_environment(before, env, removed)["containers"][0]["env"] == want


def test_environment_of_selected_containers() -> None:
    """A pattern chooses the containers, and the others get no empty list."""
    after = containers.with_environment(spec("web-1", "db"), [A1], [], pattern="web-*")
    assert [c.get("env") for c in after["containers"]] == [[A1], None]


def test_overwriting_refused() -> None:
    """Without overwriting, another value is refused and the same one is not."""
    before = {"containers": [{"name": "a", "env": [A1]}]}
    assert containers.with_environment(before, [A1], [], overwrite=False) == before
    with pytest.raises(Refused, match=r"'A' already has a value \(1\), and --overwrite is false"):
        containers.with_environment(before, [A2], [], overwrite=False)


def test_resources_are_merged() -> None:
    """Amounts that are not named stay, and one that is equal keeps its spelling."""
    before = {"containers": [{"name": "a", "resources": {"limits": {"cpu": "0.5", "memory": "1Gi"}}}]}
    after = containers.with_resources(before, {"cpu": "500m", "memory": "2Gi"}, {"cpu": "1"})
    want = {"limits": {"cpu": "0.5", "memory": "2Gi"}, "requests": {"cpu": "1"}}
    assert after["containers"][0]["resources"] == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("500m", "0.5", id="milli"),
        pytest.param("1Gi", "1073741824", id="binary"),
        pytest.param("1G", "1000000000", id="decimal"),
        pytest.param("1E", "1000000000000000000", id="exa"),
        pytest.param("1E3", "1000", id="exponent"),
        pytest.param(".5", "0.5", id="no digit before the point"),
        pytest.param("-2", "-2", id="sign"),
    ],
)
def test_quantity(text: str, want: str) -> None:
    """A quantity is the number that it stands for."""
    assert containers.quantity(text) == Decimal(want)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("cpu", "invalid argument syntax cpu, expected <resource>=<value>", id="no value"),
        pytest.param("cpu=1=2", "invalid argument syntax cpu=1=2, expected <resource>=<value>", id="two values"),
        pytest.param("cpu=1x", "quantities must match the regular expression", id="no quantity"),
        pytest.param("cpu=", "quantities must match the regular expression", id="empty quantity"),
    ],
)
def test_amounts_refused(text: str, want: str) -> None:
    """What is no list of amounts is refused in kubectl's words."""
    with pytest.raises(Refused) as caught:
        containers.amounts(text)
    assert str(caught.value).startswith(want)


def test_patch_names_what_changed() -> None:
    """The patch says only what is new, and makes sure that the place still belongs to the container."""
    before = deployment(spec("a", "b"))
    after = containers.with_pod_spec(before, containers.with_images(spec("a", "b"), {"b": "new"})[0])
    assert containers.patch(before, after) == [
        {"op": "test", "path": "/spec/template/spec/containers/1/name", "value": "b"},
        {"op": "add", "path": "/spec/template/spec/containers/1/image", "value": "new"},
    ]


def test_patch_guards_lists() -> None:
    """A list is replaced only as long as it is the one that was read: nobody else's variable is lost."""
    before = deployment({"containers": [{"name": "a", "env": [A1]}]})
    after = deployment({"containers": [{"name": "a", "env": [A1, B1]}]})
    path = "/spec/template/spec/containers/0"
    assert containers.patch(before, after) == [
        {"op": "test", "path": f"{path}/name", "value": "a"},
        {"op": "test", "path": f"{path}/env", "value": [A1]},
        {"op": "add", "path": f"{path}/env", "value": [A1, B1]},
    ]
    assert containers.patch(before, before) == []
