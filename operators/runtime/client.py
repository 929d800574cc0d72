"""The connection to the apiserver: JSON in, JSON out, one place where every request passes.

Configuration, credentials and TLS come from kubernetes.aio; requests go through aiohttp directly, without typed
models, which is what makes a create cost a quarter of a millisecond. Answers of 429 and of an overloaded
apiserver are retried here after the time that it asks for, as client-go does; everything else is the caller's decision.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

import aiohttp
import kopf
import orjson
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from operators.core.objects import Obj, Resource
from operators.runtime import metrics

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
OWN_WORDS = {"fieldValidation": "Ignore"}
"""Parameters of writes that nobody reads warnings about: the apiserver then decodes JSON once, and not a second time in
search of unknown fields, which is a sixth of what creating a pod costs it."""
REQUEST_TIMEOUT = 8.0
"""Seconds after which a request counts as lost. With the Lease's renew deadline it is shorter than the lease: what a
deposed leader has sent is over before another leads."""
IN_FLIGHT = 64
"""How many requests are under way at once, watches apart."""
_THROTTLED_TRIES = 10


class ApiError(Exception):
    """The apiserver refused, or gave no answer (`status` 0: whether the request took effect is not known)."""

    def __init__(self, status: int, reason: str, message: str, body: Obj | None = None, retry_after: float = 0) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details: Obj = (body or {}).get("details") or {}
        self.retry_after = retry_after
        self.in_doubt = self.is_ambiguous
        """Whether this try or, where a sender has tried again, an earlier one may have taken effect."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether the request may have taken effect all the same: no answer, or a server that lost its own."""
        return self.status == 0 or self.status >= 500

    @property
    def causes(self) -> tuple[str, ...]:
        """The machine-readable causes, such as NamespaceTerminating."""
        return tuple(cause.get("reason", "") for cause in self.details.get("causes") or ())


