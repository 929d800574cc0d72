"""Writes what is generated and checked in, or says which of it is out of date.

`python -m tests.support.generate` writes, `--check` compares. A generator yields the path from the project's root, and
the content, of each of its files; it is entered in GENERATORS.
"""

import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from tests.support import chart, dashboard, kindconfig, merging, rights
from tests.support.crdgen import crd

Generator: TypeAlias = Callable[[], Iterable[tuple[Path, str]]]

ROOT: Final = Path(__file__).parents[2]

GENERATORS: Final[tuple[Generator, ...]] = (
    crd.files,
    chart.files,
    dashboard.files,
    kindconfig.files,
    merging.files,
    rights.files,
)


def update(root: Path, generators: Iterable[Generator]) -> None:
    """Write every file that differs."""
    for path, content in _each(generators):
        if _present(root / path) != content:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
            print(f"wrote {path}")


def outdated(root: Path, generators: Iterable[Generator]) -> list[str]:
    """Return the beginning of the difference of each file that is not as its generator would write it."""
    return [
        "".join(
            islice(
                difflib.unified_diff(
                    _present(root / path).splitlines(keepends=True),
                    content.splitlines(keepends=True),
                    f"{path} (checked in)",
                    f"{path} (generated)",
                ),
                40,
            )
        )
        for path, content in _each(generators)
        if _present(root / path) != content
    ]


def _each(generators: Iterable[Generator]) -> Iterable[tuple[Path, str]]:
    return (file for generator in generators for file in generator())


def _present(path: Path) -> str:
    """Return what the file holds, nothing where there is none."""
    return path.read_text() if path.exists() else ""


def main(arguments: Sequence[str]) -> int:
    """Update, or check; return the exit code."""
    if arguments != ["--check"]:
        update(ROOT, GENERATORS)
        return 0
    differences = outdated(ROOT, GENERATORS)
    for difference in differences:
        print(difference, file=sys.stderr)
    if differences:
        print("Generated files are out of date: run `make update`.", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
