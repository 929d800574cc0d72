"""The chart's option of cert-manager, with its own controllers: they make what the webhook is served with."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import yaml

from operators.cluster.errors import ClusterError
from operators.cluster.ports import choose
from operators.cluster.progress import Lines
from operators.core.objects import Obj, Resource
from operators.runtime.client import MERGE_PATCH, ApiError, Client, path
from operators.runtime.webhook_certificate import CONFIGURATIONS
from tests.apiserver.installation import NAME, Installation
from tests.apiserver.test_webhook_rotation import ask, connect, is_served, kubelet, replica
from tests.chart.rendering import NAMESPACE, Helm, of_kind
from tests.support import tools
from tests.support.during import during
from tests.support.volumes import Volume

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("webhook certificate")]

GROUP: Final = "cert-manager.io"
MODULE: Final = "github.com/cert-manager/cert-manager"
CERTIFICATES: Final = Resource(GROUP, "v1", "certificates", "Certificate")
ISSUERS: Final = Resource(GROUP, "v1", "issuers", "Issuer")
CRDS: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)


@pytest.fixture(scope="module")
def objects() -> list[Obj]:
    """Return what the chart makes with the option."""
    return Helm(tools.obtain(tools.HELM, Lines())).render("webhook.certManager.enabled=true")


@pytest.fixture
async def cert_manager(client: Client, kubeconfig: Path, tmp_path: Path) -> AsyncIterator[None]:
    """Run it, with its custom resources."""
    try:
        program = tools.obtain(tools.CERT_MANAGER, Lines())
        folder = tools.sources("cert-manager", MODULE) / "deploy/crds"
    except ClusterError as error:
        pytest.skip(f"cert-manager is NOT TESTED: {error}")
    crds = [yaml.load(file.read_text(), Loader=yaml.CSafeLoader) for file in sorted(folder.glob("*.yaml"))]
    for crd in crds:
        await client.request("POST", path(CRDS), crd)
    log = tmp_path / "cert-manager.log"
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(program, f"-admin={kubeconfig}", stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            await process.wait()
            for crd in crds:
                await client.request("DELETE", path(CRDS, name=crd["metadata"]["name"]))
            print(log.read_text())  # shown where the test has failed


async def install(installation: Installation, objects: list[Obj]) -> None:
    """Create what concerns the certificate, under the installation's own names."""
    configuration, *_ = of_kind(objects, "ValidatingWebhookConfiguration")
    url = path(CONFIGURATIONS, name=installation.configuration)
    annotations = _renamed(configuration["metadata"]["annotations"], installation)
    await installation.client.request(
        "PATCH", url, {"metadata": {"annotations": annotations}}, content_type=MERGE_PATCH
    )
    for resource in (ISSUERS, CERTIFICATES):
        for obj in of_kind(objects, resource.kind):
            await _create(installation, resource, _renamed(obj, installation))


async def _create(installation: Installation, resource: Resource, obj: Obj) -> None:
    """Create an object, as soon as its kind is served."""
    async with asyncio.timeout(30):
        while True:
            try:
                await installation.client.request("POST", path(resource, installation.namespace), obj)
            except ApiError:
                await asyncio.sleep(0.2)
            else:
                return


def _renamed(obj: Obj, installation: Installation) -> Obj:
    text = yaml.safe_dump(obj).replace(NAMESPACE, installation.namespace).replace("kopfwerk-webhook", NAME)
    made: Obj = yaml.safe_load(text)
    return made


async def files_other_than(installation: Installation, before: dict[str, bytes]) -> dict[str, bytes]:
    """Wait for a certificate in the Secret that is another, and for the configuration to trust somebody."""
    async with asyncio.timeout(60):
        while True:
            try:
                files = await installation.files()
                if files != before and await installation.bundle():
                    return files
            except (ApiError, AssertionError):
                pass
            await asyncio.sleep(0.2)


@pytest.mark.usefixtures("cert_manager")
async def test_issued_injected_and_renewed(
    client: Client, kubeconfig: Path, unique: str, tmp_path: Path, objects: list[Obj]
) -> None:
    """Writes are validated all the while: with the certificate that it makes, with the next, and in between."""
    installation, port, counts = Installation(client, unique), choose().webhook, Counter[str]()
    await installation.create()
    await installation.configure(port)
    await install(installation, objects)
    first = await files_other_than(installation, {})
    volume = Volume(tmp_path, first)
    async with replica(installation, kubeconfig, port, volume), kubelet(installation, volume):
        await is_served(installation, port)
        async with during(ask(installation, counts)), during(connect(installation, port, counts)):
            await more(counts)
            await renew(installation)
            assert await files_other_than(installation, first)
            await is_served(installation, port)
            await more(counts)


async def more(counts: Counter[str]) -> None:
    """Wait for three more writes of each kind."""
    want = {kind: counts[kind] + 3 for kind in ("refused", "taken")}
    async with asyncio.timeout(60):
        while any(counts[kind] < number for kind, number in want.items()):  # noqa: ASYNC110 - another process answers
            await asyncio.sleep(0.1)


async def renew(installation: Installation) -> None:
    """Ask for a renewal as `cmctl renew` does."""
    url = path(CERTIFICATES, installation.namespace, NAME)
    obj = await installation.client.request("GET", url)
    asked = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by a test"}
    obj["status"]["conditions"].append(asked | {"lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
    await installation.client.request("PUT", f"{url}/status", obj)
