"""A web server and its client, for the pods of the end-to-end tests.

web serve                   answers with VERSION, and goes on, once it was asked to end, while it is still called
web call URL                calls for ever, a line for every answer: its text, or `failed` with the reason
web get TIMES URL [HOST]    calls that often, as if it were for that host, and prints each answer
web exit CODE SECONDS       ends
"""

import http.server
import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

QUIET = 3.0
"""Seconds without a call after which every node's proxy is taken to know that a pod is ending."""
LONGEST = 25.0
"""Seconds that a pod which is ending serves at most: a little less than its grace period."""
UNWELL = Path("/tmp/unwell")
"""While this file is there, the server says that it is not well, and answers all the same."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the version, with how it is, or with the file that the path names."""

    called = 0.0
    """When the latest call came, other than the probes, which come to the end."""

    def do_GET(self) -> None:
        """Answer."""
        if not self.headers.get("User-Agent", "").startswith("kube-probe/"):
            Handler.called = time.monotonic()
        status, body = self._answer(Path(self.path))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @staticmethod
    def _answer(path: Path) -> tuple[int, bytes]:
        if path == Path("/"):
            return 200, os.environ["VERSION"].encode()
        if path == Path("/healthz"):
            return (503, b"unwell") if UNWELL.exists() else (200, b"ok")
        return (200, path.read_bytes()) if path.is_file() else (404, b"not found")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve() -> None:
    """Serve, after the signal to end until nobody calls any more."""
    server = http.server.ThreadingHTTPServer(("", 8080), Handler)

    def linger() -> None:
        began = time.monotonic()
        while (left := min(max(began, Handler.called) + QUIET, began + LONGEST) - time.monotonic()) > 0:
            time.sleep(left)
        server.shutdown()

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=linger).start())
    server.serve_forever()


def call(url: str) -> None:
    """Call for ever, each time on a connection of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
                print(answer.read().decode(), flush=True)
        except OSError as error:
            print(f"failed: {error}", flush=True)
        time.sleep(0.02)


def get(times: str, url: str, host: str = "") -> None:
    """Call some times, each time on a connection of its own."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310
    for _ in range(int(times)):
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            print(answer.read().decode())


def end(code: str, seconds: str) -> None:
    """End after a while."""
    time.sleep(float(seconds))
    sys.exit(int(code))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["call", url]:
            call(url)
        case ["get", times, url, *host]:
            get(times, url, *host)
        case ["exit", code, seconds]:
            end(code, seconds)
        case _:
            sys.exit(__doc__)
