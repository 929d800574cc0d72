"""`kopfwerk scheduler-extender`: what a kube-scheduler asks instead of its own filters and scores."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import time
from pathlib import Path

import click
import uvloop
import yaml
from kubernetes.aio.config import ConfigException

from operators.runtime.client import Client
from operators.runtime.operator import configure_logging
from operators.scheduler import feed
from operators.scheduler.extender import Extender
from operators.scheduler.rules import InvalidProfileError, Rules, rules
from operators.scheduler.server import Server, served
from operators.scheduler.snapshot import Snapshot

log = logging.getLogger(__name__)


@click.command(context_settings={"max_content_width": 100})
@click.option("--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="How to reach the cluster.")
@click.option("--context", help="A context of that kubeconfig other than the current one.")
@click.option("--listen", default="127.0.0.1:8090", show_default=True, help="Where kube-scheduler asks.")
@click.option(
    "--profile", type=click.Path(exists=True, dir_okay=False), help="The rules and weights.  [default: upstream's]"
)
@click.option(
    "--all-nodes", is_flag=True, help="Answer with every node that fits instead of the best, and score on demand."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def scheduler_extender(
    *,
    kubeconfig: str | None,
    context: str | None,
    listen: str,
    profile: str | None,
    all_nodes: bool,
    log_format: str,
    verbose: bool,
) -> None:
    """Serve the verbs of a scheduler extender until told to end.

    It answers at /scheduler/filter, prioritize, preempt and bind; /explain takes what filter takes and changes nothing.
    It has no authentication: listen on loopback only.
    """
    configure_logging(log_format, verbose=verbose)
    host, _, port = listen.rpartition(":")
    try:
        chosen = rules(yaml.safe_load(Path(profile).read_text()) if profile else None)
        gc.freeze()  # what is imported stays; the collector need not look at it again
        gc.set_threshold(50_000, 20, 50)
        uvloop.run(_run(kubeconfig, context, (host, int(port)), chosen, decides=not all_nodes))
    except (ConfigException, InvalidProfileError, OSError, ValueError, yaml.YAMLError) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the way out is in the message, not in a traceback
        sys.exit(1)


async def _run(
    kubeconfig: str | None, context: str | None, listen: tuple[str, int], chosen: Rules, *, decides: bool
) -> None:
    """Follow the cluster and serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    snapshot = Snapshot()
    extender = Extender(snapshot, lambda _: chosen, time.monotonic, decides=decides)
    async with await Client.connect(kubeconfig, context) as client:
        informers = feed.informers(client, snapshot)
        server = Server(extender, client, lambda: all(informer.synced.is_set() for informer in informers))
        following = [asyncio.create_task(informer.run()) for informer in informers]
        try:
            async with served(server, *listen) as port:
                log.info("serving the scheduler's extender on %s:%d", listen[0], port)
                await stop.wait()
        finally:
            for task in following:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*following)
