"""Makes a picture of a terminal: `docs/up.svg`, which the README shows.

    tmux new-session -d -s picture -x 100 -y 18        # and in it: make up; elsewhere: a rollout
    tmux capture-pane -t picture -pe | .venv/bin/python -m tests.support.picture docs/up.svg

Reads what was on the screen, with its colours, from standard input. Not part of `make update`: what a rollout in the
middle looks like is never the same twice.
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def picture(screen: str) -> str:
    """The SVG of a screen, as wide as its longest line and without the empty lines at its end."""
    text = Text.from_ansi(screen.rstrip())
    width = max(line.cell_len for line in text.split())
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(text, highlight=False)
    # Without the fonts that it would fetch from elsewhere.
    return re.sub(r"\s*@font-face \{.*?\}", "", console.export_svg(title="Kopfwerk"), flags=re.DOTALL)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(sys.stdin.read()))
