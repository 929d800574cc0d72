"""What `kopfwerk up` shows while it runs in front."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operators.cli import table
from operators.cluster.api import Api


def deployment(name: str, wanted: int = 4, **status: int) -> dict[str, Any]:
    """A workload as `fetch` returns it."""
    metadata = {"name": name, "namespace": "default"}
    return {"kind": "deployments.kopfwerk.dev", "metadata": metadata, "spec": {"replicas": wanted}, "status": status}


def shown(*workloads: dict[str, Any], width: int = 110, most: int = 20) -> list[str]:
    """The lines of a terminal of a width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(table.render(list(workloads), most))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param({}, 0, id="nothing-yet"),
        pytest.param({"replicas": 4, "updatedReplicas": 4}, 0, id="created"),
        pytest.param({"replicas": 4, "updatedReplicas": 4, "availableReplicas": 2}, 10, id="half"),
        pytest.param({"replicas": 5, "updatedReplicas": 1, "availableReplicas": 4}, 0, id="old-ones-do-not-count"),
        pytest.param({"replicas": 5, "updatedReplicas": 2, "availableReplicas": 4}, 5, id="rollout"),
        pytest.param({"replicas": 4, "updatedReplicas": 4, "availableReplicas": 4}, 20, id="done"),
    ],
)
def test_the_bar_is_the_part_that_is_up_to_date_and_available(status: dict[str, int], want: int) -> None:
    """Of twenty signs, as many as the share of the replicas that the rollout has reached."""
    line = shown(deployment("web", **status))[1]

    # Without colours, what is not reached is blank.
    assert line.count("━") == want


def test_numbers_stay_whole_where_the_terminal_is_narrow() -> None:
    """Names are cut, counts are not."""
    status = {"replicas": 12, "readyReplicas": 12, "updatedReplicas": 12, "availableReplicas": 11}

    lines = shown(deployment("a-rather-long-name-of-a-workload", 12, **status), width=80)

    assert len(lines) == 2
    assert "READY  UP-TO-DATE  AVAILABLE" in lines[0]
    assert "12/12  12          11" in lines[1]


def test_rows_that_do_not_fit_are_counted() -> None:
    """The table is never higher than asked for, but for the line that says so."""
    lines = shown(*(deployment(f"web-{number}") for number in range(5)), most=3)

    assert len(lines) == 5
    assert "… 2 more" in lines[-1]


def test_nothing_is_shown_off_a_terminal() -> None:
    """No table goes into a file, and the API is not asked."""
    output = io.StringIO()

    with table.live(Api("https://127.0.0.1:1", Path("nowhere")), Console(file=output)):
        pass

    assert output.getvalue() == ""
