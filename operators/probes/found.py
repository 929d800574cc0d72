"""What a single try of a probe found."""

from dataclasses import dataclass
from typing import Final

from operators.core.probe.worker import Result

LIMIT: Final = 10 * 1024
"""How many bytes of an answer are read, as upstream."""


@dataclass(frozen=True, slots=True)
class Found:
    """The result and what is to be said of it; a warning is a success of which something is to be said."""

    result: Result
    message: str = ""
    warns: bool = False


SUCCESS: Final = Found(Result.SUCCESS)


def failure(message: str) -> Found:
    """Return a failure."""
    return Found(Result.FAILURE, message)


def unknown(message: str) -> Found:
    """Return that the try could not be made."""
    return Found(Result.UNKNOWN, message)


def address(host: str, port: int) -> str:
    """Return host and port as one, an IPv6 address in brackets (net.JoinHostPort)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def seconds(duration: float) -> str:
    """Return a duration as Go writes it: 1s, 500ms, 1.5s."""
    return f"{duration:g}s" if duration >= 1 else f"{duration * 1000:g}ms"
