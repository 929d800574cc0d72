"""Commands through `pods/exec`: a real websocket to a server that speaks as the apiserver does."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from operators.core.objects import Obj
from operators.core.probe.worker import Result
from operators.probes import exec as execs
from operators.probes.found import Found
from operators.runtime.client import Client
from tests.support.probes import probed

OK, BAD, HUH = Result.SUCCESS, Result.FAILURE, Result.UNKNOWN
SUCCEEDED = {"status": "Success"}


def exited(code: int) -> Obj:
    """Return what the apiserver says of a command that ended with a code."""
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "message": "failed", "details": {"causes": causes}}


class Kubelet:
    """What is said on the way, and at the end; None never ends."""

    def __init__(self) -> None:
        self.output: list[bytes] = []
        self.status: Obj | None = SUCCEEDED
        self.asked: list[str] = []
        self.refuses = False
        self.begun = asyncio.Event()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold the conversation."""
        self.asked.append(request.path_qs)
        if self.refuses:
            raise web.HTTPForbidden
        if "*/*" not in request.headers["Accept"]:  # as every apiserver, of who wants JSON of a connection
            raise web.HTTPNotAcceptable
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"])
        await socket.prepare(request)
        self.begun.set()
        for data in self.output:
            await socket.send_bytes(data)
        if self.status is None:
            await socket.receive()
        elif self.status:
            await socket.send_bytes(b"\x03" + orjson.dumps(self.status))
        await socket.close()
        return socket


@pytest.fixture
async def kubelet() -> Kubelet:
    """Return one that has nothing to say and succeeds."""
    return Kubelet()


@pytest.fixture
async def client(kubelet: Kubelet) -> AsyncIterator[Client]:
    """Return a client of a server with that kubelet behind it."""
    application = web.Application()
    application.add_routes([web.get("/api/v1/namespaces/ns/pods/pod/exec", kubelet.serve)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with Client(Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")) as connected:
        yield connected
    await runner.cleanup()


@pytest.mark.parametrize(
    ("output", "status", "want"),
    [
        pytest.param([b"\x01fine"], SUCCEEDED, Found(OK, "fine"), id="it ends with 0"),
        pytest.param([b"\x01so ", b"\x02bad"], exited(1), Found(BAD, "so bad"), id="it does not: both outputs"),
        pytest.param([b"\x01" + b"x" * 9000] * 2, exited(1), Found(BAD, "x" * 10_240), id="ten KiB of them"),
        pytest.param(
            [],
            {"status": "Failure", "message": "container not found"},
            Found(HUH, "container not found"),
            id="it never ran",
        ),
        pytest.param([], {}, Found(HUH, "the apiserver ended the connection before the command did"), id="cut off"),
    ],
)
async def test_commands(client: Client, kubelet: Kubelet, output: list[bytes], status: Obj, want: Found) -> None:
    """A command is judged by how it ends."""
    kubelet.output, kubelet.status = output, status
    assert await execs.run(client, probed(), "app", ("sh", "-c", "a b"), 5) == want
    assert kubelet.asked == [
        "/api/v1/namespaces/ns/pods/pod/exec?container=app&stdout=true&stderr=true&command=sh&command=-c&command=a+b"
    ]


async def test_a_command_that_takes_too_long(client: Client, kubelet: Kubelet) -> None:
    """It has failed, in upstream's words."""
    kubelet.status = None
    want = Found(BAD, 'command timed out: "sleep 9" timed out after 200ms')
    assert await execs.run(client, probed(), "app", ("sleep", "9"), 0.2) == want


async def test_without_the_right(client: Client, kubelet: Kubelet) -> None:
    """Nothing has been tried, and it is said why."""
    kubelet.refuses = True
    assert await execs.run(client, probed(), "app", ("true",), 5) == Found(
        HUH, "the apiserver answers 403: Invalid response status"
    )


async def test_it_is_asked_to_stop(client: Client, kubelet: Kubelet) -> None:
    """A try that is cancelled leaves no conversation behind."""
    kubelet.status = None
    task = asyncio.create_task(execs.run(client, probed(), "app", ("sleep", "9"), 60))
    async with asyncio.timeout(5):
        await kubelet.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
