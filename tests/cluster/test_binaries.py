"""Where programs are looked for, and what is said when there are none."""

from pathlib import Path

import pytest

from operators.cluster import binaries, gobuild
from operators.cluster.errors import ClusterError
from operators.cluster.progress import Lines
from operators.cluster.versions import DEFAULT, PROGRAMS

ETCD = PROGRAMS["etcd"]
FOLDERS = ("explicit", "assets", "cache")


def put_program(path: Path) -> Path:
    """Write a file that counts as a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The three places that are looked at, by name, all of them empty."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("KOPFWERK_CACHE", str(tmp_path / "cache"))
    return {
        "explicit": tmp_path / "explicit" / "etcd",
        "assets": tmp_path / "assets" / "etcd",
        "cache": tmp_path / "cache" / "bin" / f"etcd-{DEFAULT.etcd}" / "etcd",
    }


@pytest.mark.parametrize(
    ("present", "want_place"),
    [
        pytest.param(("explicit", "assets", "cache"), "explicit", id="the named folder comes first"),
        pytest.param(("assets", "cache"), "assets", id="then KUBEBUILDER_ASSETS"),
        pytest.param(("cache",), "cache", id="then the cache"),
        pytest.param((), None, id="nowhere"),
    ],
)
def test_order_of_places(
    present: tuple[str, ...], want_place: str | None, places: dict[str, Path], tmp_path: Path
) -> None:
    """A program is taken from the first place that has it."""
    for place in present:
        put_program(places[place])

    found = binaries.look_up(ETCD, DEFAULT, tmp_path / "explicit")

    assert found == (places[want_place] if want_place else None)


def test_a_file_that_cannot_be_run_is_passed_over(places: dict[str, Path], tmp_path: Path) -> None:
    """A file without the executable bit does not hide the program behind it."""
    put_program(places["explicit"]).chmod(0o644)
    want = put_program(places["cache"])

    assert binaries.look_up(ETCD, DEFAULT, tmp_path / "explicit") == want


@pytest.mark.parametrize(
    ("environment", "want"),
    [
        pytest.param({"KOPFWERK_CACHE": "/k"}, "/k", id="KOPFWERK_CACHE"),
        pytest.param({"XDG_CACHE_HOME": "/x"}, "/x/kopfwerk", id="XDG_CACHE_HOME"),
        pytest.param({"KOPFWERK_CACHE": "/k", "XDG_CACHE_HOME": "/x"}, "/k", id="ours before the desktop's"),
        pytest.param({"HOME": "/home/u"}, "/home/u/.cache/kopfwerk", id="neither"),
    ],
)
def test_cache_folder(environment: dict[str, str], want: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is where the environment says."""
    for name in ("KOPFWERK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    path = binaries.cached(ETCD, DEFAULT)

    assert path == Path(want) / "bin" / f"etcd-{DEFAULT.etcd}" / "etcd"


def test_one_error_says_what_to_install(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cached program, a download or Go, the error names each way out."""
    monkeypatch.setenv("KOPFWERK_ETCD_URL", "off")
    monkeypatch.setattr(gobuild, "go", lambda: None)

    with pytest.raises(ClusterError) as error:
        binaries.obtain([ETCD], DEFAULT, Lines())

    said = str(error.value)
    assert "\n" not in said
    for want in (f"etcd {DEFAULT.etcd}", "KUBEBUILDER_ASSETS", "no Go", f"Install Go {gobuild.MINIMUM}", "--binaries"):
        assert want in said


def test_kubectl_is_needed_only_where_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubectl on the PATH is used as it is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    without = [program.name for program in binaries.needed()]
    put_program(tmp_path / "kubectl")
    beside = [program.name for program in binaries.needed()]

    assert without == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"]
    assert beside == [name for name in without if name != "kubectl"]
