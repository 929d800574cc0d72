"""A web server and its client, for the pods of the end-to-end tests.

app.py serve               answers with VERSION, and goes on for a moment after it was asked to end
app.py call URL            calls for ever, a line for every answer: its text, or `failed` with the reason
app.py exit CODE SECONDS   ends
"""

import http.server
import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

LINGER = 3.0
"""Seconds until every node's proxy knows that a pod is ending."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the version, or with the file that the path names."""

    def do_GET(self) -> None:
        """Answer."""
        path = Path(self.path)
        found = path == Path("/") or path.is_file()
        body = os.environ["VERSION"].encode() if path == Path("/") else path.read_bytes() if found else b"not found"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve() -> None:
    """Serve until LINGER after the signal to end."""
    server = http.server.ThreadingHTTPServer(("", 8080), Handler)

    def end(*_: object) -> None:
        threading.Timer(LINGER, server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
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
        case ["exit", code, seconds]:
            end(code, seconds)
        case _:
            sys.exit(__doc__)
