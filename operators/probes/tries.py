"""Makes a try of a probe: to the pod's own address, or to the `host` that was asked for."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from operators.core.pods import Pod
from operators.core.probe.spec import Exec, Grpc, HttpGet, PortError, Probe, TcpSocket, port
from operators.core.probed import Container
from operators.probes import exec as execs
from operators.probes import grpc, http, tcp
from operators.probes.dialer import Dialer
from operators.probes.found import Found, unknown
from operators.probes.wheel import Wheel
from operators.runtime.client import Requests, Streams

log = logging.getLogger(__name__)

_COMMANDS_AT_ONCE: Final = 32
"""What the apiserver and the kubelets are asked to do at a time."""
_COMMAND_TIMEOUT: Final = 10.0


class Tries:
    """Makes tries; commands go through `client`. Its connections end with it."""

    def __init__(self, client: Requests, wheel: Wheel) -> None:
        self._client = client
        self._dialer = Dialer(wheel)
        self._commands = asyncio.Semaphore(_COMMANDS_AT_ONCE)

    def begin(
        self, probe: Probe, pod: Pod, container: Container, told: Callable[[Found], None]
    ) -> Callable[[], object]:
        """Begin one; `told` hears later what was found, whatever went wrong. Returns what breaks it off."""
        host = pod.probed.ip if pod.probed else ""
        action, timeout = probe.action, probe.timeout
        try:
            match action:
                case HttpGet():
                    return http.probe(self._dialer, action, (host, port(action.port, container)), timeout, told)
                case TcpSocket():
                    return tcp.probe(self._dialer, action, (host, port(action.port, container)), timeout, told)
                case Grpc():
                    return _in_a_task(grpc.probe(action, host, timeout), told)
                case Exec():
                    return _in_a_task(self.run(pod, container.name, action.command, timeout), told)
        except PortError as error:
            return asyncio.get_running_loop().call_soon(told, unknown(str(error))).cancel

    async def run(self, pod: Pod, container: str, command: Sequence[str], timeout: float = _COMMAND_TIMEOUT) -> Found:  # noqa: ASYNC109 - one that counts
        """Run a command in a container."""
        if not isinstance(self._client, Streams):
            return unknown("this client runs no commands")
        async with self._commands:
            return await execs.run(self._client, pod, container, command, timeout)

    def close(self) -> None:
        """End what is under way."""
        self._dialer.close()


def _in_a_task(found: Coroutine[None, None, Found], told: Callable[[Found], None]) -> Callable[[], object]:
    async def tell() -> None:
        try:
            what = await found
        except Exception:  # a defect of one probe's must not end it
            log.exception("a try has failed")
            what = unknown("internal error")
        told(what)

    return asyncio.create_task(tell()).cancel
