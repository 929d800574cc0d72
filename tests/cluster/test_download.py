"""Downloads against a local server that is laid out as each project's releases are."""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from operators.cluster import binaries, download, gobuild
from operators.cluster.errors import ClusterError
from operators.cluster.progress import Lines
from operators.cluster.versions import DEFAULT, PROGRAMS, Program

CONTENT = b"#!/bin/sh\necho a program\n"


class Mirror:
    """A web server with files by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def publish(self, program: Program, content: bytes = CONTENT, sha256: str | None = None) -> None:
        """Release a program as its project does, with the right checksum unless another is given."""
        version, arch = program.version(DEFAULT), download.architecture()
        if program.module == "etcd":
            content = archive(f"etcd-v{version}-linux-{arch}/etcd", content)
        digest = sha256 or hashlib.sha256(content).hexdigest()
        if program.module == "kubernetes":
            path = f"/kubernetes/v{version}/bin/linux/{arch}/{program.name}"
            self.files |= {path: content, f"{path}.sha256": digest.encode()}
        elif program.module == "etcd":
            name = f"etcd-v{version}-linux-{arch}.tar.gz"
            sums = f"{'0' * 64}  etcd-v{version}-darwin-{arch}.zip\n{digest}  {name}\n"
            self.files |= {f"/etcd/v{version}/{name}": content, f"/etcd/v{version}/SHA256SUMS": sums.encode()}
        else:
            asset = {
                "name": f"kwok-linux-{arch}",
                "digest": f"sha256:{digest}",
                "browser_download_url": f"{self.url}/k",
            }
            release = {"assets": [{"name": "kwokctl", "digest": None}, asset]}
            self.files |= {f"/kwok/releases/tags/v{version}": json.dumps(release).encode(), "/k": content}


def archive(member: str, content: bytes) -> bytes:
    """A gzipped tar archive with one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """An empty server in every project's place, an empty cache, and no Go."""
    mirror = Mirror()
    monkeypatch.setenv("KOPFWERK_CACHE", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    for module in download.BASES:
        monkeypatch.setenv(f"KOPFWERK_{module.upper()}_URL", f"{mirror.url}/{module}")
    monkeypatch.setattr(gobuild, "go", lambda: None)
    thread = threading.Thread(target=mirror.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.server.shutdown()
    thread.join()
    mirror.server.server_close()


@pytest.mark.parametrize("name", ["kube-apiserver", "etcd", "kwok"])
def test_a_published_program_is_installed(name: str, mirror: Mirror) -> None:
    """What has the published checksum lands in the cache, executable."""
    mirror.publish(PROGRAMS[name])

    files = binaries.obtain([PROGRAMS[name]], DEFAULT, Lines())

    assert files[name] == binaries.cached(PROGRAMS[name], DEFAULT)
    assert files[name].read_bytes() == CONTENT
    assert files[name].stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["kube-apiserver", "etcd", "kwok"])
def test_another_checksum_than_the_published_is_refused(name: str, mirror: Mirror) -> None:
    """A file that is not what was published is thrown away, and said to be; nothing else is tried in its place."""
    mirror.publish(PROGRAMS[name], sha256="0" * 64)

    with pytest.raises(ClusterError, match="does not have the published checksum"):
        binaries.obtain([PROGRAMS[name]], DEFAULT, Lines())

    target = binaries.cached(PROGRAMS[name], DEFAULT)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "want_reason"),
    [
        pytest.param("http://127.0.0.1:1", "Connection refused", id="no route"),
        pytest.param(None, "404", id="not published"),
        pytest.param("off", "switched off", id="switched off"),
        pytest.param("file:///etc", "no web address", id="no web address"),
    ],
)
def test_what_cannot_be_downloaded_is_left_with_the_reason(
    url: str | None, want_reason: str, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is out of reach, or does not have it, is a reason to go on without."""
    if url is not None:
        monkeypatch.setenv("KOPFWERK_KUBERNETES_URL", url)
    kubectl = PROGRAMS["kubectl"]

    left, reasons = download.fetch_all([kubectl], DEFAULT, binaries.cached, Lines())

    assert left == [kubectl]
    assert len(reasons) == 1
    assert want_reason in reasons[0]


def test_a_server_that_never_answers_is_given_up(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a checksum ends in time even when the connection itself hangs."""
    never = threading.Event()
    monkeypatch.setattr(download, "ANSWER_WITHIN", 0.05)

    def hang(_url: str) -> str:
        never.wait(30)
        raise OSError

    monkeypatch.setattr(download, "_read", hang)

    left, reasons = download.fetch_all([PROGRAMS["etcd"]], DEFAULT, binaries.cached, Lines())
    never.set()

    assert left == [PROGRAMS["etcd"]]
    assert "no answer" in reasons[0]


def test_each_project_is_downloaded_by_itself(mirror: Mirror) -> None:
    """One project's missing release does not keep another's from being used."""
    mirror.publish(PROGRAMS["kubectl"])

    left, _ = download.fetch_all([PROGRAMS["etcd"], PROGRAMS["kubectl"]], DEFAULT, binaries.cached, Lines())

    assert left == [PROGRAMS["etcd"]]
    assert binaries.look_up(PROGRAMS["kubectl"], DEFAULT) is not None
