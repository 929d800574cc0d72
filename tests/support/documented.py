"""The commands that the documents tell a reader to type."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = ("docs/install.md", "docs/operate.md")
"""Those about a real cluster. Every command of theirs, in sentences too, is run by an end-to-end test."""
SESSIONS: Final = {
    "README.md": "",
    "docs/cronjobs.md": "",
    "docs/daemonsets.md": "",
    "docs/deployments.md": "",
    "docs/jobs.md": "",
    "docs/scheduler.md": "kubectl apply -f examples/guestbook.yaml -f examples/gang.yaml",
    "docs/service.md": "",
    "docs/simulated-pods.md": "",
    "docs/statefulsets.md": "",
    "docs/gitops/README.md": "",
}
"""Those about the embedded cluster, which tests/cluster types, and what is taken to be there already."""
NATIVE: Final = "docs/native.md"
"""Another one, in native mode."""
_TYPED: Final = ("kubectl ", "kopfwerk status", "kopfwerk logs ", "kopfwerk node ")
"""What the commands of a session begin with."""
_ARGO_CD: Final = "--namespace argocd"
_INLINE: Final = re.compile(r"`((?:kubectl|helm|make|kopfwerk) [^`\s]+\s[^`]+)`")
"""In a sentence two words only name a command."""
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT: Final = re.compile(r"(^|\s+)# .*$")


def pages() -> list[str]:
    """Return every document with a block in it."""
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "helm").rglob("*.md")]
    return sorted(str(file.relative_to(ROOT)) for file in files if _BLOCK.search(file.read_text()))


def languages(document: str) -> set[str]:
    """Return the languages of the blocks."""
    return {name for name, _ in _BLOCK.findall((ROOT / document).read_text())}


def blocks(document: str, language: str) -> list[str]:
    """Return the blocks of a language."""
    text = (ROOT / document).read_text()
    return [body for name, body in _BLOCK.findall(text) if name == language]


def typed(document: str) -> list[str]:
    """Return the commands of the blocks, each in one line: of plain ones, then of those with output."""
    found = [line for body in blocks(document, "sh") for line in _joined(body)]
    for body in blocks(document, "console"):
        found += [line.removeprefix("$ ") for line in _joined(body) if line.startswith("$ ")]
    return list(filter(None, (_COMMENT.sub("", line) for line in found)))


def _joined(body: str) -> list[str]:
    return re.sub(r"\s*\\\n\s*", " ", body).splitlines()


def commands(document: str) -> list[str]:
    """Return each command of a document as it is written, whether in a block or in a sentence, in one line."""
    prose = _BLOCK.sub("", (ROOT / document).read_text())
    return list(dict.fromkeys([*typed(document), *(re.sub(r"\s+", " ", found) for found in _INLINE.findall(prose))]))


def session(document: str) -> list[str]:
    """Return the commands that tests/cluster types: there are some."""
    found = [line for line in typed(document) if line.startswith(_TYPED) and _ARGO_CD not in line]
    assert found, f"{document} has no commands"
    return found
