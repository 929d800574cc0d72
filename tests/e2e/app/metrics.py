"""metrics.k8s.io for the end-to-end tests: what pods use, as their kubelets say."""

import datetime as dt
import http.server
import json
import ssl
import urllib.parse
from pathlib import Path
from typing import Any

from operators.runtime import issuing

from . import account

VERSION = "metrics.k8s.io/v1beta1"
KEY = Path("/tmp/tls.pem")
RESOURCES = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": VERSION,
    "resources": [{"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["list"]}],
}


def answer(path: str) -> Any:
    """Return what is asked for, or None."""
    url = urllib.parse.urlsplit(path)
    match url.path.strip("/").split("/"):
        case ["apis", "metrics.k8s.io", "v1beta1"]:
            return RESOURCES
        case ["apis", "metrics.k8s.io", "v1beta1", "namespaces", namespace, "pods"]:
            pods = account.get(f"/api/v1/namespaces/{namespace}/pods?{url.query}")["items"]
            used = usage({pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")})
            items = [made for pod in pods if (made := metrics(pod["metadata"], used))]
            return {"kind": "PodMetricsList", "apiVersion": VERSION, "metadata": {}, "items": items}
    return None


def usage(nodes: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what each container uses, by its pod's UID."""
    summaries = (account.get(f"/api/v1/nodes/{node}/proxy/stats/summary") for node in sorted(nodes))
    return {pod["podRef"]["uid"]: pod.get("containers", []) for one in summaries for pod in one["pods"]}


def metrics(meta: dict[str, Any], used: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    """Return the metrics of a pod, if its kubelet knows all of them yet."""
    containers = [
        {"name": one["name"], "usage": {"cpu": f"{one['cpu']['usageNanoCores']}n", "memory": str(memory)}}
        for one in used.get(meta["uid"], [])
        if "usageNanoCores" in one.get("cpu", {}) and (memory := one.get("memory", {}).get("workingSetBytes"))
    ]
    if not containers:
        return None
    named = {name: meta[name] for name in ("name", "namespace", "labels", "creationTimestamp")}
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": named, "timestamp": now, "window": "10s", "containers": containers}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers the aggregator."""

    def do_GET(self) -> None:
        """Answer."""
        found = answer(self.path)
        body = json.dumps(found).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def certificate() -> Path:
    """Make a key and a certificate that nobody checks."""
    authority = issuing.Authority.new("metrics", dt.timedelta(days=1))
    made, key = authority.issue("metrics", usages=[issuing.SERVER], names=["metrics"])
    KEY.write_bytes(issuing.key_pem(key) + issuing.certificate_pem(made))
    return KEY


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("", 8443), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate())
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
