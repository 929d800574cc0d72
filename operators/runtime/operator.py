"""The operator as Kopf runs it: start-up, clean-up, signals, admission; and the page for probes and Prometheus.

Kopf is the frame. It handles no event of any object: what wakes the controllers are our own informers
(docs/decisions/0002-kopf-as-frame.md), so nothing of Kopf's ever shows on a user's object.
"""

import asyncio
import gc
import logging
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kopf
import orjson
import uvloop
from aiohttp import web
from kubernetes.aio.config import ConfigException
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from operators.core.admission.review import TWINS
from operators.core.objects import KOPFWERK
from operators.runtime import admission, scheduler_admission, state
from operators.runtime.client import Client
from operators.runtime.controller import Controller
from operators.runtime.lease import Lease
from operators.runtime.manager import Manager
from operators.runtime.state import StateMetrics

log = logging.getLogger(__name__)

LEASE = "kopfwerk"
_NEVER = 100.0 * 365 * 86_400
"""Seconds until Kopf reads the webhook's certificate anew: it closes the port for that, and half a file ends it."""
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    namespace is where the Lease is, empty for the pod's own. listen is host:port for /healthz, /readyz and /metrics,
    empty for none. identity is the Lease's holder, empty for the host's name and one drawn for this process.
    webhook_listen is where the webhook listens, empty for nowhere; a certificate that changes is read anew. Where
    webhook_scheduler is given, it also gives that scheduler the new pods that it is asked about.
    Of a kind with more objects than state_metrics_limit there are no state metrics.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str = ""
    leader_elect: bool = True
    identity: str = ""
    listen: str = "127.0.0.1:8080"
    webhook_listen: str = ""
    webhook_certificate: str = ""
    webhook_key: str = ""
    webhook_scheduler: str = ""
    state_metrics_limit: int = state.LIMIT
    log_format: str = "text"
    verbose: bool = False


class CannotListenError(Exception):
    """An address to listen on is no address, or taken, or there is no certificate to listen with."""


class Operator:
    """One process: what Kopf starts and stops."""

    def __init__(self, options: Options, controllers: Iterable[Controller[Any]]) -> None:
        self._options = options
        self._controllers = tuple(controllers)
        self._stop = asyncio.Event()
        self._exit_code = 0
        self._webhook: admission.Server | None = None

    async def run(self) -> int:
        """Run until a signal or the loss of leadership; return the exit code."""
        registry = kopf.OperatorRegistry()
        settings = kopf.OperatorSettings()
        settings.scanning.disabled = True
        settings.posting.enabled = False
        # The webhook and the lease have a client of their own: they must not wait behind a burst of the controllers'.
        async with await self._connect() as client, await self._connect() as asking:
            self._manager = Manager(client, self._controllers, self._lease(asking))
            states = self._states()
            async with _served(self._options.listen, self._lacks, states):
                kopf.on.login(registry=registry)(client.kopf_login)
                kopf.on.startup(registry=registry)(self._startup)
                kopf.on.cleanup(registry=registry)(self._cleanup)
                async with self._admitted(asking, registry, settings):
                    await kopf.operator(
                        registry=registry,
                        settings=settings,
                        memories=_NoMemories(),  # type: ignore[arg-type] # all that Kopf asks of them
                        identity="kopfwerk",  # type: ignore[arg-type] # else it asks for a user, whom a pod need not have
                        standalone=True,
                        clusterwide=True,
                        stop_flag=self._stop,
                    )
        return self._exit_code

    def _lease(self, client: Client) -> Lease | None:
        if not self._options.leader_elect:
            return None
        identity = self._options.identity or f"{os.uname().nodename}_{uuid.uuid4()}"
        return Lease(client, self._options.namespace or _own_namespace(), LEASE, identity)

    def _lacks(self) -> str:
        """Return why it is not ready, empty where it is."""
        if not self._manager.is_ready:
            return "the caches are not filled yet"
        if self._webhook is not None and not self._webhook.listens:
            return "the webhook does not listen"
        return ""

    def _states(self) -> StateMetrics:
        tables = {controller.resource: controller.state for controller in self._controllers if controller.state}
        limit = self._options.state_metrics_limit
        return StateMetrics(self._manager.informers, tables, lambda: self._manager.leads, limit)

    async def _connect(self) -> Client:
        return await Client.connect(self._options.kubeconfig, self._options.context)

    @asynccontextmanager
    async def _admitted(
        self, client: Client, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings
    ) -> AsyncIterator[None]:
        """Have Kopf serve the webhook, if it is wanted. Every replica does, leading or not."""
        listen = self._options.webhook_listen
        if not listen:
            yield
            return
        certificate, key = self._options.webhook_certificate, self._options.webhook_key
        if not (certificate and key):
            raise CannotListenError(f"--webhook-listen {listen} needs --webhook-certificate and --webhook-key")
        # It reads certificates, which takes 7 MB that native mode does without.
        from operators.runtime.served_certificate import CertificateFilesError, ServedCertificate  # noqa: PLC0415

        try:
            host, _, port = listen.rpartition(":")
            served = ServedCertificate(certificate, key)
            settings.admission.server = self._webhook = admission.Server(
                addr=host or None,
                port=int(port),
                context=served.context,
                certfile=certificate,
                pkeyfile=key,
                file_check_interval=_NEVER,
            )
        except (CertificateFilesError, ValueError) as error:
            raise CannotListenError(f"--webhook-listen {listen}: {error}") from error
        validate = admission.handler(client, await admission.user_name(client))
        for twin in TWINS.values():
            kopf.on.validate(
                KOPFWERK,
                "v1",
                twin.plural,
                id="validate",  # the path of its URL
                operations=["CREATE", "UPDATE"],
                ignore_failures=True,
                registry=registry,
            )(validate)
        if scheduler := self._options.webhook_scheduler:
            scheduler_admission.register(registry, scheduler)
        async with served.followed():
            yield

    async def _startup(self, **_: object) -> None:
        """Start the controllers."""
        self._managing = asyncio.create_task(self._manage(), name="manager")

    async def _cleanup(self, **_: object) -> None:
        """Let what is in flight end. Kopf waits for this, and cancels every task that is left afterwards."""
        self._stop.set()
        await self._managing

    async def _manage(self) -> None:
        """Run the controllers; when they end, so does the process."""
        try:
            await self._manager.run(self._stop)
            if not self._stop.is_set():
                self._exit_code = 1
        except Exception:
            log.exception("the controllers ended")
            self._exit_code = 1
        finally:
            self._stop.set()


