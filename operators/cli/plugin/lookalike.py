"""Our objects shown to stock kubectl as the built-in kinds, so that it prints what only it knows how to print.

The text of `rollout history` and of a client-side `undo` describes pod templates in kubectl's own way. For it, kubectl
gets a server on the loopback interface that holds the objects in question, under `apps/v1`, and nothing else; its
address is secret, and it lasts as long as the one command.
"""

import json
import secrets
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from operators.cli.plugin.kubectl import Kubectl
from operators.core.kubectl.kinds import KINDS, Kind, reference
from operators.core.objects import Obj

_GROUP = {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}]}
_VERBS = ["get", "list"]
_SERVED = (*KINDS, Kind("ControllerRevision", "controllerrevisions", ()))


def stock(args: Sequence[str], obj: Obj, others: Sequence[Obj]) -> "subprocess.CompletedProcess[str]":
    """Run stock `kubectl ARGS TYPE/NAME` on `obj`, with `others` beside it.

    What it prints names the objects as built-in ones, but for the reference at the beginning, which is put right.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    secret = f"/{secrets.token_urlsafe()}"
    server.answers = {secret + path: body for path, body in _answers(obj, others).items()}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config"
            config.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{server.server_port}{secret}", obj)))
            name = f"{obj['kind'].lower()}/{obj['metadata']['name']}"
            flags = [f"--kubeconfig={config}", f"--cache-dir={folder}/cache"]
            command = [*Kubectl(flags).command(*args), name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        server.shutdown()
        server.server_close()
    done.stdout = done.stdout.replace(reference(_as_stock(obj)), reference(obj), 1)
    return done


def _as_stock(obj: Obj) -> Obj:
    return {**obj, "apiVersion": "apps/v1"}


def _kubeconfig(server: str, obj: Obj) -> Obj:
    context = {"cluster": "here", "user": "", "namespace": obj["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "contexts": [{"name": "here", "context": context}],
        "current-context": "here",
    }


def _answers(obj: Obj, others: Sequence[Obj]) -> dict[str, Obj]:
    """Return the body of every path that kubectl asks for: discovery, the objects, and their collections."""
    resources = [
        {"name": kind.plural, "singularName": kind.kind.lower(), "kind": kind.kind, "namespaced": True, "verbs": _VERBS}
        for kind in _SERVED
    ]
    answers: dict[str, Obj] = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_GROUP]},
        "/apis/apps/v1": {"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": resources},
    }
    for kind in _SERVED:
        items = [_as_stock(one) for one in (obj, *others) if one["kind"] == kind.kind]
        path = f"/apis/apps/v1/namespaces/{obj['metadata']['namespace']}/{kind.plural}"
        answers[path] = {"apiVersion": "apps/v1", "kind": f"{kind.kind}List", "metadata": {}, "items": items}
        answers |= {f"{path}/{one['metadata']['name']}": one for one in items}
    return answers


class _Handler(BaseHTTPRequestHandler):
    """Answers GET with what the server holds."""

    def do_GET(self) -> None:
        """Send the object of a path, or 404."""
        answers: dict[str, Obj] = self.server.answers  # type: ignore[attr-defined]
        found = answers.get(self.path.partition("?")[0])
        body = json.dumps(found or {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 404}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing: the user did not start a server."""
