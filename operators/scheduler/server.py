"""The extender over HTTP: parses, calls, encodes. One process, one event loop, and so one decision at a time."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

import orjson
from aiohttp import web
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from operators.core.objects import PODS, Obj
from operators.runtime.client import OWN_WORDS, ApiError, Requests, path
from operators.scheduler import metrics, wire
from operators.scheduler.extender import Answer, Extender
from operators.scheduler.own import RuleError
from operators.scheduler.pod import Pod

log = logging.getLogger(__name__)

LARGEST: Final = 16 << 20
"""Bytes of a request: 100,000 names of nodes and a pod need less."""
BEHIND_AT_MOST: Final = 1.0
"""Seconds for which a decision waits for news of pods that had to go for it."""
NEWS_AT_MOST: Final = 0.02
"""Seconds for which a refusal waits for news."""
_TICK: Final = 0.002
PREFIX: Final = "/scheduler"
Verb: TypeAlias = Callable[[bytes], Awaitable[bytes]]


class Server:
    """The verbs of one extender, and what they need of the apiserver."""

    def __init__(self, extender: Extender, client: Requests, ready: Callable[[], bool]) -> None:
        self._extender = extender
        self._client = client
        self._ready = ready
        self._news_from = 0.0
        """From when on a refusal waits for news."""

    def application(self) -> web.Application:
        """Return the application: the verbs and /explain, and what the page has."""
        application = self.page()
        verbs: dict[str, Verb] = {
            "filter": self._filter,
            "prioritize": self._prioritize,
            "preempt": self._preempt,
            "bind": self._bind,
            "explain": self._explain,
        }
        application.add_routes(
            [web.post(f"{PREFIX}/{name}", self._handler(name, verb)) for name, verb in verbs.items()]
        )
        return application

    def page(self) -> web.Application:
        """Return what everybody may read: /healthz, /readyz and /metrics."""
        application = web.Application(client_max_size=LARGEST)
        application.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        )
        return application

    def _handler(self, name: str, verb: Verb) -> Callable[[web.Request], Awaitable[web.Response]]:
        durations = metrics.calls.labels(name)

        async def handle(request: web.Request) -> web.Response:
            began, code = time.perf_counter(), 500
            try:
                response, code = await self._answer(verb, request)
            except web.HTTPException as error:
                code = error.status
                raise
            finally:
                durations.observe(time.perf_counter() - began)
                metrics.results.labels(name, str(code)).inc()
            return response

        return handle

    async def _answer(self, verb: Verb, request: web.Request) -> tuple[web.Response, int]:
        """Answer, and say as what that counts."""
        if not self._ready():
            return web.Response(status=503, text="the caches are not filled yet\n"), 503
        try:
            answer = await verb(await request.read())
        except wire.BadRequestError as error:
            return web.Response(status=400, text=f"{error}\n"), 400
        except RuleError as error:
            log.exception("a pod is not decided about")
            if verb != self._filter:
                return web.Response(status=500, text=f"{error}\n"), 500
            # kube-scheduler passes on what is in the answer, into the pod's events.
            return _json(wire.filtered(Answer([], {}, {}, str(error)))), 500
        return _json(answer), 200

    async def _filter(self, body: bytes) -> bytes:
        pod, names = wire.arguments(body, self._extender.nodes.node_count)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEHIND_AT_MOST):
                while self._extender.is_behind(pod, names):  # noqa: ASYNC110 - the snapshot knows of no event loop
                    await asyncio.sleep(_TICK)
        return wire.filtered(await self._decide(pod, names))

    async def _decide(self, pod: Pod, names: Sequence[str] | None) -> Answer:
        """Decide; where the pod is refused, again as soon as anything is new, for a moment.

        The very news because of which we were asked may be late, and the pod would not be asked about once more because
        of it, on a quiet cluster for minutes. Where many pods are refused, few of them wait, for others wait behind
        them and there is news all the time.
        """
        nodes = self._extender.nodes
        answer = self._extender.filter(pod, names)
        if answer.nodes or time.monotonic() < self._news_from:
            return answer
        version, until = nodes.version, time.monotonic() + NEWS_AT_MOST
        while not answer.nodes and time.monotonic() < until:
            await asyncio.sleep(_TICK)
            if nodes.version != version:
                answer, version = self._extender.filter(pod, names), nodes.version
        self._news_from = time.monotonic() + 10 * NEWS_AT_MOST
        return answer

    async def _prioritize(self, body: bytes) -> bytes:
        names, scores = self._extender.prioritize(*wire.arguments(body, self._extender.nodes.node_count))
        return wire.prioritized(names, scores.total)

    async def _preempt(self, body: bytes) -> bytes:
        return wire.preempted(self._extender.preempt(*wire.candidates(body)))

    async def _bind(self, body: bytes) -> bytes:
        """Bind, and say in `Error` why not: kube-scheduler then tries again."""
        asked = wire.binding(body)
        wanted: Obj = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": asked.name, "namespace": asked.namespace, "uid": asked.uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": asked.node},
        }
        try:
            url = path(PODS, asked.namespace, asked.name, "binding")
            await self._client.request("POST", url, wanted, params=OWN_WORDS)
        except ApiError as error:
            if not error.in_doubt:
                self._extender.unassume(asked.uid)
            return orjson.dumps({"Error": error.message})
        self._extender.bound(asked.uid)
        return orjson.dumps({"Error": ""})

    async def _explain(self, body: bytes) -> bytes:
        """Say for every node its scores, or why the pod cannot go there. Changes nothing."""
        return orjson.dumps(self._extender.explain(wire.asked_pod(body)))

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._ready():
            return web.Response(text="ok")
        return web.Response(status=503, text="the caches are not filled yet\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        nodes = self._extender.nodes
        for kind, number in (
            ("nodes", nodes.node_count),
            ("pods", nodes.pod_count),
            ("assumed_pods", nodes.assumed_count),
        ):
            metrics.cache.labels(kind).set(number)
        metrics.expired.set(nodes.expired)
        metrics.held.set(self._extender.gangs.held)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = await asyncio.to_thread(encode, REGISTRY)
        return web.Response(body=body, headers={"Content-Type": content_type})


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def mutual_tls(certificate: Path, key: Path, clients: Path) -> ssl.SSLContext:
    """Return TLS that lets nobody in but holders of a certificate of that authority. Raises OSError, ssl.SSLError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(clients))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context


@asynccontextmanager
async def served(
    application: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve meanwhile; gives the port, which is chosen where 0 is asked for. Raises OSError where it is taken."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or None, port, ssl_context=tls)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
