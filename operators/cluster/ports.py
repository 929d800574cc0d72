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
_BLOCK: Final = 10
"""Ports of one cluster follow each other: of clusters that start at once, two that share one are the rarer."""
_TRIES: Final = 1_000


def choose() -> Ports:
    """Different ports that nothing listens on, one for each component."""
    for _ in range(_TRIES):
        first = _FIRST + _BLOCK * secrets.randbelow((_LAST + 1 - _FIRST) // _BLOCK)
        chosen = Ports(*(first + number for number, _ in enumerate(fields(Ports))))
        if _are_free(chosen):
            return chosen
    raise ClusterError(f"no {len(fields(Ports))} free ports in a row between {_FIRST} and {_LAST}")


def keep(file: Path) -> Ports:
    """The ports that a file names, as long as all are free; else others, which it names from then on.

    State that is kept has addresses in it: those of the nodes, and the one in every copy of the kubeconfig.
    """
    if file.exists():
        before = Ports(**{**asdict(choose()), **json.loads(file.read_text())})
        if _are_free(before):
            return before
    chosen = choose()
    file.write_text(json.dumps(asdict(chosen)))
    return chosen


def _are_free(ports: Ports) -> bool:
    with contextlib.ExitStack() as held, contextlib.suppress(OSError):
        for port in asdict(ports).values():
            probe = held.enter_context(socket.socket())
            # As Go's listeners do: a port with connections of before that linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        return True
    return False
