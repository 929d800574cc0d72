"""The plugin misses nothing: what happens between its requests counts as much as what happens while it watches."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from operators.core.objects import KOPFWERK, Obj, deployments
from operators.runtime.client import MERGE_PATCH, ApiError, Client, path
from tests.apiserver.plugin_cli import PLUGIN, CommandLine
from tests.apiserver.workloads import manifest

pytestmark = pytest.mark.cluster

Meanwhile = Callable[[Client, str], Awaitable[None]]


async def report(client: Client, url: str, available: int) -> None:
    """Write a status in which all three pods are updated, and so many available."""
    counts = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": available, "availableReplicas": available}
    status = counts | {"observedGeneration": 1}
    await client.request("PATCH", f"{url}/status", {"status": status}, content_type=MERGE_PATCH)


async def roll_out(client: Client, url: str) -> None:
    """Have the last pod become available."""
    await report(client, url, 3)


async def delete(client: Client, url: str) -> None:
    """Delete it."""
    await client.request("DELETE", url)


@asynccontextmanager
async def before(
    client: Client, is_meant: Callable[[web.Request], bool], act: Callable[[], Awaitable[None]]
) -> AsyncIterator[str]:
    """Serve what the apiserver serves, and act once right before a request that is meant reaches it."""
    left = [act]

    async def forward(request: web.Request) -> web.StreamResponse:
        if left and is_meant(request):
            await left.pop()()
        if "watch" not in request.query:
            try:
                return web.json_response(await client.request("GET", request.path, params=request.query))
            except ApiError as error:
                status: Obj = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": error.message}
                status |= {"reason": error.reason, "code": error.status, "details": error.details}
                return web.json_response(status, status=error.status)
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        async for line in client.watch(request.path, dict(request.query), 60):
            await answer.write(line + b"\n")
        return answer

    application = web.Application()
    application.router.add_get("/{rest:.*}", forward)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def watches(request: web.Request) -> bool:
    """Whether it is the request for the events."""
    return "watch" in request.query


def lists(request: web.Request) -> bool:
    """Whether it is the request for what there is, before that for the events."""
    return "fieldSelector" in request.query and not watches(request)


@pytest.fixture
async def shell(client: Client, kubeconfig: Path, unique: str) -> CommandLine:
    """Return a namespace with a Deployment that waits for the last of its three pods."""
    obj: Obj = json.loads(manifest("Deployment", 3))
    await client.request("POST", "/api/v1/namespaces", {"metadata": {"name": unique}})
    await client.request("POST", path(deployments(KOPFWERK), unique), obj)
    await report(client, path(deployments(KOPFWERK), unique, "web"), 2)
    return CommandLine(kubeconfig, unique)


@pytest.mark.parametrize(
    ("is_meant", "meanwhile", "want"),
    [
        pytest.param(watches, roll_out, (0, "successfully rolled out"), id="rolled out before the watch"),
        pytest.param(lists, roll_out, (0, "successfully rolled out"), id="rolled out before the list"),
        pytest.param(watches, delete, (1, "object has been deleted"), id="deleted before the watch"),
        pytest.param(lists, delete, (1, "object has been deleted"), id="deleted before the list"),
    ],
)
async def test_a_change_between_two_requests(
    client: Client,
    shell: CommandLine,
    is_meant: Callable[[web.Request], bool],
    meanwhile: Meanwhile,
    want: tuple[int, str],
) -> None:
    """`rollout status` ends by what became true before the apiserver had the request that would have told."""
    url = path(deployments(KOPFWERK), shell.namespace, "web")
    async with before(client, is_meant, lambda: meanwhile(client, url)) as server:
        command = ["rollout", "status", "deployment/web", "--timeout=20s", f"--server={server}"]
        process = await asyncio.create_subprocess_exec(
            PLUGIN,
            *command,
            f"--namespace={shell.namespace}",
            env=shell.environment() | {"KUBECONFIG": os.devnull},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert want[1] in said.decode()
    assert process.returncode == want[0]
