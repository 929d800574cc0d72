"""Free ports for a cluster's components."""

import contextlib
import json
import secrets
import socket
from dataclasses import asdict, fields
from pathlib import Path
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


def keep(file: Path) -> Ports:
    """The ports that a file names, as long as all are free; else others, which it names from then on.

    State that is kept has addresses in it: those of the nodes, and the one in every copy of the kubeconfig.
    """
    if file.exists():
        before = Ports(**{**asdict(choose()), **json.loads(file.read_text())})
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in asdict(before).values():
                probe = held.enter_context(socket.socket())
                # As Go's listeners do: a port with connections of before that linger is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return before
    chosen = choose()
    file.write_text(json.dumps(asdict(chosen)))
    return chosen


def _free(held: contextlib.ExitStack) -> int:
    """A port that nothing listens on, held so that it is not chosen twice."""
    for _ in range(_TRIES):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise ClusterError(f"no free port between {_FIRST} and {_LAST}")
