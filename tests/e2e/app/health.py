"""Servers for the probes of the end-to-end tests: gRPC's health service, and a port that is open while all is well."""

import asyncio

from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream

from operators.probes import grpc

from .web import UNWELL

GRPC, TCP = 9090, 9091
SERVING, NOT_SERVING = 1, 2


async def check(stream: "Stream[bytes, bytes]") -> None:
    """Answer how the server is."""
    await stream.recv_message()
    await stream.send_message(bytes([8, NOT_SERVING if UNWELL.exists() else SERVING]))


class Health:
    """The health service."""

    def __mapping__(self) -> dict[str, Handler]:
        """Return what is served."""
        return {"/grpc.health.v1.Health/Check": Handler(check, Cardinality.UNARY_UNARY, bytes, bytes)}


async def listen() -> None:
    """Take connections for as long as the server is well, and again when it is again."""
    while True:
        server = await asyncio.start_server(lambda _, writer: writer.close(), port=TCP)
        async with server:
            await until(unwell=True)
        await until(unwell=False)


async def until(*, unwell: bool) -> None:
    """Wait until it is, or is not."""
    while UNWELL.exists() != unwell:  # noqa: ASYNC110  # a file tells nobody
        await asyncio.sleep(0.1)


async def main() -> None:
    """Serve until it is killed."""
    await Server([Health()], codec=grpc.RAW).start(port=GRPC)
    await listen()


if __name__ == "__main__":
    asyncio.run(main())
