"""Makes a try of a probe: to the pod's own address, or to the `host` that was asked for."""

import asyncio
from collections.abc import Sequence
from typing import Final

from operators.core.pods import Pod
from operators.core.probe.spec import Exec, Grpc, HttpGet, PortError, Probe, TcpSocket, port
from operators.core.probed import Container
from operators.probes import exec as execs
from operators.probes import grpc, http, tcp
from operators.probes.dialer import Dialer, NoSocketError
from operators.probes.found import Found, unknown
from operators.probes.wheel import Wheel
from operators.runtime.client import Requests, Streams

_COMMANDS_AT_ONCE: Final = 32
"""What the apiserver and the kubelets are asked to do at a time."""
_COMMAND_TIMEOUT: Final = 10.0


class Tries:
    """Makes tries; commands go through `client`. Its connections end with it."""

    def __init__(self, client: Requests, wheel: Wheel) -> None:
        self._client = client
        self._dialer = Dialer(wheel)
        self._commands = asyncio.Semaphore(_COMMANDS_AT_ONCE)

    async def make(self, probe: Probe, pod: Pod, container: Container) -> Found:
        """Make one. Whatever goes wrong is in what was found."""
        host = pod.probed.ip if pod.probed else ""
        action = probe.action
        try:
            match action:
                case HttpGet():
                    return await http.probe(self._dialer, action, host, port(action.port, container), probe.timeout)
                case TcpSocket():
                    return await tcp.probe(self._dialer, action, host, port(action.port, container), probe.timeout)
                case Grpc():
                    return await grpc.probe(action, host, probe.timeout)
                case Exec():
                    return await self.run(pod, container.name, action.command, probe.timeout)
        except (PortError, NoSocketError) as error:
            return unknown(str(error))

    async def run(self, pod: Pod, container: str, command: Sequence[str], timeout: float = _COMMAND_TIMEOUT) -> Found:  # noqa: ASYNC109 - one that counts
        """Run a command in a container."""
        if not isinstance(self._client, Streams):
            return unknown("this client runs no commands")
        async with self._commands:
            return await execs.run(self._client, pod, container, command, timeout)

    def close(self) -> None:
        """End what is under way."""
        self._dialer.close()
