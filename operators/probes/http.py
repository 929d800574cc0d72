"""The `httpGet` probe. Mirrors pkg/probe/http.

Each try has a connection of its own, with no proxy and no check of a certificate. A redirect is followed where it stays
on the same host, up to ten times; one that leads elsewhere is a success with a warning. At most 10 KiB of a body are
read. A body that does not come to an end in time makes the try one that could not be made, as upstream.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import httptools

from operators.core.probe.spec import HttpGet
from operators.core.probe.worker import Result
from operators.probes.dialer import Call, Dialer, NoSocketError
from operators.probes.found import LIMIT, SUCCESS, Found, address, failure, unknown
from operators.probes.tcp import reason

_USER_AGENT: Final = "kube-probe/1.37"
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_REDIRECTS_AT_MOST: Final = 10
_HEADERS_AT_MOST: Final = 64 * 1024
_URL_SAFE: Final = "/%:?#[]@!$&'()*+,;=~"


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_TLS: Final = _trusting()
"""For pods, which have certificates that nobody vouches for: as upstream, what counts is that they answer."""


class _AnswerError(Exception):
    """An answer that is none, or that ended before its time."""


class _Exchange(Call):
    """One request and its answer, of which no more is read than is needed. status is 0 until the headers are there."""

    __slots__ = ("_headers_unread", "_is_whole", "_parser", "_request", "_sized", "body", "location", "status")

    resets = True

    def __init__(self, request: bytes, ended: Callable[[Exception | None], None]) -> None:
        super().__init__(ended)
        self.status = 0
        self.location = ""
        self.body = b""
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._headers_unread = _HEADERS_AT_MOST
        self._sized = False
        self._is_whole = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        super().connection_made(transport)
        cast("asyncio.WriteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self.is_over:
            return
        parser = self._parser
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._stop(_AnswerError(f"malformed HTTP response: {error}"))
            return
        if not self.status:
            self._headers_unread -= len(data)
            if self._headers_unread < 0:
                self._stop(_AnswerError(f"server response headers exceeded {_HEADERS_AT_MOST} bytes; aborted"))
        elif self._is_whole:
            self._stop(None)

    def _stop(self, error: _AnswerError | None) -> None:
        del self._parser  # it refers to this: they would have to be collected
        self.end(error)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Remember what matters."""
        match name.lower():
            case b"location":
                self.location = value.decode("latin-1")
            case b"content-length" | b"transfer-encoding":
                self._sized = True

    def on_headers_complete(self) -> None:
        """Note the status; those of 1xx only announce another answer."""
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status

    def on_body(self, body: bytes) -> None:
        """Keep as much as is wanted."""
        self.body = (self.body + body)[:LIMIT]
        if len(self.body) == LIMIT:
            self._is_whole = True

    def on_message_complete(self) -> None:
        """Have it all."""
        if self.status:
            self._is_whole = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Take what there is for the whole, where nothing says how much was to come."""
        whole = self.status and not self._sized
        self.end(exc or (None if whole else _AnswerError("EOF")))


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, made once for all tries of a pod."""

    url: SplitResult
    host: str
    port: int
    headers: tuple[tuple[str, str], ...]
    text: bytes

    @classmethod
    def of(cls, url: SplitResult, headers: tuple[tuple[str, str], ...]) -> "_Request":
        """Make one. Raises ValueError for an address that is none."""
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if not any(name.lower() == "host" for name, _ in headers):
            lines.append(f"Host: {url.netloc}")
        text = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace")
        return cls(url, url.hostname or "", url.port or (443 if url.scheme == "https" else 80), headers, text)


@lru_cache(maxsize=16384)
def _first(action: HttpGet, host: str, port: int) -> _Request:
    """Return what a try begins with. Raises ValueError."""
    path = action.path if action.path.startswith("/") else f"/{action.path}"
    url = urlsplit(f"{action.scheme}://{address(action.host or host, port)}{quote(path, safe=_URL_SAFE)}")
    return _Request.of(url, _headers(action))


