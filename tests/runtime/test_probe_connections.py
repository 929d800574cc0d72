"""What carries probes: timers that share steps, and connections that are polled together."""

import asyncio
import errno
import socket
from collections.abc import Callable

import pytest

from operators.core.probe.spec import HttpGet, TcpSocket
from operators.core.probe.worker import Result
from operators.probes import dialer, http, tcp
from operators.probes.dialer import Call
from operators.probes.found import Found
from operators.probes.wheel import Wheel
from tests.support.probes import dialing
from tests.support.virtual import VirtualLoop, virtual

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@virtual
async def _timers() -> list[tuple[str, float]]:
    loop, wheel, fired = asyncio.get_running_loop(), Wheel(), list[tuple[str, float]]()

    def note(name: str) -> Callable[[], None]:
        return lambda: fired.append((name, loop.time()))

    def fail() -> None:
        raise ValueError("a defect")

    loop.set_exception_handler(lambda _loop, _context: note("defect")())
    for name, moment in (("late", 1.0), ("early", 0.012), ("same", 0.018), ("exact", 0.3), ("past", -1.0)):
        wheel.call_at(moment, note(name))
    wheel.call_at(0.012, note("cancelled")).cancel()
    wheel.call_at(0.3, fail)
    wheel.call_at(0.3, note("after it"))
    await asyncio.sleep(2)
    return fired


def test_timers_fire_in_order_and_never_too_early() -> None:
    """Within a hundredth of a second of their time, those of the same one together; a defect stops no other."""
    fired = _timers()
    assert [name for name, _ in fired] == ["past", "early", "same", "exact", "defect", "after it", "late"]
    when = dict(fired)
    assert when["early"] == when["same"] == pytest.approx(0.02)
    assert when["exact"] == pytest.approx(0.3)
    assert when["late"] == pytest.approx(1.0)


@virtual
async def _given_up(starved: float) -> float:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    over = loop.create_future()
    with socket.create_server(("127.0.0.1", 0)) as silent, dialing() as found:
        found.carry(Call(over.set_result), "127.0.0.1", silent.getsockname()[1], loop.time() + 1)
        await asyncio.sleep(0.5)
        loop.starve(starved)
        assert isinstance(await over, TimeoutError)
    return loop.time()


@pytest.mark.parametrize(
    ("starved", "want"),
    [
        pytest.param(0, 1, id="in time"),
        pytest.param(0.55, 1.05, id="hardly late"),
        pytest.param(2.5, 5, id="two seconds late, so two seconds more"),
    ],
)
def test_nobody_is_blamed_for_the_time_that_the_prober_lacks(starved: float, want: float) -> None:
    """What a process missed before a deadline is added to it."""
    assert _given_up(starved) == pytest.approx(want, abs=0.011)


async def _ending(begin: Callable[[dialer.Dialer, tuple[str, int], Callable[[Found], None]], object]) -> str:
    """Return how a probe that is content ends its connection, as a server sees it that keeps it open."""
    seen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.read(1000):
                writer.write(ANSWER)
                await reader.read()
            seen.set_result("closed")
        except ConnectionResetError:
            seen.set_result("reset")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with dialing() as carries:
            begin(carries, ("127.0.0.1", server.sockets[0].getsockname()[1]), found.set_result)
            assert (await found).result == Result.SUCCESS
            return await seen


async def test_a_connection_that_has_been_answered_is_reset() -> None:
    """The node's connection tracking forgets it soon."""
    action = HttpGet(80, "/", "http", "", ())
    assert await _ending(lambda d, where, told: http.probe(d, action, where, 5, told)) == "reset"


async def test_a_connection_for_its_own_sake_is_closed() -> None:
    """Some servers log a reset."""
    assert await _ending(lambda d, where, told: tcp.probe(d, TcpSocket(80, ""), where, 5, told)) == "closed"


async def test_a_request_larger_than_any_buffer() -> None:
    """It is sent in parts, as the server reads."""
    found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    action = HttpGet(80, "/", "http", "", (("X-Large", "x" * 12_000_000),))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**25)
    async with server:
        with dialing() as carries:
            where = ("127.0.0.1", server.sockets[0].getsockname()[1])
            http.probe(carries, action, where, 20, found.set_result)
            assert await found == Found(Result.SUCCESS)


async def test_no_socket_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """That says nothing of the pod: the try could not be made."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    with dialing() as carries:
        monkeypatch.setattr("operators.probes.dialer.socket.socket", refuse)
        tcp.probe(carries, TcpSocket(80, ""), ("127.0.0.1", 80), 5, found.set_result)
        assert await found == Found(Result.UNKNOWN, "Too many open files")


async def test_a_name_is_looked_up() -> None:
    """By the loop, which connects too."""
    assert await _ending(lambda d, where, told: tcp.probe(d, TcpSocket(80, "localhost"), where, 5, told)) == "closed"