def path(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """Return the URL path of a collection, an object or a subresource."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    parts = [root, *(("namespaces", namespace) if namespace else ()), resource.plural, name, subresource]
    return "/".join(part for part in parts if part)


class Requests(Protocol):
    """What the runtime asks of a client: tests put a faulty one in its place."""

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Send one request and return the decoded answer."""
        ...

    def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """Yield the lines of a watch."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A client that can also hold a conversation, as `pods/exec` is one."""

    def websocket(
        self, url: str, params: Sequence[tuple[str, str]], protocol: str
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        """Open a websocket. Raises ApiError where it is refused."""
        ...


class Client:
    """One aiohttp session to one apiserver. Use as an async context manager, or close it."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._base = configuration.host.rstrip("/")
        self.host = self._base.partition("://")[2]
        tls = RESTClientObject(configuration).ssl_context if self._base.startswith("https") else False
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=60),
            headers={"Accept": "application/json", "User-Agent": "kopfwerk"},
            auto_decompress=True,
            trust_env=bool(configuration.proxy),
        )
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    @classmethod
    async def connect(cls, kubeconfig: str | None = None, context: str | None = None) -> "Client":
        """Connect as kubectl would: the given kubeconfig, else the pod's service account, else the default kubeconfig.

        Raises kubernetes.aio's ConfigException where there is none.
        """
        configuration = Configuration()
        if not (kubeconfig or context):
            with contextlib.suppress(config.ConfigException):
                config.load_incluster_config(client_configuration=configuration)
                return cls(configuration)
        await config.load_kube_config(kubeconfig, context=context, client_configuration=configuration)
        return cls(configuration)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the session and its connections."""
        await self._session.close()

    async def kopf_login(self, **_: object) -> kopf.ConnectionInfo:
        """Give Kopf the same credentials (a handler for kopf.on.login)."""
        configuration = self._configuration
        scheme, token = (await self._headers()).get("authorization", " ").split(" ", 1)
        return kopf.ConnectionInfo(
            server=configuration.host,
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
            scheme=scheme or None,
            token=token or None,
        )

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Send one request and return the decoded answer. Raises ApiError for whatever is not a success."""
        data, in_doubt = orjson.dumps(body) if body is not None else None, False
        for attempt in range(1, _THROTTLED_TRIES + 1):
            queued = time.perf_counter()
            try:
                async with self._slots:
                    metrics.request_waited(method, self.host, time.perf_counter() - queued)
                    return await self._once(method, url, data, params, content_type)
            except ApiError as error:
                in_doubt = error.in_doubt = error.in_doubt or in_doubt
                if not error.retry_after or attempt == _THROTTLED_TRIES:
                    raise
                metrics.request_retried(method, self.host, str(error.status))
                await asyncio.sleep(error.retry_after)
        raise AssertionError

    async def _once(
        self, method: str, url: str, data: bytes | None, params: Mapping[str, str] | None, content_type: str
    ) -> Obj:
        headers = await self._headers()
        if data is not None:
            headers["Content-Type"] = content_type
        started, code = time.perf_counter(), "<error>"
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                async with self._session.request(
                    method, self._base + url, data=data, params=params, headers=headers
                ) as response:
                    code = str(response.status)
                    raw = await response.read()
                    metrics.request_carried(method, self.host, len(data or b""), len(raw))
                    if response.status < 300:
                        answer: Obj = orjson.loads(raw)
                        return answer
                    raise _error(response.status, response.headers.get("Retry-After"), raw)
        except (aiohttp.ClientError, TimeoutError, ConnectionError, orjson.JSONDecodeError) as error:
            raise ApiError(0, "NoAnswer", f"{method} {url}: {type(error).__name__}: {error}") from error
        finally:
            metrics.request_ended(method, self.host, code, time.perf_counter() - started)

    async def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """Yield the lines of a watch until the server ends it.

        Raises ApiError where it is refused, or where the connection breaks or is silent for `stall_after` seconds.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_TIMEOUT, sock_read=stall_after)
        rest, code = b"", ""
        try:
            async with self._session.get(
                self._base + url, params=params, headers=await self._headers(), timeout=timeout, read_bufsize=1 << 20
            ) as response:
                code = str(response.status)
                metrics.watch_began(self.host, code)
                if response.status != 200:
                    raise _error(response.status, response.headers.get("Retry-After"), await response.read())
                async for chunk in response.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield line
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if not code:
                metrics.watch_began(self.host, "<error>")
            raise ApiError(0, "NoAnswer", f"watch {url}: {type(error).__name__}: {error}") from error

    @contextlib.asynccontextmanager
    async def websocket(
        self, url: str, params: Sequence[tuple[str, str]], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a websocket of a subprotocol, and close it at the end. Raises ApiError where it is refused."""
        anything = {"Accept": "*/*"}  # what a connection carries is no JSON: who asks for that is refused with a 406
        try:
            socket = await self._session.ws_connect(
                self._base + url, params=params, headers=await self._headers() | anything, protocols=(protocol,)
            )
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError(error.status, "", f"the apiserver answers {error.status}: {error.message}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, "NoAnswer", f"{url}: {type(error).__name__}: {error}") from error
        try:
            yield socket
        finally:
            await socket.close()

    async def _headers(self) -> dict[str, str]:
        """Return the credentials, read anew where they rotate. Raises ApiError where they cannot be read just now."""
        try:
            settings = await self._configuration.auth_settings()
        except (config.ConfigException, OSError, ValueError) as error:
            raise ApiError(0, "NoCredentials", f"the credentials cannot be read: {error}") from error
        return {auth["key"]: auth["value"] for auth in settings.values() if auth["in"] == "header" and auth["value"]}


def _error(status: int, retry_after: str | None, raw: bytes) -> ApiError:
    """Read a metav1.Status; a proxy's HTML page is no Status, but still an answer."""
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    message = body.get("message") or raw[:200].decode(errors="replace") or f"HTTP {status}"
    wait = float(retry_after) if retry_after and retry_after.isdigit() and status in (429, 500, 503, 504) else 0.0
    return ApiError(status, body.get("reason", ""), message, body, wait)
