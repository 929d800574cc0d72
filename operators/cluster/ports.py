"""Free ports for a cluster's components."""

import contextlib
import secrets
import socket
from dataclasses import fields
from typing import Final

from operators.cluster.arguments import Ports
from operators.cluster.errors import ClusterError

# Below the range from which the kernel serves outgoing connections: none of those can take a port between
# its choice here and the component's start.
_FIRST: Final = 20_000
_LAST: Final = 29_999
_TRIES: Final = 1_000


def choose() -> Ports:
    """Different ports that nothing listens on, one for each component."""
    with contextlib.ExitStack() as held:
        return Ports(*(_free(held) for _ in fields(Ports)))


def _free(held: contextlib.ExitStack) -> int:
    for _ in range(_TRIES):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise ClusterError(f"no free port between {_FIRST} and {_LAST}")
