"""TCP and gRPC probes of real servers."""

import asyncio

import pytest
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from operators.core.probe.spec import Grpc, TcpSocket
from operators.core.probe.worker import Result
from operators.probes import grpc, tcp
from operators.probes.found import Found
from tests.support.answering import closed_port, saying, sending, serving
from tests.support.probes import dialing

OK, BAD = Result.SUCCESS, Result.FAILURE


async def connected(port: int) -> Found:
    """Probe a port of this machine."""
    found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    with dialing() as dialer:
        tcp.probe(dialer, TcpSocket(port, ""), ("127.0.0.1", port), 5, found.set_result)
        return await found


async def test_tcp() -> None:
    """A connection is enough."""
    async with serving(saying("200 OK")) as port:
        assert await connected(port) == Found(OK)


async def test_tcp_refused() -> None:
    """Where nobody listens it fails, in Go's words."""
    port = await closed_port()
    want = Found(BAD, f"dial tcp 127.0.0.1:{port}: connect: connection refused")
    assert await connected(port) == want


class Health:
    """The health service: each service's status is what the case says; bytes are messages here."""

    def __init__(self, **statuses: int | Status | None) -> None:
        self.statuses = statuses
        self.asked: list[bytes] = []

    async def check(self, stream: "Stream[bytes, bytes]") -> None:
        """Answer, refuse, or never do either."""
        asked = await stream.recv_message()
        assert asked is not None
        self.asked.append(asked)
        status = self.statuses.get(asked[2:].decode() or "whole", Status.NOT_FOUND)
        if status is None:
            await asyncio.get_running_loop().create_future()
        elif isinstance(status, Status):
            raise GRPCError(status, "unknown service")
        else:
            await stream.send_message(bytes([8, status]) if status else b"")

    def __mapping__(self) -> dict[str, Handler]:
        """Return what is served."""
        return {"/grpc.health.v1.Health/Check": Handler(self.check, Cardinality.UNARY_UNARY, bytes, bytes)}


async def ask(served: Health, service: str = "", within: float = 5) -> Found:
    """Probe a server of that."""
    server = Server([served], codec=grpc.RAW)
    await server.start("127.0.0.1", 0)
    try:
        port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return await grpc.probe(Grpc(port, service), "127.0.0.1", within)
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("statuses", "service", "want"),
    [
        pytest.param({"whole": 1}, "", Found(OK), id="the server serves"),
        pytest.param({"db": 1}, "db", Found(OK), id="so does a service"),
        pytest.param(
            {"whole": 2}, "", Found(BAD, 'service unhealthy (responded with "NOT_SERVING")'), id="it does not"
        ),
        pytest.param(
            {"whole": 0}, "", Found(BAD, 'service unhealthy (responded with "UNKNOWN")'), id="it does not know"
        ),
        pytest.param(
            {},
            "db",
            Found(BAD, "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"),
            id="there is no such service",
        ),
    ],
)
async def test_grpc(statuses: dict[str, int], service: str, want: Found) -> None:
    """SERVING is a success, and nothing else."""
    assert await ask(Health(**statuses), service) == want


async def test_grpc_names_the_service() -> None:
    """The request is a HealthCheckRequest, also where the name's length takes two bytes."""
    health = Health()
    await ask(health, "x" * 200)
    assert health.asked == [b"\x0a\xc8\x01" + b"x" * 200]


async def test_grpc_without_health() -> None:
    """A server that knows no health service is told apart from one that is not well."""
    found = await ask(Health(whole=Status.UNIMPLEMENTED))
    what = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
    assert found == Found(BAD, f"error: {what}: unknown service")


async def test_grpc_that_does_not_answer() -> None:
    """A call has no more time than the probe."""
    found = await ask(Health(whole=None), within=0.2)
    assert found == Found(BAD, "timeout: health rpc did not complete within 200ms")


async def test_grpc_refused() -> None:
    """Where nobody listens it fails, in Go's words."""
    port = await closed_port()
    found = await grpc.probe(Grpc(port, ""), "127.0.0.1", 5)
    where = f"127.0.0.1:{port}"
    want = f'error: failed to connect service at "{where}": dial tcp {where}: connect: connection refused'
    assert found == Found(BAD, want)


async def test_grpc_of_something_else() -> None:
    """What does not speak HTTP/2 fails rather than hang."""
    async with serving(sending(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert (await grpc.probe(Grpc(port, ""), "127.0.0.1", 1)).result == BAD
