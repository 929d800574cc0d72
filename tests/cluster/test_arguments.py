"""The command lines that the components are started with."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from operators.cluster import arguments, gobuild
from operators.cluster.arguments import Layout, Ports
from operators.cluster.versions import DEFAULT, PROGRAMS


def layout(*, keeps_state: bool = False) -> Layout:
    """A cluster in /c with ports that tell the components apart."""
    return Layout(Path("/c/pki"), Path("/c/etcd"), Path("/c"), Ports(1, 2, 3, 4, 5, 6, 7, 8, 9), keeps_state)


@pytest.mark.parametrize(
    ("keeps_state", "want_unsafe"),
    [
        pytest.param(False, True, id="thrown away at the end"),
        pytest.param(True, False, id="kept"),
    ],
)
def test_etcd_forces_to_disk_what_is_kept(*, keeps_state: bool, want_unsafe: bool) -> None:
    """Only data that nobody will read again may be lost in a crash."""
    assert ("--unsafe-no-fsync=true" in arguments.etcd(layout(keeps_state=keeps_state))) is want_unsafe


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        pytest.param({}, "--controllers=*", id="whole"),
        pytest.param(
            {"without": arguments.taken_over()},
            "--controllers=*,-replicaset-controller,-deployment-controller,-statefulset-controller,"
            "-daemonset-controller,-job-controller,-cronjob-controller,-ttl-after-finished-controller,"
            "-endpointslice-controller",
            id="native mode, where one that a later release adds still runs",
        ),
        pytest.param({"only": ["a", "b"]}, "--controllers=a,b", id="some"),
    ],
)
def test_choice_of_controllers(choice: dict[str, Sequence[str]], want: str) -> None:
    """Controllers are left out by name, or chosen by name."""
    assert want in arguments.controller_manager(layout(), **choice)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(arguments.apiserver(layout(), ["--x=1"]), id="kube-apiserver"),
        pytest.param(arguments.controller_manager(layout(), extra=["--x=1"]), id="kube-controller-manager"),
        pytest.param(arguments.scheduler(layout(), ["--x=1"]), id="kube-scheduler"),
        pytest.param(arguments.kwok(layout(), [], ["--x=1"]), id="kwok"),
        pytest.param(arguments.operator(layout(), native=True, extra=["--x=1"]), id="operator"),
    ],
)
def test_extra_arguments_come_last(command: list[str]) -> None:
    """Of a flag given twice the last counts, so an extra argument overrides ours."""
    assert command[-1] == "--x=1"


def test_nothing_listens_beyond_this_machine() -> None:
    """Every component that has an address to listen on is given the loopback one."""
    commands = [
        arguments.etcd(layout()),
        arguments.apiserver(layout()),
        arguments.controller_manager(layout()),
        arguments.scheduler(layout()),
        arguments.kwok(layout(), []),
        arguments.operator(layout(), native=False),
    ]
    flags = ("--listen", "--webhook-listen", "--bind-address", "--server-address")
    addresses = [argument for command in commands for argument in command if argument.startswith(flags)]

    assert len(addresses) == 8
    assert [address for address in addresses if "127.0.0.1" not in address] == []


def test_a_built_program_knows_its_version() -> None:
    """Clients read the version that a build without flags would report as v0.0.0."""
    flags = gobuild.linker_flags(PROGRAMS["kube-apiserver"], DEFAULT)

    assert f"gitVersion=v{DEFAULT.kubernetes}" in flags
    assert "gitMajor=1" in flags
    assert f"gitMinor={DEFAULT.kubernetes.split('.')[1]}" in flags


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_go_modules_pin_the_release(name: str) -> None:
    """What is built has the version that the release names, and the hash of every dependency is checked in."""
    program = PROGRAMS[name]
    folder = gobuild.MODULES / program.module
    lines = [line.split() for line in (folder / "go.mod").read_text().splitlines()]
    required = {words[0]: words[1] for words in lines if len(words) >= 2}
    module = max((path for path in required if program.package.startswith(path)), key=len)

    assert required[module] == f"v{program.version(DEFAULT)}"
    assert f"{module} v{program.version(DEFAULT)} h1:" in (folder / "go.sum").read_text()
