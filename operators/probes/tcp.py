"""The `tcpSocket` probe: a connection that comes about. Mirrors pkg/probe/tcp.

Nothing lingers on closing it, as it does with upstream (pkg/probe/dialer_others.go): that holds the process up until
the other side has answered, for up to a second, and on Linux the port is not free any sooner.
"""

import asyncio
import os

from operators.core.probe.spec import TcpSocket
from operators.probes.dialer import Call, Dialer
from operators.probes.found import SUCCESS, Found, address, failure


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


async def probe(dialer: Dialer, action: TcpSocket, host: str, port: int, timeout: float) -> Found:  # noqa: ASYNC109 - one that counts
    """Connect to `action.host`, or else to `host`."""
    where = address(action.host or host, port)
    until = asyncio.get_running_loop().time() + timeout
    try:
        await dialer.carry(_Opened(), action.host or host, port, until)
    except TimeoutError:
        return failure(f"dial tcp {where}: i/o timeout")
    except OSError as error:
        return failure(f"dial tcp {where}: {reason(error)}")
    return SUCCESS
