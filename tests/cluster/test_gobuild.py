"""Building with Go: what is asked of it, what is shown, and what is said when it fails. Go itself is a script here."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from operators.cluster import binaries, gobuild
from operators.cluster.errors import ClusterError
from operators.cluster.progress import Lines
from operators.cluster.versions import DEFAULT, PROGRAMS

BUILDS = """#!/bin/sh
echo "$PWD: $*" >> "$LOG"
echo "env: $CGO_ENABLED $GOFLAGS" >> "$LOG"
case $1 in
list) printf 'a/b\\nc/d\\n';;
build)
  echo c/d >&2
  for last; do [ "$previous" = -o ] && echo built > "$last" && chmod +x "$last"; previous=$last; done;;
esac
"""
FAILS = """#!/bin/sh
echo 'go: downloading example.com/x v1' >&2
echo 'dial tcp: no route to host' >&2
exit 1
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no downloads, and the file in which the script notes what it was asked."""
    monkeypatch.setenv("KOPFWERK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("KOPFWERK_KWOK_URL", "off")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def put_go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a script the go command."""
    (folder / "go").write_text(script)
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_a_missing_program_is_built_in_its_module(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Go builds the pinned module, reproducibly, and the result is the cached program; it says so while it does."""
    put_go(tmp_path, BUILDS, monkeypatch)
    kwok = PROGRAMS["kwok"]

    files = binaries.obtain([kwok], DEFAULT, Lines())

    assert files["kwok"].read_text() == "built\n"
    asked = log.read_text()
    assert f"{gobuild.MODULES / 'kwok'}: build" in asked
    assert asked.count("env: 0 -mod=readonly -trimpath -buildvcs=false") == 2
    assert f"building kwok {DEFAULT.kwok}: done" in capsys.readouterr().err
    assert list(files["kwok"].parent.iterdir()) == [files["kwok"]]


def test_a_cached_program_is_not_built_again(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time nothing is asked of Go."""
    put_go(tmp_path, BUILDS, monkeypatch)
    binaries.obtain([PROGRAMS["kwok"]], DEFAULT, Lines())
    log.unlink()

    binaries.obtain([PROGRAMS["kwok"]], DEFAULT, Lines())

    assert not log.exists()


def test_two_at_once_build_once(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second waits, and takes what the first has built."""
    put_go(tmp_path, BUILDS, monkeypatch)
    kwok = PROGRAMS["kwok"]

    with ThreadPoolExecutor() as threads:
        files = list(threads.map(lambda _: binaries.obtain([kwok], DEFAULT, Lines()), range(3)))

    assert files == [{"kwok": binaries.cached(kwok, DEFAULT)}] * 3
    assert log.read_text().count(": build ") == 1


def test_a_failed_build_says_why(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's own words are in the error, and nothing is left in the cache."""
    put_go(tmp_path, FAILS, monkeypatch)
    kwok = PROGRAMS["kwok"]

    with pytest.raises(ClusterError, match="no route to host"):
        binaries.obtain([kwok], DEFAULT, Lines())

    assert list(binaries.cached(kwok, DEFAULT).parent.iterdir()) == []
