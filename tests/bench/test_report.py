"""What the benchmark makes of its runs."""

import pytest
from rich.console import Console

from tests.bench import report
from tests.bench.cases import Phase
from tests.bench.report import Run


def run(side: str, *walls: float, cpu: float = 1.0, peak: float = 90.0, case: str = "rs") -> Run:
    """Return a run with a phase for each wall time."""
    more = {"slices written": (12.0, "")}
    writes = {"POST pods 201": 5, "PUT pods/status 409": 1}
    phases = tuple(Phase(f"{case} {number}", wall, cpu, 9.0, 7.0, writes, more) for number, wall in enumerate(walls))
    return Run(case, side, phases, peak, was_quiet=True)


RUNS = [run("kcm", 2.0), run("ours", 3.0), run("kcm", 4.0), run("ours", 5.0), run("kcm", 9.0), run("ours", 4.0)]


def test_rows_gather_each_quantity_by_side() -> None:
    """Wall and CPU of every phase, and a case's memory, in the order in which they were met."""
    made = report.rows(RUNS)
    assert [(row.what, row.unit) for row in made] == [
        ("rs 0: wall", "s"),
        ("rs 0: CPU", "s"),
        ("rs 0: apiserver's CPU", "s"),
        ("rs 0: writes", ""),
        ("rs 0: slices written", ""),
        ("rs: peak memory", "MB"),
    ]
    assert made[0].values == {"kcm": [2.0, 4.0, 9.0], "ours": [3.0, 5.0, 4.0]}


@pytest.mark.parametrize(
    ("runs", "want"),
    [
        pytest.param(RUNS, 1.0, id="of medians, which one slow run does not move"),
        pytest.param([run("kcm", 0.0), run("ours", 3.0)], None, id="none of nothing"),
    ],
)
def test_a_ratio(runs: list[Run], want: float | None) -> None:
    """It is one side's median as a multiple of the other's."""
    assert report.rows(runs)[0].ratio("ours", "kcm") == want


@pytest.mark.parametrize(
    ("runs", "want"),
    [
        pytest.param(RUNS, "rs 0: wall 4.00 s (2.00-9.00) 4.00 s (3.00-5.00) 1.00", id="with the spread"),
        pytest.param([run("kcm", 2.0), run("ours", 3.0)], "rs 0: wall 2.00 s 3.00 s 1.50", id="of one run alone"),
        pytest.param([run("ours", 3.0)], "rs 0: wall 3.00 s", id="a side that did not run"),
        pytest.param(RUNS, "rs 0: writes 6 (6-6) 6 (6-6) 1.00", id="of all writes together"),
        pytest.param(RUNS, "rs 0: slices written 12 (12-12) 12 (12-12) 1.00", id="of what is only counted"),
    ],
)
def test_the_table(runs: list[Run], want: str) -> None:
    """Each quantity has a line: the medians, and each side's ratio to the first."""
    console = Console(width=200, record=True, quiet=True)
    with console.capture() as shown:
        console.quiet = False
        console.print(report.as_table(runs, ["kcm", "ours"]))
    assert want in [" ".join(line.split()) for line in shown.get().splitlines()]


def test_json_has_every_run_and_the_summary() -> None:
    """What is written to a file can be compared with another's later."""
    made = report.as_json(RUNS, ["kcm", "ours"], ["two cores"])
    assert made["circumstances"] == ["two cores"]
    assert [found["side"] for found in made["runs"]] == ["kcm", "ours"] * 3
    (phase,) = made["runs"][0]["phases"]
    assert phase == {
        "name": "rs 0",
        "wall": 2.0,
        "cpu": 1.0,
        "others_cpu": 9.0,
        "apiserver_cpu": 7.0,
        "writes": {"POST pods 201": 5, "PUT pods/status 409": 1},
        "more": {"slices written": (12.0, "")},
    }
    assert made["summary"][0] == {
        "what": "rs 0: wall",
        "unit": "s",
        "medians": {"kcm": 4.0, "ours": 4.0},
        "ratios": {"ours": 1.0},
    }
