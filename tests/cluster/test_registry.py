"""Clusters by name: what is written down, and whether one runs."""

from pathlib import Path

import pytest

from operators.cluster import registry
from operators.cluster.errors import ClusterError
from operators.cluster.registry import Record


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with nothing in it."""
    monkeypatch.setenv("KOPFWERK_STATE", str(tmp_path))
    return tmp_path


def write(name: str, **fields: object) -> Record:
    """Write down a cluster."""
    record = Record(name=name, **fields)  # type: ignore[arg-type]
    record.folder.mkdir(parents=True, exist_ok=True)
    record.save()
    return record


@pytest.mark.parametrize("name", ["default", "a", "a-1", "x" * 63])
def test_names(name: str) -> None:
    """A name becomes a folder's."""
    assert registry.folder(name).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a.b", "a/b", "..", "x" * 64, "a b"])
def test_what_cannot_be_a_name(name: str) -> None:
    """Nothing becomes a folder that is not below the state folder, nor a context that kubectl would have to quote."""
    with pytest.raises(ClusterError, match="cannot be a cluster's name"):
        registry.folder(name)


def test_a_record_reads_back() -> None:
    """What is written down is what is read."""
    want = write("a", phase=registry.READY, pid=7, components={"etcd": 8}, native=True)

    assert registry.read("a") == want
    assert registry.everyone() == [want]


def test_what_was_never_started_is_not_there() -> None:
    """A name that nothing is known of is no error to ask about, and one to act on."""
    assert registry.read("a") is None
    assert not registry.is_running("a")
    with pytest.raises(ClusterError, match="there is no cluster 'a'"):
        registry.require("a")


def test_a_cluster_runs_for_as_long_as_its_lock_is_held() -> None:
    """The lock says whether it runs; nobody else gets it in the meantime."""
    record = write("a")
    with registry.take(record.folder, "taken"):
        assert registry.is_running("a")
        with pytest.raises(ClusterError, match="taken"):
            registry.take(record.folder, "taken")

    assert not registry.is_running("a")


def test_down_removes_what_a_killed_cluster_left() -> None:
    """The folder goes although no process could be told to."""
    record = write("a", phase=registry.READY, pid=1)

    assert registry.stop("a") is False
    assert not record.folder.exists()