class _Get:
    """One try: a request, and those that redirects ask for."""

    __slots__ = ("_dialer", "_host", "_left", "_told", "_until", "exchange", "request")

    def __init__(self, dialer: Dialer, request: _Request, until: float, told: Callable[[Found], None]) -> None:
        self._dialer, self._until, self._told = dialer, until, told
        self._host = request.host
        self._left = _REDIRECTS_AT_MOST
        self.request = request
        self._ask()

    def cancel(self) -> None:
        """Break it off."""
        self.exchange.cancel()

    def _ask(self) -> None:
        request = self.request
        tls = _TLS if request.url.scheme == "https" else None
        self._left -= 1
        self.exchange = _Exchange(request.text, self._ended)
        self._dialer.carry(self.exchange, request.host, request.port, self._until, tls)

    def _ended(self, error: Exception | None) -> None:
        try:
            redirected = error is None and self._redirected(self.exchange)
        except ValueError as wrong:  # an address that is none
            error, redirected = wrong, False
        if error is not None:
            self._told(_failed(self, error))
        elif not redirected:
            self._told(_judged(self.exchange))
        elif self._left:
            self._ask()
        else:
            text = f'Get "{self.request.url.geturl()}": stopped after {_REDIRECTS_AT_MOST} redirects'
            self._told(failure(text))

    def _redirected(self, answer: _Exchange) -> bool:
        """Whether the answer says to ask elsewhere on the same host: then that is what `request` asks for."""
        if answer.status not in _REDIRECTS or not answer.location:
            return False
        there = urlsplit(quote(urljoin(self.request.url.geturl(), answer.location), safe=_URL_SAFE))
        if there.scheme not in ("http", "https") or there.hostname != self._host:
            return False
        headers = self.request.headers
        if urlsplit(answer.location).netloc:  # the name that was asked for was meant for the first address
            headers = tuple(header for header in headers if header[0].lower() != "host")
        self.request = _Request.of(there, headers)
        return True


def _headers(action: HttpGet) -> tuple[tuple[str, str], ...]:
    """Return the headers: those asked for, repeated or not, and two that are there unless asked for.

    An empty Accept or User-Agent asks for none. Raises ValueError for one that would end its line.
    """
    for name, value in action.headers:
        if any(character in "\r\n\0" for character in name + value):
            raise ValueError(f"net/http: invalid header field value for {name!r}")
    asked = {name.lower() for name, _ in action.headers}
    own = (("User-Agent", _USER_AGENT), ("Accept", "*/*"))
    return (
        *((name, value) for name, value in own if name.lower() not in asked),
        *((name, value) for name, value in action.headers if value or name.lower() not in ("accept", "user-agent")),
    )


def _judged(answer: _Exchange) -> Found:
    if not 200 <= answer.status < 400:
        return failure(f"HTTP probe failed with statuscode: {answer.status}")
    if answer.status < 300:
        return SUCCESS
    body = answer.body.decode(errors="replace")
    return Found(Result.SUCCESS, f"Probe terminated redirects, Response body: {body}", warns=True)


def probe(
    dialer: Dialer, action: HttpGet, where: tuple[str, int], timeout: float, told: Callable[[Found], None]
) -> Callable[[], object]:
    """GET from a host and port, `action.host` if that is given; `told` hears later what was found.

    Returns what breaks it off.
    """
    loop = asyncio.get_running_loop()
    try:
        request = _first(action, *where)
    except ValueError as error:
        return loop.call_soon(told, failure(str(error))).cancel
    return _Get(dialer, request, loop.time() + timeout, told).cancel


def _failed(get: _Get, error: Exception) -> Found:
    """Say what went wrong, as Go does. What has begun to answer well or badly has not failed: nobody knows."""
    url = get.request.url.geturl()
    if isinstance(error, NoSocketError):
        return unknown(str(error))
    if get.exchange.status:
        what = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
        return unknown(what if isinstance(error, TimeoutError) else "unexpected EOF")
    if isinstance(error, TimeoutError):
        return failure(f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    if isinstance(error, OSError) and not get.exchange.connected and not isinstance(error, ssl.SSLError):
        return failure(f'Get "{url}": dial tcp {get.request.url.netloc}: {reason(error)}')
    return failure(f'Get "{url}": {error}')
