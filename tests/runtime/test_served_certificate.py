"""The certificate that a server presents, over real connections, while its files change in every way that they do."""

import asyncio
import json
import logging
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from prometheus_client import REGISTRY

from operators.runtime import issuing, served_certificate
from operators.runtime.issuing import Issued
from operators.runtime.served_certificate import CertificateFilesError, ServedCertificate
from tests.support.volumes import Volume

NAME = "webhook.kopfwerk-system.svc"

Spoil = Callable[[Issued, Path], None]
"""What happens to the files while a new certificate comes."""


def issue(lifetime: timedelta = timedelta(days=90)) -> Issued:
    """Return a certificate with its key, by an authority that nobody keeps."""
    return issuing.Authority.new("authority", lifetime).issue("webhook", usages=[issuing.SERVER], names=[NAME])


def files(issued: Issued) -> dict[str, bytes]:
    """Return what is in the Secret."""
    return {"tls.crt": issuing.certificate_pem(issued[0]), "tls.key": issuing.key_pem(issued[1])}


def serve(volume: Volume) -> ServedCertificate:
    """Return what a server is given."""
    return ServedCertificate(str(volume.path / "tls.crt"), str(volume.path / "tls.key"))


@pytest.fixture
def old() -> Issued:
    """Return the certificate that is served first."""
    return issue()


@pytest.fixture
def volume(tmp_path: Path, old: Issued) -> Volume:
    """Return the files, with the first certificate."""
    return Volume(tmp_path, files(old))


@asynccontextmanager
async def listening(served: ServedCertificate) -> AsyncIterator[int]:
    """Serve on a port, and answer whatever comes with the same."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0, ssl=served.context) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def connected(
    port: int, name: str | None = NAME
) -> AsyncIterator[tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and give the certificate that was presented."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")
    try:
        yield writer.get_extra_info("ssl_object").getpeercert(binary_form=True), reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


def der(issued: Issued) -> bytes:
    """Return a certificate as it goes over the wire."""
    return issued[0].public_bytes(serialization.Encoding.DER)


async def presented(port: int, name: str | None = NAME) -> bytes:
    """Return what a new connection is presented."""
    async with connected(port, name) as (certificate, _, _):
        return certificate


@pytest.mark.parametrize("name", [pytest.param(NAME, id="by name"), pytest.param(None, id="by address")])
async def test_new_connections_get_the_newest(volume: Volume, old: Issued, name: str | None) -> None:
    """After the files have changed, a new connection is presented what they have."""
    served = serve(volume)
    async with listening(served) as port:
        assert await presented(port, name) == der(old)
        new = issue()
        volume.bring(files(new))
        assert await presented(port, name) == der(old)
        served.refresh()
        assert await presented(port, name) == der(new)


async def test_connections_go_on(volume: Volume, old: Issued) -> None:
    """A connection that there was before a change can be used after it."""
    served = serve(volume)
    async with listening(served) as port, connected(port) as (certificate, reader, writer):
        volume.bring(files(issue()))
        served.refresh()
        writer.write(b"still there\n")
        assert await reader.readline() == b"still there\n"
        assert certificate == der(old)


def half(new: Issued, folder: Path) -> None:
    """Write the first half of a certificate."""
    (folder / "tls.crt").write_bytes(issuing.certificate_pem(new[0])[:200])


def certificate_alone(new: Issued, folder: Path) -> None:
    """Write the certificate before its key."""
    (folder / "tls.crt").write_bytes(issuing.certificate_pem(new[0]))


def key_alone(new: Issued, folder: Path) -> None:
    """Write the key before its certificate."""
    (folder / "tls.key").write_bytes(issuing.key_pem(new[1]))


def no_certificate(_: Issued, folder: Path) -> None:
    """Take the certificate away."""
    (folder / "tls.crt").unlink()


def no_key(_: Issued, folder: Path) -> None:
    """Take the key away."""
    (folder / "tls.key").unlink()


def empty(_: Issued, folder: Path) -> None:
    """Leave nothing in the key."""
    (folder / "tls.key").write_bytes(b"")


def encrypted(new: Issued, folder: Path) -> None:
    """Write a key that asks for a password."""
    certificate_alone(new, folder)
    protected = serialization.BestAvailableEncryption(b"secret")
    text = new[1].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protected)
    (folder / "tls.key").write_bytes(text)


HALVES: list[Spoil] = [half, certificate_alone, key_alone, no_certificate, no_key, empty, encrypted]


@pytest.mark.parametrize("spoil", [pytest.param(each, id=each.__name__.replace("_", " ")) for each in HALVES])
async def test_half_of_a_certificate(
    volume: Volume, old: Issued, spoil: Spoil, caplog: pytest.LogCaptureFixture
) -> None:
    """What does not go together is not served, is said once, and is served once it does."""
    served = serve(volume)
    new = issue()
    async with listening(served) as port:
        spoil(new, volume.path)
        for _ in range(3):
            served.refresh()
        assert await presented(port) == der(old)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "PRIVATE" not in caplog.text

        certificate_alone(new, volume.path)
        key_alone(new, volume.path)
        served.refresh()
        assert await presented(port) == der(new)


@pytest.mark.parametrize("spoil", [pytest.param(each, id=each.__name__.replace("_", " ")) for each in HALVES])
def test_nothing_to_start_with(volume: Volume, spoil: Spoil) -> None:
    """Where there is nothing to serve from the beginning, it is said which file is to blame."""
    spoil(issue(), volume.path)
    with pytest.raises(CertificateFilesError, match=str(volume.path)):
        serve(volume)


async def test_files_are_followed(volume: Volume, old: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask for a refresh."""
    monkeypatch.setattr(served_certificate, "INTERVAL", 0)
    served = serve(volume)
    new = issue()
    async with listening(served) as port, served.followed():
        volume.bring(files(new))
        async with asyncio.timeout(10):
            while await presented(port) == der(old):
                pass
        assert await presented(port) == der(new)


