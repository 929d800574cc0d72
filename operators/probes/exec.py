"""The `exec` probe: a command in the container, through the apiserver. Mirrors pkg/probe/exec.

It needs `pods/exec`, which lets its holder into every container: the chart gives it to the operator only if asked to.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
import orjson

from operators.core.objects import PODS, Obj
from operators.core.pods import Pod
from operators.core.probe.worker import Result
from operators.probes.found import LIMIT, Found, failure, seconds, unknown
from operators.runtime.client import ApiError, Streams, path

_PROTOCOL = "v5.channel.k8s.io"
_OUTPUT, _ERRORS, _STATUS = 1, 2, 3


async def run(client: Streams, pod: Pod, container: str, command: Sequence[str], timeout: float) -> Found:  # noqa: ASYNC109 - one that counts
    """Run a command and judge it by how it ends. One that takes too long is left to itself, as with upstream."""
    params = [("container", container), ("stdout", "true"), ("stderr", "true")]
    params += (("command", part) for part in command)
    try:
        async with (
            asyncio.timeout(timeout),
            client.websocket(path(PODS, pod.namespace, pod.name, "exec"), params, _PROTOCOL) as socket,
        ):
            return await _followed(socket)
    except TimeoutError:
        return failure(f'command timed out: "{" ".join(command)}" timed out after {seconds(timeout)}')
    except ApiError as error:
        return unknown(error.message)


async def _followed(socket: aiohttp.ClientWebSocketResponse) -> Found:
    """Gather output until the apiserver says how the command ended."""
    output = b""
    async for message in socket:
        if message.type != aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel in (_OUTPUT, _ERRORS):
            output = (output + data)[:LIMIT]
        elif channel == _STATUS:
            return _judged(orjson.loads(data), output.decode(errors="replace"))
    return unknown("the apiserver ended the connection before the command did")


def _judged(status: Obj, output: str) -> Found:
    if status.get("status") == "Success":
        return Found(Result.SUCCESS, output)
    if status.get("reason") == "NonZeroExitCode":
        return failure(output)
    return unknown(status.get("message", ""))
