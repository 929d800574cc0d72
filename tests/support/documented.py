"""The commands that the documents tell a reader to type."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = ("docs/install.md", "docs/operate.md")
"""Those whose every command is run by a test."""
_INLINE: Final = re.compile(r"`((?:kubectl|helm|make|kopfwerk) [^`\s]+\s[^`]+)`")
"""In a sentence two words only name a command."""
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str) -> list[str]:
    """Return the blocks of a language."""
    text = (ROOT / document).read_text()
    return [body for name, body in _BLOCK.findall(text) if name == language]


def typed(document: str, language: str) -> list[str]:
    """Return the lines of the blocks of a language, each command in one."""
    return [line for body in blocks(document, language) for line in re.sub(r"\s*\\\n\s*", " ", body).splitlines()]


def commands(document: str) -> list[str]:
    """Return each command of a document as it is written, whether in a block or in a sentence, in one line."""
    lines = typed(document, "sh")
    prose = _BLOCK.sub("", (ROOT / document).read_text())
    return list(dict.fromkeys([*lines, *(re.sub(r"\s+", " ", found) for found in _INLINE.findall(prose))]))
