"""The `tcpSocket` probe, and how every probe connects. Mirrors pkg/probe/tcp and pkg/probe/dialer_others.go."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLContext
from typing import Final, TypeVar

from operators.core.probe.spec import TcpSocket
from operators.probes.found import SUCCESS, Found, address, failure

P = TypeVar("P", bound=asyncio.BaseProtocol)

_LINGER: Final = struct.pack("ii", 1, 1)
"""As upstream: a connection that is closed is gone after a second, since a thousand others follow."""


async def connect(make: Callable[[], P], host: str, port: int, tls: SSLContext | None = None) -> P:
    """Connect, and return the protocol. Raises OSError."""
    _, protocol = await asyncio.get_running_loop().create_connection(
        make, host, port, ssl=tls, server_hostname="" if tls else None
    )
    return protocol


def reason(error: OSError) -> str:
    """Return what went wrong in a connection, as Go says it."""
    if error.errno is None or error.errno <= 0:
        return str(error)
    return f"connect: {os.strerror(error.errno).lower()}"


class _Opened(asyncio.Protocol):
    """A connection that has served its purpose when it is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember what is to be closed. An HTTP server closes first; here nobody else does."""
        self.close = transport.close
        with suppress(OSError):  # it may be over already
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)


async def probe(action: TcpSocket, host: str, port: int, timeout: float) -> Found:  # noqa: ASYNC109 - one that counts
    """Connect to `action.host`, or else to `host`."""
    where = address(action.host or host, port)
    try:
        async with asyncio.timeout(timeout):
            (await connect(_Opened, action.host or host, port)).close()
    except TimeoutError:
        return failure(f"dial tcp {where}: i/o timeout")
    except OSError as error:
        return failure(f"dial tcp {where}: {reason(error)}")
    return SUCCESS
