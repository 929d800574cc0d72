"""An explanation in lines of text, as `kubectl kopfwerk why` and `what-if` print it."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from operators.core.objects import Obj


def tell(explained: Obj, most: int) -> Iterator[str]:
    """Yield the lines, at most so many nodes of a kind."""
    pod, on, fitting = explained["pod"], explained["on"], explained["nodes"]
    everywhere = len(fitting) + len(explained["refused"])
    yield f"{pod} is on {on}." if on else f"{pod} is not placed."
    if group := explained.get("group"):
        yield f"It is placed together with others: group {group['name']}: {group['says']}."
    if not fitting:
        yield f"As the cluster is now, it fits on none of {everywhere} nodes."
    else:
        yield f"As the cluster is now, it fits on {len(fitting)} of {everywhere} nodes; {_choice(explained)}."
        yield ""
        yield from _table(fitting, most)
        yield from _difference(fitting)
    if explained["refused"]:
        yield ""
        yield "It does not fit on:" if fitting else "What is in the way, and what would have to be different:"
        yield from _refused(explained["refused"], most)
    yield from _victims(explained["victims"], most)


def _choice(explained: Obj) -> str:
    best = [one["node"] for one in explained["nodes"] if one["total"] == explained["nodes"][0]["total"]]
    if len(best) == 1:
        return f"the best is {best[0]}"
    return f"{len(best)} are equally good, and of those it would be {explained['chosen']}"


def _table(fitting: Sequence[Obj], most: int) -> Iterator[str]:
    rules = list(fitting[0]["scores"])
    rows = [["NODE", "TOTAL", *rules]]
    rows += [[one["node"], str(one["total"]), *(str(one["scores"][rule]) for rule in rules)] for one in fitting[:most]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if len(fitting) > most:
        yield f"  and {len(fitting) - most} more"


def _difference(fitting: Sequence[Obj]) -> Iterator[str]:
    """Say by which rules the best is better than the next that is not as good."""
    best = fitting[0]
    other = next((one for one in fitting if one["total"] < best["total"]), None)
    if other is None:
        return
    by = {rule: score - other["scores"][rule] for rule, score in best["scores"].items()}
    told = [f"{rule} {number:+d}" for rule, number in sorted(by.items(), key=lambda item: -item[1]) if number]
    yield ""
    yield f"{best['node']} is better than {other['node']} by {best['total'] - other['total']}: {', '.join(told)}."


def _refused(refused: Sequence[Obj], most: int) -> Iterator[str]:
    def reason(one: Obj) -> str:
        return str(one["reason"])

    for why, group in groupby(sorted(refused, key=reason), key=reason):
        nodes = list(group)
        yield f"  {why}: {len(nodes)}"
        for one in nodes[:most]:
            yield f"    {one['node']}" + (
                f": would fit if {' and '.join(one['wouldFitIf'])}" if one["wouldFitIf"] else ""
            )
        if len(nodes) > most:
            yield f"    and {len(nodes) - most} more"


def _victims(victims: Obj, most: int) -> Iterator[str]:
    if victims:
        yield ""
        yield "It is important enough to have others evicted:"
        yield from (f"  from {node} {', '.join(pods)}" for node, pods in list(victims.items())[:most])
