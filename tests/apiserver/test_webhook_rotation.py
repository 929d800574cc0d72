"""The webhook's certificate is renewed while requests go on: the real command, a real operator, real TLS.

What is missing of a cluster is played here: the kubelet that brings the Secret's files, a little late.
"""

import asyncio
import base64
import contextlib
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from operators.cluster.ports import choose
from operators.core.objects import KOPFWERK
from operators.runtime import webhook_certificate
from operators.runtime.client import ApiError, Client, path
from operators.runtime.lease import LEASES
from operators.runtime.operator import LEASE
from operators.runtime.webhook_certificate import CONFIGURATIONS, ensure
from tests.apiserver.installation import Installation
from tests.apiserver.validation import manifest
from tests.support.during import during
from tests.support.volumes import Volume

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("webhook certificate")]


@contextlib.asynccontextmanager
async def replica(installation: Installation, kubeconfig: Path, port: int, volume: Volume) -> AsyncIterator[None]:
    """Run an operator that serves the webhook, and whom another one keeps from leading: the apiserver is shared."""
    lease = {"holderIdentity": "another", "leaseDurationSeconds": 3600}
    leases = path(LEASES, installation.namespace)
    await installation.client.request("POST", leases, {"metadata": {"name": LEASE}, "spec": lease})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "operators.cli.main", "run", "--listen="),
        *(f"--kubeconfig={kubeconfig}", f"--namespace={installation.namespace}", f"--webhook-listen=127.0.0.1:{port}"),
        *(f"--webhook-certificate={volume.path}/tls.crt", f"--webhook-key={volume.path}/tls.key"),
    )
    try:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.1)
        yield
    finally:
        process.terminate()
        assert await process.wait() == 0


@contextlib.asynccontextmanager
async def kubelet(installation: Installation, volume: Volume) -> AsyncIterator[None]:
    """Bring the Secret's files to the volume whenever they change."""

    async def sync() -> None:
        before = await installation.files()
        while True:
            if (files := await installation.files()) != before:
                volume.bring(files)
                before = files
            await asyncio.sleep(0.5)

    async with during(sync()):
        yield


async def ask(installation: Installation, counts: Counter[str]) -> None:
    """Write, on and on, what only the webhook refuses, and what it takes."""
    url = f"/apis/{KOPFWERK}/v1/namespaces/{installation.namespace}/deployments"
    unknown = {"spec.template.spec.containers.0.volumeMounts": [{"name": "unknown", "mountPath": "/x"}]}
    valid, invalid = manifest("Deployment", KOPFWERK, {}), manifest("Deployment", KOPFWERK, unknown)
    for obj in (valid, invalid):
        obj["metadata"]["namespace"] = installation.namespace
    while True:
        with pytest.raises(ApiError, match='Not found: "unknown"'):
            await installation.client.request("POST", url, invalid, params={"dryRun": "All"})
        counts["refused"] += 1
        await installation.client.request("POST", url, valid, params={"dryRun": "All"})
        counts["taken"] += 1


async def presented(installation: Installation, port: int) -> bytes:
    """Connect anew as the apiserver would, trusting whom the configuration trusts; return what is presented."""
    obj = await installation.client.request("GET", path(CONFIGURATIONS, name=installation.configuration))
    bundle = base64.b64decode(obj["webhooks"][0]["clientConfig"]["caBundle"]).decode()
    context = ssl.create_default_context(cadata=bundle)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=installation.host)
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return certificate


async def connect(installation: Installation, port: int, counts: Counter[str]) -> None:
    """Connect anew, on and on."""
    while True:
        await presented(installation, port)
        counts["connected"] += 1
        await asyncio.sleep(0.05)


async def is_served(installation: Installation, port: int) -> None:
    """Wait until what is in the Secret is what is presented."""
    wanted = load_pem_x509_certificate((await installation.files())["tls.crt"]).public_bytes(Encoding.DER)
    async with asyncio.timeout(60):
        while await presented(installation, port) != wanted:  # noqa: ASYNC110 - another process reads the files
            await asyncio.sleep(0.1)


async def goes_on(counts: Counter[str]) -> None:
    """Wait until everything that goes on has been done twice more: what was under way, and what has begun since."""
    before = Counter(counts)
    async with asyncio.timeout(60):
        while any(counts[what] < before[what] + 2 for what in ("refused", "taken", "connected")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_renewed_while_requests_go_on(
    client: Client, kubeconfig: Path, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through several renewals every write is validated: what is invalid is refused each time, and nothing else is."""
    installation, port, counts = Installation(client, unique), choose().webhook, Counter[str]()
    await installation.create()
    await installation.configure(port)
    await ensure(client, installation.wanted)
    volume = Volume(tmp_path, await installation.files())

    class InTwoMonths(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=61)

    monkeypatch.setattr(webhook_certificate, "datetime", InTwoMonths)
    async with replica(installation, kubeconfig, port, volume), kubelet(installation, volume):
        await is_served(installation, port)
        async with during(ask(installation, counts)), during(connect(installation, port, counts)):
            # Each renewal has the apiserver connect anew, and so makes it meet the certificate of the one before.
            for _ in range(3):
                assert (await ensure(client, installation.wanted)).why
                await is_served(installation, port)
                await goes_on(counts)
