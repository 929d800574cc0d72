"""The `grpc` probe: grpc.health.v1.Health/Check. Mirrors pkg/probe/grpc.

Its two messages have a field each, so they are written here rather than generated: that spares the image protobuf.
"""

import asyncio
from typing import Final

from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from operators.core.probe.spec import Grpc
from operators.probes.found import SUCCESS, Found, address, failure, seconds
from operators.probes.tcp import reason

_CHECK: Final = "/grpc.health.v1.Health/Check"
_STATUSES: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


class _Bytes(CodecBase):
    """Messages are bytes already."""

    __content_subtype__ = "proto"

    def encode(self, message: object, message_type: object) -> bytes:  # noqa: ARG002 - the base class has it
        """Return the message."""
        return bytes(message)  # type: ignore[call-overload,no-any-return]

    def decode(self, data: bytes, message_type: object) -> bytes:  # noqa: ARG002 - likewise
        """Return the message."""
        return data


RAW: Final = _Bytes()
"""Takes messages as they are."""


def request(service: str) -> bytes:
    """Return a HealthCheckRequest: `service` is its field 1."""
    text = service.encode()
    return b"\x0a" + _varint(len(text)) + text if text else b""


def serving_status(message: bytes) -> int:
    """Return `status`, field 1 of a HealthCheckResponse; what is not there is 0."""
    if len(message) < 2 or message[0] != 0x08:
        return 0
    return message[1]


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


async def probe(action: Grpc, host: str, timeout: float) -> Found:  # noqa: ASYNC109 - one that counts
    """Ask whether the service serves."""
    where = address(host, action.port)
    channel = Channel(host, action.port, codec=RAW)
    connected = False
    try:
        async with asyncio.timeout(timeout):
            await channel.__connect__()
            connected = True
            check: UnaryUnaryMethod[bytes, bytes] = UnaryUnaryMethod(channel, _CHECK, bytes, bytes)
            answer = await check(request(action.service))
    except TimeoutError:
        if connected:
            return failure(f"timeout: health rpc did not complete within {seconds(timeout)}")
        return failure(
            f'timeout: failed to connect service "{where}" within {seconds(timeout)}: context deadline exceeded'
        )
    except GRPCError as error:
        return _refused(error)
    except OSError as error:
        return failure(f'error: failed to connect service at "{where}": dial tcp {where}: {reason(error)}')
    except (ProtocolError, StreamTerminatedError) as error:
        return failure(f"error: health rpc probe failed: {error}")
    finally:
        channel.close()
    status = serving_status(answer or b"")
    if status == 1:
        return SUCCESS
    name = _STATUSES[status] if status < len(_STATUSES) else str(status)
    return failure(f'service unhealthy (responded with "{name}")')


def _refused(error: GRPCError) -> Found:
    if error.status == Status.UNIMPLEMENTED:
        what = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
        return failure(f"error: {what}: {error.message}")
    code = "".join(part.capitalize() for part in error.status.name.split("_"))
    return failure(f"error: health rpc probe failed: rpc error: code = {code} desc = {error.message}")