def _own_namespace() -> str:
    """Return the namespace of the pod that this is, or the one that every cluster has."""
    try:
        return _POD_NAMESPACE.read_text().strip()
    except OSError:
        return "kube-system"


class _NoMemories:
    """What Kopf remembers of each object it was asked about, which nothing would ever make it forget: nothing."""

    async def recall_memo(self, *_: object, **__: object) -> kopf.Memo:
        """Return an empty memo."""
        return kopf.Memo()

    def iter_all_memories(self) -> Iterator[object]:
        """Yield nothing."""
        return iter(())

    iter_all_daemon_memories = iter_all_memories


@asynccontextmanager
async def _served(listen: str, lacks: Callable[[], str], states: StateMetrics) -> AsyncIterator[None]:
    """Serve /healthz, /readyz (`lacks` says why not) and /metrics meanwhile. Raises CannotListenError."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        if missing := lacks():
            return web.Response(status=503, text=f"{missing}\n")
        return web.Response(text="ok")

    one_at_a_time = asyncio.Lock()

    async def page(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        async with one_at_a_time:  # on threads: with thousands of objects it takes a second, and the lease cannot wait
            body = await asyncio.to_thread(encode, REGISTRY)
        response = web.Response(body=body, zlib_executor_size=1 << 16)
        response.headers["Content-Type"] = content_type
        response.enable_compression()
        return response

    application = web.Application()
    application.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", page)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    REGISTRY.register(states)
    try:
        if listen:
            host, _, port = listen.rpartition(":")
            try:
                site = web.TCPSite(runner, host or None, int(port))
                await site.start()
            except (OSError, ValueError) as error:
                raise CannotListenError(f"--listen {listen}: {error}") from error
            log.info("serving /healthz, /readyz and /metrics on %s", site.name)
        yield
    finally:
        REGISTRY.unregister(states)
        await runner.cleanup()


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry = {
            "ts": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            entry["exc"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def configure_logging(log_format: str, *, verbose: bool) -> None:
    """Log to standard error, as text or as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for noisy in ("kopf", "asyncio", "aiohttp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("kopf.objects").setLevel(logging.CRITICAL)  # a refused manifest is no error of ours


def main(options: Options, controllers: Callable[[], Iterable[Controller[Any]]]) -> int:
    """Run the operator in the foreground and return the exit code."""
    configure_logging(options.log_format, verbose=options.verbose)
    gc.freeze()  # what is imported stays; the collector need not look at it again
    gc.set_threshold(50_000, 20, 50)
    sys.setswitchinterval(0.0005)  # how long the thread of a scrape may keep the event loop waiting; there is no other
    try:
        return uvloop.run(Operator(options, controllers()).run())
    except (CannotListenError, ConfigException) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the way out is in the message, not in a traceback
        return 1
