"""An ingress controller for the end-to-end tests: it routes by the Ingresses of its namespace, as they are right now.

Host, Exact and Prefix paths, ports by number and by name. What it calls is the Service, as kube-proxy serves it.
"""

import http.server
import urllib.error
import urllib.request
from typing import Any

from . import account

GROUP = "/apis/networking.k8s.io/v1"


def backend(host: str, path: str) -> str | None:
    """Return the address of the Service that a request belongs to: the longest path of all rules for it counts."""
    ingresses = account.get(f"{GROUP}/namespaces/{account.namespace()}/ingresses")["items"]
    rules = [rule for one in ingresses for rule in one["spec"]["rules"] if rule.get("host", host) == host]
    fitting = [entry for rule in rules for entry in rule["http"]["paths"] if _fits(entry, path)]
    if not fitting:
        return None
    return _address(max(fitting, key=lambda entry: len(entry["path"]))["backend"]["service"])


def _fits(entry: dict[str, Any], path: str) -> bool:
    want = entry["path"]
    prefix = want.rstrip("/")
    return path == want or (entry["pathType"] == "Prefix" and (path == prefix or path.startswith(f"{prefix}/")))


def _address(service: dict[str, Any]) -> str:
    """Return where a Service is, by its cluster IP."""
    spec = account.get(f"/api/v1/namespaces/{account.namespace()}/services/{service['name']}")["spec"]
    want = service["port"]
    port = next(one for one in spec["ports"] if want in ({"number": one["port"]}, {"name": one.get("name")}))
    return f"{spec['clusterIP']}:{port['port']}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests on."""

    def do_GET(self) -> None:
        """Pass a request on, and its answer back."""
        address = backend(self.headers["Host"].partition(":")[0], self.path)
        if address is None:
            status, body = 404, b"no route"
        else:
            try:
                with urllib.request.urlopen(f"http://{address}{self.path}", timeout=5) as answer:
                    status, body = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, body = error.code, error.read()
            except OSError as error:
                status, body = 502, str(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
