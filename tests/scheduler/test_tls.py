"""Who may ask the extender where it listens beyond loopback: holders of a certificate of one authority."""

import asyncio
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from operators.runtime import issuing
from operators.runtime.issuing import Authority
from operators.scheduler.extender import Extender
from operators.scheduler.rules import rules
from operators.scheduler.server import Server, mutual_tls, served
from tests.scheduler.building import node, pod_object, snapshot
from tests.scheduler.test_server import Apiserver

OURS, ANOTHERS = (Authority.new(name, timedelta(days=1)) for name in ("ours", "another's"))


def write(folder: Path, authority: Authority, user: str) -> tuple[Path, Path]:
    """Write a certificate for clients and for a server on this machine, and its key."""
    names = ["127.0.0.1"]
    certificate, key = authority.issue(user, usages=[issuing.SERVER, issuing.CLIENT], names=names)
    files = folder / f"{user}.crt", folder / f"{user}.key"
    files[0].write_bytes(issuing.certificate_pem(certificate))
    files[1].write_bytes(issuing.key_pem(key))
    return files


async def asked(folder: Path, client: Authority | None) -> list[str]:
    """Ask an extender where a pod goes, with a certificate of that authority, or with none."""
    authority = folder / "ca.crt"
    authority.write_bytes(issuing.certificate_pem(OURS.certificate))
    server_tls = mutual_tls(*write(folder, OURS, "extender"), authority)
    context = ssl.create_default_context(cafile=str(authority))
    if client is not None:
        context.load_cert_chain(*write(folder, client, "kube-scheduler"))
    extender = Extender(snapshot(node("a")), lambda _: rules(), lambda: 0.0)
    application = Server(extender, Apiserver(), lambda: True).application()
    async with (
        served(application, "127.0.0.1", 0, server_tls) as port,
        aiohttp.ClientSession(f"https://127.0.0.1:{port}") as session,
        session.post("/scheduler/filter", json={"Pod": pod_object(), "NodeNames": ["a"]}, ssl=context) as response,
    ):
        return list((await response.json())["NodeNames"])


async def test_a_certificate_of_the_authority_lets_in(tmp_path: Path) -> None:
    """kube-scheduler gets its answer by HTTPS."""
    assert await asked(tmp_path, OURS) == ["a"]


@pytest.mark.parametrize(
    "client", [pytest.param(None, id="no certificate"), pytest.param(ANOTHERS, id="another authority's")]
)
async def test_nobody_else_is_let_in(tmp_path: Path, client: Authority | None) -> None:
    """The connection ends before anything is answered."""
    with pytest.raises((aiohttp.ClientError, asyncio.IncompleteReadError)):
        await asked(tmp_path, client)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--listen=0.0.0.0:0"], id="without TLS"),
        pytest.param(["--listen=:0"], id="everywhere"),
        pytest.param(["--listen=127.0.0.1:0", "--tls-key={file}"], id="with a part of it"),
    ],
)
def test_it_does_not_start_open_to_everybody(tmp_path: Path, options: list[str]) -> None:
    """One clear error says which options are missing."""
    file = tmp_path / "file"
    file.touch()
    command = ["scheduler-extender", *(option.format(file=file) for option in options)]
    ran = subprocess.run(
        [sys.executable, "-m", "operators.cli.main", *command], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "give --tls-certificate, --tls-key and --tls-client-ca, all three" in ran.stderr
