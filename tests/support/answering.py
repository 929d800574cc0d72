"""Servers for probes: real sockets on this machine that answer what a case says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""Answers a request, which is everything up to the empty line."""


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve meanwhile, and return the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # who asked has gone
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def saying(status: str, *headers: str, body: bytes = b"ok") -> Answer:
    """Answer with a status, headers and a body."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return answer


def sending(*chunks: bytes, hangs: bool = False) -> Answer:
    """Send bytes as they are; with `hangs`, never come to an end."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        if hangs:
            await asyncio.get_running_loop().create_future()

    return answer


async def closed_port() -> int:
    """Return a port on which nobody listens."""
    async with serving(saying("200 OK")) as port:
        return port
