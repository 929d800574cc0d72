"""Upstream's own release downloads, each verified by the checksum that its project publishes beside it.

Each project publishes in its own way: Kubernetes a `.sha256` beside every program, etcd one `SHA256SUMS` beside its
archives, KWOK's releases the digests that GitHub's API lists. A machine without a way out is found out within seconds:
the checksums are asked for first, all at once, and whatever does not answer in time is given up.
"""

import hashlib
import json
import os
import platform
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.response import addinfourl

from operators.cluster.errors import ClusterError
from operators.cluster.progress import Progress
from operators.cluster.versions import Program, Release

ANSWER_WITHIN: Final = 5.0
"""Seconds after which a server that has not sent a checksum counts as out of reach."""
_STALL: Final = 30.0
_CHUNK: Final = 1 << 18

BASES: Final = {
    "kubernetes": "https://dl.k8s.io",
    "etcd": "https://github.com/etcd-io/etcd/releases/download",
    "kwok": "https://api.github.com/repos/kubernetes-sigs/kwok",
}
"""Where each project's releases are; `KOPFWERK_<PROJECT>_URL` names a mirror of the same layout, or `off`."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file to download, and what it has to hash to."""

    url: str
    sha256: str
    member: str = ""
    """The program's path in the archive, where the file is one."""


class _UnavailableError(Exception):
    """A download cannot be had; the message says why."""


def base(module: str) -> str:
    """The URL of a project's releases, `off` where it is not to be asked."""
    return os.environ.get(f"KOPFWERK_{module.upper()}_URL", BASES[module]).rstrip("/")


def architecture() -> str:
    """This machine's, by Go's name."""
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def fetch_all(
    programs: Sequence[Program], release: Release, target: Callable[[Program, Release], Path], progress: Progress
) -> tuple[list[Program], list[str]]:
    """Download what can be downloaded; return the programs that could not be, and why not."""
    assets = _published(programs, release)
    left: list[Program] = []
    reasons: dict[str, None] = {}  # in order, each once
    for program in programs:
        asset = assets.get(program.name, _UnavailableError(f"no answer within {ANSWER_WITHIN:.0f} s"))
        try:
            if isinstance(asset, Exception):
                raise asset
            _fetch(asset, target(program, release), f"{program.name} {program.version(release)}", progress)
        except (_UnavailableError, OSError, ValueError, tarfile.TarError) as error:
            left.append(program)
            reasons[f"no download of {program.module}: {_reason(error)}"] = None
    return left, list(reasons)


def _published(programs: Sequence[Program], release: Release) -> dict[str, Asset | Exception]:
    """Ask for every checksum at once. Threads that nobody waits for: a name server may hang for far longer than us."""
    found: dict[str, Asset | Exception] = {}

    def ask(program: Program) -> None:
        try:
            found[program.name] = _asset(program, program.version(release))
        except (OSError, ValueError, KeyError, _UnavailableError) as error:
            found[program.name] = error

    threads = [threading.Thread(target=ask, args=(program,), daemon=True) for program in programs]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + ANSWER_WITHIN
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)


def _asset(program: Program, version: str) -> Asset:
    """Ask a project what it publishes for this machine."""
    root, arch = base(program.module), architecture()
    if root == "off":
        raise _UnavailableError("switched off")
    if program.module == "kubernetes":
        url = f"{root}/v{version}/bin/linux/{arch}/{program.name}"
        return Asset(url, _read(f"{url}.sha256").split()[0])
    if program.module == "etcd":
        archive = f"etcd-v{version}-linux-{arch}.tar.gz"
        lines = (line.split() for line in _read(f"{root}/v{version}/SHA256SUMS").splitlines())
        sums = {words[1]: words[0] for words in lines if len(words) == 2}
        return Asset(f"{root}/v{version}/{archive}", sums[archive], f"{archive.removesuffix('.tar.gz')}/etcd")
    listed = json.loads(_read(f"{root}/releases/tags/v{version}"))["assets"]
    digests = {asset["name"]: asset for asset in listed if (asset.get("digest") or "").startswith("sha256:")}
    asset = digests[f"kwok-linux-{arch}"]
    return Asset(asset["browser_download_url"], asset["digest"].removeprefix("sha256:"))


def _open(url: str, timeout: float) -> addinfourl:
    """Begin to read a URL."""
    if not url.startswith(("http://", "https://")):
        raise _UnavailableError(f"{url} is no web address")
    try:
        answer: addinfourl = urllib.request.urlopen(url, timeout=timeout)  # noqa: S310  # the scheme was checked above
    except urllib.error.HTTPError as error:
        error.close()
        raise _UnavailableError(f"{error.code} {error.reason}") from None
    return answer


def _read(url: str) -> str:
    """The text at a URL."""
    with _open(url, ANSWER_WITHIN) as answer:
        return str(answer.read(1 << 22).decode())


def _fetch(asset: Asset, target: Path, title: str, progress: Progress) -> None:
    """Download one file and put its program into place in one step, but only if it is what was published."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, progress.task(f"downloading {title}") as task:
        file = Path(folder) / "download"
        digest = hashlib.sha256()
        with _open(asset.url, _STALL) as answer, file.open("wb") as output:
            task.total(int(answer.headers.get("Content-Length") or 0))
            while chunk := answer.read(_CHUNK):
                output.write(chunk)
                digest.update(chunk)
                task.advance(len(chunk))
        if digest.hexdigest() != asset.sha256:
            raise ClusterError(
                f"{asset.url} does not have the published checksum (sha256 {digest.hexdigest()}, not {asset.sha256})."
                " It was thrown away; nothing was installed"
            )
        if asset.member:
            with tarfile.open(file) as archive:
                file = Path(folder) / "program"
                source = archive.extractfile(asset.member)
                if source is None:
                    raise _UnavailableError(f"{asset.url} has no {asset.member}")
                file.write_bytes(source.read())
        file.chmod(0o755)
        file.replace(target)


def _reason(error: Exception) -> str:
    """Why a download was given up, in a few words."""
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    if isinstance(error, KeyError):
        return f"{error} is not among what is published"
    return str(error) or type(error).__name__
