"""What the benchmark reads from a sampling profile."""

from pathlib import Path

from rich.console import Console

from tests.bench import profile

SAMPLES = """\
main (app.py:1);work (app.py:10) 6
main (app.py:1);work (app.py:12);wait (loop.py:3) 2
main (app.py:2) 2
main (app.py:1);<frozen importlib._bootstrap> (x:1) 90
"""


def test_time_is_counted_by_function(tmp_path: Path) -> None:
    """Whichever line of it a sample met; what was imported is left out, and callees count for their callers too."""
    file = tmp_path / "profile.txt"
    file.write_text(SAMPLES)
    console = Console(width=100)
    with console.capture() as shown:
        console.print(profile.as_table(file))
    lines = [" ".join(line.split()) for line in shown.get().splitlines()]
    assert lines[0] == "10 samples"
    assert lines[2:] == [
        "work (app.py) 60.0% 80.0%",
        "wait (loop.py) 20.0% 20.0%",
        "main (app.py) 20.0% 100.0%",
    ]
