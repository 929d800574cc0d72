"""The `tcpSocket` probe: a connection that comes about. Mirrors pkg/probe/tcp.

Nothing lingers on closing it, as it does with upstream (pkg/probe/dialer_others.go): that holds the process up until
the other side has answered, for up to a second, and on Linux the port is not free any sooner.
"""

import asyncio
import os
from collections.abc import Callable

from operators.core.probe.spec import TcpSocket
from operators.probes.dialer import Call, Dialer, NoSocketError
from operators.probes.found import SUCCESS, Found, address, failure, unknown


def reason(error: OSError) -> str:
    """Return what went wrong in a connection, as Go says it."""
    if error.errno is None or error.errno <= 0:
        return str(error)
    return f"connect: {os.strerror(error.errno).lower()}"


class _Opened(Call):
    """A connection that has served its purpose when it is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have what was wanted."""
        super().connection_made(transport)
        self.end()


def probe(
    dialer: Dialer, action: TcpSocket, where: tuple[str, int], timeout: float, told: Callable[[Found], None]
) -> Callable[[], object]:
    """Connect to a host and port, `action.host` if that is given; `told` hears later what was found.

    Returns what breaks it off.
    """
    host, port = action.host or where[0], where[1]
    call = _Opened(lambda error: told(_judged(address(host, port), error)))
    dialer.carry(call, host, port, asyncio.get_running_loop().time() + timeout)
    return call.cancel


def _judged(where: str, error: Exception | None) -> Found:
    match error:
        case None:
            return SUCCESS
        case TimeoutError():
            return failure(f"dial tcp {where}: i/o timeout")
        case OSError():
            return failure(f"dial tcp {where}: {reason(error)}")
        case NoSocketError():
            return unknown(str(error))
        case _:
            return failure(f"dial tcp {where}: {error}")
