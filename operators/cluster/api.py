"""A client for the few requests that starting a cluster takes: blocking, one connection, JSON in and JSON out."""

import http.client
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"


class ApiError(Exception):
    """The server refused: its status code and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(slots=True)
class Api:
    """The apiserver (or a component's health endpoint) as one identity sees it. Not for several threads at once.

    As a context manager it keeps its connection from one request to the next; else each has one of its own.
    """

    url: str
    pki: Path
    identity: str = "admin"
    timeout: float = 30.0
    _keep: bool = False
    _connection: http.client.HTTPSConnection | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self._keep = True
        return self

    def __exit__(self, *_: object) -> None:
        self._keep = False
        self.close()

    def get(self, path: str) -> Any:
        """The object, list or text at a path."""
        return self.request("GET", path)

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """Send one request and return the decoded answer; ApiError when refused, OSError when unreachable."""
        payload = None if body is None else json.dumps(body).encode()
        try:
            answer = self._send(method, path, payload, content_type)
        except (http.client.BadStatusLine, http.client.CannotSendRequest, BrokenPipeError, ConnectionResetError):
            # The server closed the idle connection in between: a fresh one tells whether it is there.
            self.close()
            answer = self._send(method, path, payload, content_type)
        text = answer.read()
        if not self._keep:
            self.close()
        decoded = json.loads(text) if answer.headers.get_content_type() == "application/json" else text.decode()
        if answer.status >= 400:
            message = decoded.get("message", "") if isinstance(decoded, dict) else decoded.strip()
            raise ApiError(answer.status, message)
        return decoded

    def _send(self, method: str, path: str, payload: bytes | None, content_type: str) -> http.client.HTTPResponse:
        """Send one request on the connection, opened where there is none; a broken one is closed."""
        if self._connection is None:
            context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
            context.load_cert_chain(self.pki / f"{self.identity}.crt", self.pki / f"{self.identity}.key")
            address = urlsplit(self.url)
            self._connection = http.client.HTTPSConnection(
                str(address.hostname), address.port, timeout=self.timeout, context=context
            )
        try:
            self._connection.request(method, path, payload, {"Content-Type": content_type} if payload else {})
            return self._connection.getresponse()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