def expiry() -> float | None:
    """Return what Prometheus is told."""
    return REGISTRY.get_sample_value("kopfwerk_webhook_certificate_expiration_timestamp_seconds")


def test_expiry_is_told(volume: Volume, old: Issued) -> None:
    """Prometheus is told when the certificate that is served expires, not one that is yet to be."""
    served = serve(volume)
    assert expiry() == old[0].not_valid_after_utc.timestamp()
    new = issue(timedelta(days=200))
    certificate_alone(new, volume.path)
    served.refresh()
    assert expiry() == old[0].not_valid_after_utc.timestamp()
    key_alone(new, volume.path)
    served.refresh()
    assert expiry() == new[0].not_valid_after_utc.timestamp()


KUBECONFIG = {
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {}}],
}


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param([], " needs --webhook-certificate and --webhook-key", id="not told"),
        pytest.param(["--webhook-key=tls.key"], " needs --webhook-certificate and --webhook-key", id="half told"),
        pytest.param(
            ["--webhook-certificate=absent.crt", "--webhook-key=tls.key"],
            ": absent.crt: No such file or directory",
            id="no such file",
        ),
        pytest.param(
            ["--webhook-certificate=tls.crt", "--webhook-key=other.key"],
            ": tls.crt and other.key do not go together",
            id="another's key",
        ),
    ],
)
def test_the_operator_does_not_start(volume: Volume, options: list[str], want: str) -> None:
    """Without a certificate to serve the webhook with, the operator ends at once, and says why in one line."""
    (volume.path / "kubeconfig").write_text(json.dumps(KUBECONFIG))
    (volume.path / "other.key").write_bytes(files(issue())["tls.key"])
    command = ["run", "--kubeconfig=kubeconfig", "--listen=", "--webhook-listen=127.0.0.1:0", *options]
    ran = subprocess.run(
        [sys.executable, "-m", "operators.cli.main", *command],
        cwd=volume.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.endswith(f"cannot start: --webhook-listen 127.0.0.1:0{want}\n")
    assert ran.stderr.count("\n") == 1
