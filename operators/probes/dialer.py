"""Connections for probes: made, used once and closed by the thousand a second.

One of the event loop's own costs a third more processor time, in names that nobody asks for and options that nobody
needs. These are polled together, by one reader of the loop's. TLS, and hosts that are names, are left to the loop.
"""

import asyncio
import errno
import os
import select
import socket
import struct
from collections.abc import Callable
from functools import lru_cache, partial
from ssl import SSLContext
from typing import ClassVar, Final

from operators.probes.wheel import Timer, Wheel

_EVENTS_AT_ONCE: Final = 256
"""After so many, others of the loop have their turn."""
_OURS: Final = frozenset((errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM))
"""What connecting fails with for want of something here."""
_PUNCTUAL: Final = 0.1
"""By how many seconds a deadline may be late in a process that has time for what it has to do."""
_READ: Final = 16 * 1024
_RESET: Final = struct.pack("ii", 1, 0)
_STREAM: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK


class NoSocketError(Exception):
    """This machine has no connection to give, which says nothing of the other side."""


class Call(asyncio.Protocol):
    """What is said over one connection. `ended` is called once it needs that no longer, with an error or none."""

    __slots__ = ("_ended", "_hang_up", "_timer", "connected")

    resets: ClassVar[bool] = False
    """Whether its connection may be reset in the end. One that is closed is remembered for two minutes by the node's
    connection tracking, which thousands a second would fill."""

    def __init__(self, ended: Callable[[Exception | None], None]) -> None:
        self.connected = False
        """Whether there has been a connection."""
        self._ended: Callable[[Exception | None], None] | None = ended
        self._hang_up: Callable[[], object] = _nothing
        self._timer: Timer | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended is None

    def held_by(self, hang_up: Callable[[], object]) -> None:
        """Have `hang_up` called in the end."""
        self._hang_up = hang_up

    def expires(self, timer: Timer) -> None:
        """Have a timer cancelled in the end."""
        self._timer = timer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002 - the base class has it
        """Begin."""
        self.connected = True

    def connection_lost(self, exc: Exception | None) -> None:
        """End: where nothing was made, without a connection."""
        self.end(exc)

    def end(self, error: Exception | None = None) -> None:
        """Give the connection back, and say how it went; the first word counts."""
        ended = self._ended
        if ended is not None:
            self.cancel()
            ended(error)

    def cancel(self) -> None:
        """Give the connection back, and say nothing."""
        self._ended = None
        self._hang_up()
        if self._timer is not None:
            self._timer.cancel()


def _nothing() -> None:
    """Do nothing."""


class Dialer:
    """Connects calls, on the loop that runs."""

    def __init__(self, wheel: Wheel) -> None:
        self._loop = asyncio.get_running_loop()
        self._wheel = wheel
        self._poll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._loop.add_reader(self._poll.fileno(), self._ready)

    def carry(self, call: Call, host: str, port: int, until: float, tls: SSLContext | None = None) -> None:
        """Have a connection for a call until it ends, at the latest at a time of the loop's.

        It ends later, never at once; with TimeoutError, with OSError or ValueError where there was nothing to connect
        to, or with NoSocketError.
        """
        call.held_by(self._dial(call, host, port, tls))
        self._expire_at(until, call)

    def _expire_at(self, moment: float, call: Call) -> None:
        call.expires(self._wheel.call_at(moment, partial(self._expire, moment, call)))

    def _expire(self, moment: float, call: Call) -> None:
        """End it. Where it was this process that had no time, what it missed is added: nobody is to blame for that."""
        missed = self._loop.time() - moment
        if missed > _PUNCTUAL:
            self._expire_at(moment + 2 * missed, call)
        else:
            call.end(TimeoutError())

    def _dial(self, call: Call, host: str, port: int, tls: SSLContext | None) -> Callable[[], object]:
        """Begin to connect, and return what ends it, however far it is."""
        family = _family(host)
        if family is None or tls is not None:
            return self._loop.create_task(self._leisurely(call, host, port, tls)).cancel
        try:
            made = socket.socket(family, _STREAM)
        except OSError as error:
            return self._loop.call_soon(call.end, NoSocketError(error.strerror)).cancel
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)  # a packet less: the request acknowledges
        connection = self._open[made.fileno()] = _Connection(call, made, self._poll, self._open)
        number = made.connect_ex((host, port))
        if number in (0, errno.EINPROGRESS):
            self._poll.register(made, select.EPOLLOUT)
        else:
            text = os.strerror(number)
            self._loop.call_soon(connection.lose, NoSocketError(text) if number in _OURS else OSError(number, text))
        return connection.abort

    def close(self) -> None:
        """End all that it polls."""
        self._loop.remove_reader(self._poll.fileno())
        for connection in list(self._open.values()):
            connection.abort()
        self._poll.close()

    def _ready(self) -> None:
        for fd, _ in self._poll.poll(0, _EVENTS_AT_ONCE):
            if (connection := self._open.get(fd)) is not None:
                connection.go_on()

    async def _leisurely(self, call: Call, host: str, port: int, tls: SSLContext | None) -> None:
        """Have the loop connect; the connection ends with this task."""
        try:
            transport, _ = await self._loop.create_connection(
                lambda: call, host, port, ssl=tls, server_hostname="" if tls else None
            )
        except (OSError, ValueError) as error:
            call.connection_lost(error)
            return
        try:
            await self._loop.create_future()
        finally:
            transport.abort()


class _Connection(asyncio.WriteTransport):
    """A socket: it waits until it is connected and all is sent, and then for what it receives."""

    __slots__ = ("_call", "_open", "_poll", "_socket", "_unsent")

    def __init__(self, call: Call, made: socket.socket, poll: select.epoll, opened: "dict[int, _Connection]") -> None:
        self._call, self._socket, self._poll, self._open = call, made, poll, opened
        self._unsent: bytes = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, and wait for nothing else until that is done."""
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.lose(error)
            return
        self._unsent = bytes(data[sent:])
        if not self._unsent:
            self._poll.modify(self._socket, select.EPOLLIN)

    def go_on(self) -> None:
        """Do what was waited for."""
        if not self._call.connected:
            if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.lose(OSError(error, os.strerror(error)))
                return
            self._call.connection_made(self)
        elif self._unsent:
            self.write(self._unsent)
        else:
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError as error:
            self.lose(error)
            return
        if data:
            self._call.data_received(data)
        else:
            self.lose(None)

    def lose(self, error: Exception | None) -> None:
        """End it and say so, unless it has ended."""
        if self._open.get(self._socket.fileno()) is self:
            self.abort()
            self._call.connection_lost(error)

    def abort(self) -> None:
        """End it, unless it has ended."""
        if self._open.pop(self._socket.fileno(), None):
            if self._call.resets:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._socket.close()


@lru_cache(maxsize=16384)
def _family(host: str) -> socket.AddressFamily | None:
    """Return what kind of address it is, None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return family
    return None
