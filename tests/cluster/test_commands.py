"""The command line: what is said of clusters, and how errors reach the user."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from operators.cli.main import kopfwerk, main
from operators.cluster import registry
from operators.cluster.registry import Record


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with nothing in it."""
    monkeypatch.setenv("KOPFWERK_STATE", str(tmp_path))
    return tmp_path


def put_cluster(name: str, phase: str, message: str = "", log: str = "") -> Record:
    """Leave a cluster that does not run any more, with one log."""
    record = Record(name=name, phase=phase, message=message, kubernetes="1.37.1", nodes=5)
    (record.folder / "logs").mkdir(parents=True)
    (record.folder / "logs" / "etcd.log").write_text(log)
    record.save()
    return record


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command; its exit code, what it answers, and what it complains of."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_no_clusters(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is none, status says how to get one."""
    assert run(capsys, "status") == (0, "no clusters; kopfwerk up starts one\n", "")


@pytest.mark.parametrize(
    ("phase", "want_status"),
    [
        pytest.param(registry.READY, "gone", id="killed while it ran"),
        pytest.param(registry.FAILED, "failed", id="did not come up"),
    ],
)
def test_status_of_a_cluster_that_does_not_run(
    phase: str, want_status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written down is not believed where no process vouches for it; asked for by name, that is exit code 1."""
    put_cluster("a", phase, message="out of luck")

    code, said, _ = run(capsys, "status", "--name=a", "--output=json")

    assert code == 1
    assert json.loads(said)["phase"] == want_status
    assert "out of luck" in run(capsys, "status")[1]


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param([], "one\ntwo\nthree\n", id="all of it"),
        pytest.param(["--tail=2"], "two\nthree\n", id="the end"),
        pytest.param(["--tail=0"], "", id="none of it"),
        pytest.param(["--tail=9"], "one\ntwo\nthree\n", id="more than there is"),
        pytest.param(["--follow"], "one\ntwo\nthree\n", id="following what has ended"),
    ],
)
def test_logs(options: list[str], want: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A component's log, from as far back as asked for."""
    put_cluster("default", registry.FAILED, log="one\ntwo\nthree\n")

    assert run(capsys, "logs", "etcd", *options) == (0, want, "")


@pytest.mark.parametrize(
    ("arguments", "want_error"),
    [
        pytest.param(["logs", "etcd", "--name=b"], "there is no cluster 'b'", id="no such cluster"),
        pytest.param(["logs", "kubelet"], "no component 'kubelet'; it has etcd", id="no such component"),
        pytest.param(["down", "--name=b"], "there is no cluster 'b'", id="nothing to stop"),
        pytest.param(["up", "--name=B"], "'B' cannot be a cluster's name", id="no name"),
    ],
)
def test_errors_are_one_line(arguments: list[str], want_error: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a user can act on is one line on standard error, without colours in a file, and exit code 1."""
    put_cluster("default", registry.FAILED)

    code, said, error = run(capsys, *arguments)

    assert (code, said) == (1, "")
    assert error.startswith("error: ")
    assert want_error in error
    assert error.count("\n") == 1


def test_every_command_of_the_list_exists() -> None:
    """What help lists can be run."""
    context = kopfwerk.make_context("kopfwerk", ["status"])

    commands = {name: kopfwerk.get_command(context, name) for name in kopfwerk.list_commands(context)}

    assert [name for name, command in commands.items() if command is None or command.name != name] == []


def test_help_imports_nothing_heavy() -> None:
    """The list of commands appears at once."""
    code = "import sys; from operators.cli.main import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "Start a control plane" in said
    assert {"kopf", "rich", "aiohttp", "cryptography", "yaml"} & set(said.split()) == set()
