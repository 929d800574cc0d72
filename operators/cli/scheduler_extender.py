"""`kopfwerk scheduler-extender`: what a kube-scheduler asks instead of its own filters and scores."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import signal
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import uvloop
import yaml
from kubernetes.aio.config import ConfigException

from operators.runtime.client import Client
from operators.runtime.operator import configure_logging
from operators.scheduler import feed, metrics, profiles
from operators.scheduler.extender import Extender
from operators.scheduler.profiles import Profiles
from operators.scheduler.rules import InvalidProfileError
from operators.scheduler.server import Server, mutual_tls, served
from operators.scheduler.snapshot import Snapshot

log = logging.getLogger(__name__)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> "_Address":
        host, _, port = text.rpartition(":")
        if not port.isdigit():
            raise ValueError(f"{text!r} is not HOST:PORT")
        return cls(host.strip("[]"), int(port))

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@click.command(context_settings={"max_content_width": 100})
@click.option("--kubeconfig", type=_FILE, help="How to reach the cluster.")
@click.option("--context", help="A context of that kubeconfig other than the current one.")
@click.option("--listen", default="127.0.0.1:8090", show_default=True, help="Where kube-scheduler asks.")
@click.option("--tls-certificate", type=_FILE, help="Serve there by HTTPS, with this certificate.")
@click.option("--tls-key", type=_FILE, help="The certificate's key.")
@click.option("--tls-client-ca", type=_FILE, help="Who may ask: those with a certificate of this authority.")
@click.option("--page-listen", help="Serve /metrics, /healthz and /readyz there too, and nothing else.")
@click.option("--profiles", "file", type=_FILE, help="The rules and weights, by name.  [default: upstream's]")
@click.option(
    "--prioritize",
    is_flag=True,
    help="Leave the choice to kube-scheduler: filter answers with every node that fits, prioritize with their scores.",
)
@click.option("--part", is_flag=True, help="kube-scheduler shows a part of the nodes: have it look on where none fits.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def scheduler_extender(**options: Any) -> None:
    """Serve the verbs of a scheduler extender until told to end.

    It answers at /scheduler/filter, prioritize, preempt and bind; /explain takes what filter takes and changes nothing.
    On loopback whoever is there may ask; elsewhere it takes the three options of TLS, and clients need a certificate.
    """
    configure_logging(options["log_format"], verbose=options["verbose"])
    try:
        listen = _Address.read(options["listen"])
        page = _Address.read(options["page_listen"]) if options["page_listen"] else None
        tls = _tls(options, listen)
        file = options["file"]
        chosen = profiles.read(yaml.safe_load(file.read_text()) if file else None, metrics.timed)
        if options["part"]:
            profiles.check_in_part(chosen)
        gc.freeze()  # what is imported stays; the collector need not look at it again
        gc.set_threshold(50_000, 20, 50)
        uvloop.run(_run(options, listen, page, tls, chosen))
    except (ConfigException, InvalidProfileError, OSError, ValueError, yaml.YAMLError) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the way out is in the message, not in a traceback
        sys.exit(1)


def _tls(options: dict[str, Any], listen: _Address) -> ssl.SSLContext | None:
    """Return how clients prove who they are; None on loopback, where they need not."""
    files = [options[name] for name in ("tls_certificate", "tls_key", "tls_client_ca")]
    if all(files):
        return mutual_tls(*files)
    if any(files) or not listen.is_loopback:
        raise ValueError(
            f"to listen on {listen} give --tls-certificate, --tls-key and --tls-client-ca, all three:"
            " without them anybody could place pods"
        )
    return None


async def _run(
    options: dict[str, Any], listen: _Address, page: _Address | None, tls: ssl.SSLContext | None, chosen: Profiles
) -> None:
    """Follow the cluster and serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    snapshot = Snapshot()
    extender = Extender(snapshot, chosen.of, time.monotonic, decides=not options["prioritize"], in_part=options["part"])
    kubeconfig = str(options["kubeconfig"]) if options["kubeconfig"] else None
    async with await Client.connect(kubeconfig, options["context"]) as client, contextlib.AsyncExitStack() as stack:
        informers = feed.informers(client, snapshot)
        # A cluster may serve no classes of devices: then there are none, and kube-scheduler does without too.
        needed = [informer for informer in informers if informer.resource != feed.CLASSES]
        server = Server(extender, client, lambda: all(informer.synced.is_set() for informer in needed))
        following = [asyncio.create_task(informer.run()) for informer in informers]
        try:
            await stack.enter_async_context(served(server.application(), listen.host, listen.port, tls))
            if page:
                await stack.enter_async_context(served(server.page(), page.host, page.port))
            log.info("serving the scheduler's extender on %s", listen)
            await stop.wait()
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
