"""What came of the runs: medians, how far they spread, and ours as a multiple of kcm's."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table

from tests.bench.cases import Phase


@dataclass(frozen=True, slots=True)
class Run:
    """One case, once, with one side."""

    case: str
    side: str
    phases: tuple[Phase, ...]
    peak_mb: float
    was_quiet: bool

    def json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Row:
    """One measured quantity: its values with each side."""

    what: str
    unit: str
    values: dict[str, list[float]]

    def ratio(self, side: str, base: str) -> float | None:
        """Return the median with one side as a multiple of that with another, None where there is none."""
        return median(self.values[side]) / median(self.values[base]) if median(self.values[base]) else None


def rows(runs: Sequence[Run]) -> list[Row]:
    """Gather the runs: wall, CPU and what else was counted of each phase, and the memory of each case."""
    table: dict[tuple[str, str], dict[str, list[float]]] = {}

    def note(what: str, unit: str, side: str, value: float) -> None:
        table.setdefault((what, unit), {}).setdefault(side, []).append(value)

    for run in runs:
        for phase in run.phases:
            note(f"{phase.name}: wall", "s", run.side, phase.wall)
            note(f"{phase.name}: CPU", "s", run.side, phase.cpu)
            note(f"{phase.name}: apiserver's CPU", "s", run.side, phase.apiserver_cpu)
            note(f"{phase.name}: writes", "", run.side, sum(phase.writes.values()))
            for what, (value, unit) in phase.more.items():
                note(f"{phase.name}: {what}", unit, run.side, value)
        note(f"{run.case}: peak memory", "MB", run.side, run.peak_mb)
    return [Row(what, unit, values) for (what, unit), values in table.items()]


def as_table(runs: Sequence[Run], sides: Sequence[str]) -> Table:
    """Return the medians as a table, with least and greatest, and the ratio to the first side."""
    base, *others = sides
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for side in sides:
        table.add_column(side, justify="right")
        if side != base:
            table.add_column(f"/ {base}", justify="right")
    for row in rows(runs):
        cells = [_cell(row, base)]
        for side in others:
            ratio = row.ratio(side, base) if {side, base} <= row.values.keys() else None
            cells += [_cell(row, side), "" if ratio is None else f"{ratio:.2f}"]
        table.add_row(row.what, *cells)
    return table


def _cell(row: Row, side: str) -> str:
    values = row.values.get(side)
    if not values:
        return ""
    digits = 2 if row.unit == "s" else 0
    spread = f"({min(values):.{digits}f}-{max(values):.{digits}f})" if len(values) > 1 else ""
    return f"{median(values):.{digits}f} {row.unit} {spread}".replace("  ", " ").rstrip()


def as_json(runs: Sequence[Run], sides: Sequence[str], circumstances: Sequence[str]) -> dict[str, Any]:
    """Return everything that was measured, and the medians and ratios of the table."""
    base = sides[0]
    return {
        "circumstances": list(circumstances),
        "runs": [run.json() for run in runs],
        "summary": [
            {
                "what": row.what,
                "unit": row.unit,
                "medians": {side: median(values) for side, values in row.values.items()},
                "ratios": {side: row.ratio(side, base) for side in row.values if side != base and base in row.values},
            }
            for row in rows(runs)
        ],
    }
