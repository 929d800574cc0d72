"""The user's kubeconfig: ours goes in and out, and nothing else changes."""

from pathlib import Path
from typing import Any

import pytest

from operators.cluster import certificates, kubeconfig
from operators.cluster.errors import ClusterError


def config(*names: str, current: str = "", **extra: Any) -> dict[str, Any]:
    """A kubeconfig with a context for each name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}"}} for name in names],
        "users": [{"name": name, "user": {"token": name}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
        "current-context": current,
        **extra,
    }


@pytest.mark.parametrize(
    ("existing", "want"),
    [
        pytest.param({}, config("ours", current="ours"), id="an empty file"),
        pytest.param(config("a", current="a"), config("a", "ours", current="ours"), id="beside another"),
        pytest.param(
            config("ours", "a", current="a"), config("a", "ours", current="ours"), id="in place of an old one"
        ),
        pytest.param(
            config("a", current="a", preferences={"colors": True}),
            config("a", "ours", current="ours", preferences={"colors": True}),
            id="keeping what we do not know",
        ),
        pytest.param(
            {"clusters": None, "users": None, "contexts": None}, config("ours", current="ours"), id="empty lists"
        ),
    ],
)
def test_merging(existing: dict[str, Any], want: dict[str, Any]) -> None:
    """Our entries are added or replaced, and our context becomes the current one."""
    assert kubeconfig.merge(existing, config("ours", current="ours")) == want


@pytest.mark.parametrize(
    ("current", "want_current"),
    [
        pytest.param("ours", "a", id="ours was current"),
        pytest.param("b", "b", id="another was chosen in the meantime"),
    ],
)
def test_removing(current: str, want_current: str) -> None:
    """Only our entries go; the current context goes back only if it is still ours."""
    existing = config("a", "ours", "b", current=current)

    assert kubeconfig.without(existing, "ours", "a") == config("a", "b", current=want_current)


def test_writing_is_private_and_reads_back(tmp_path: Path) -> None:
    """What is written can be read by its owner alone, and says the same."""
    path = tmp_path / "new" / "config"

    kubeconfig.write(path, config("a", current="a"))

    assert kubeconfig.read(path) == config("a", current="a")
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("just text", id="text"),
        pytest.param("kind: Pod", id="another kind"),
        pytest.param("a: [", id="broken"),
    ],
)
def test_what_is_no_kubeconfig_is_left_alone(content: str, tmp_path: Path) -> None:
    """A file that holds something else is refused."""
    path = tmp_path / "notes"
    path.write_text(content)

    with pytest.raises(ClusterError, match="left alone"):
        kubeconfig.read(path)


def test_a_link_is_followed(tmp_path: Path) -> None:
    """A kubeconfig that is a symbolic link stays one."""
    real, link = tmp_path / "real", tmp_path / "link"
    kubeconfig.write(real, config("a"))
    link.symlink_to(real)

    kubeconfig.write(link, config("b"))

    assert link.is_symlink()
    assert kubeconfig.read(real) == config("b")


def test_a_component_gets_its_own_certificate(tmp_path: Path) -> None:
    """A built kubeconfig carries the identity that was asked for."""
    certificates.write_all(tmp_path)

    users = [kubeconfig.build("c", "https://h", tmp_path, name)["users"][0]["user"] for name in ("admin", "kwok")]

    assert users[0] != users[1]
