"""The certificate that a server presents, read anew while it serves.

A kubelet swaps the files of a Secret by a link, but the certificate and its key are two reads, and other tools write
one after the other: what does not go together is left alone until it does. Connections keep the certificate with which
they began; new ones get the newest (docs/decisions/0006-webhook-certificates.md says why not Kopf's own way).
"""

import asyncio
import contextlib
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from cryptography import x509

from operators.runtime import metrics

log = logging.getLogger(__name__)

INTERVAL: Final = 5.0
"""Seconds between looks at the files. A kubelet tells nobody that it changed them."""


class CertificateFilesError(Exception):
    """The files cannot be served with, and this is why."""


class ServedCertificate:
    """A certificate and its key in two files."""

    def __init__(self, certificate: str, key: str) -> None:
        """Read the files. Raises CertificateFilesError."""
        self._certificate, self._key = Path(certificate), Path(key)
        self._seen = self._look()
        self._is_loaded = False
        self._load()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.sni_callback = self._choose

    def refresh(self) -> None:
        """Read the files anew where they changed; where they cannot be served with, the present ones stay."""
        seen, self._seen = self._seen, self._look()
        if seen == self._seen and self._is_loaded:
            return
        try:
            self._load()
        except CertificateFilesError as error:
            self._is_loaded = False
            if seen != self._seen:
                log.warning("the present certificate of the webhook stays: %s", error)
        else:
            log.info("the webhook's certificate is new")

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Refresh every INTERVAL meanwhile."""
        task = asyncio.create_task(self._follow(), name="webhook certificate")
        try:
            yield
        finally:
            task.cancel()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            self.refresh()

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Give a new connection the newest certificate; OpenSSL asks whether the client gives a name or not."""
        connection.context = self._current

    def _look(self) -> bytes:
        """Return what tells one state of the files from another. The key itself is not kept."""
        try:
            return hashlib.sha256(self._certificate.read_bytes() + b"\0" + self._key.read_bytes()).digest()
        except OSError as error:
            return str(error).encode()

    def _load(self) -> None:
        """Serve what the files have. Raises CertificateFilesError, and then nothing has changed."""
        # A context of its own: one that has taken a certificate without its key is of no use to anybody.
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            expires = x509.load_pem_x509_certificate(self._certificate.read_bytes()).not_valid_after_utc
            self._key.read_bytes()  # OpenSSL does not say which of the two it cannot read
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")  # else it asks the terminal
        except ssl.SSLError as error:
            why = "do not go together" if error.reason == "KEY_VALUES_MISMATCH" else "cannot be read as PEM"
            raise CertificateFilesError(f"{self._certificate} and {self._key} {why}") from error
        except OSError as error:
            raise CertificateFilesError(f"{error.filename}: {error.strerror}") from error
        except ValueError as error:
            raise CertificateFilesError(f"{self._certificate} has no certificate in PEM") from error
        self._current = context
        self._is_loaded = True
        metrics.webhook_certificate_expiration.set(expires.timestamp())
