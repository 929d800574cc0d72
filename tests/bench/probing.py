"""How many probes the prober carries, and how late they are: python -m tests.bench.probing [PROBES] [SECONDS].

Real connections to a real server in a process of its own, whose processor time is told apart. The pods are of the
cache alone: there is no apiserver, since one that is well gets nothing written to it.
"""

import asyncio
import gc
import multiprocessing
import os
import socket
import sys
import time
from datetime import UTC, datetime

import uvloop

from operators.core.objects import PODPROBES, PODS, Obj, format_time
from operators.core.pods import parse
from operators.probes.prober import Prober
from operators.runtime.controller import Surroundings
from operators.runtime.informer import Informer, Informers
from operators.runtime.metrics import probe_lag
from operators.runtime.wake import obj_indexers, pod_indexers
from tests.runtime.scripted import Scripted

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class _Ok(asyncio.Protocol):
    """Answers whatever is asked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to."""
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment] # of a socket, it is one

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(_ANSWER)
        self._transport.close()


def _serve(listening: socket.socket, used: "multiprocessing.Queue[float]", seconds: float) -> None:
    """Serve for some seconds, in a process of its own; say what it took."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Ok, sock=listening, backlog=4096)
        async with server:
            await asyncio.sleep(seconds)

    uvloop.run(serve())
    used.put(time.process_time())


def _pod(number: int, now: str) -> Obj:
    state = {"name": "app", "containerID": f"c{number}", "state": {"running": {"startedAt": now}}, "started": True}
    return {
        "metadata": {
            "namespace": f"ns-{number % 50}",
            "name": f"web-{number}",
            "uid": f"00000000-0000-0000-0000-{number:012}",
            "resourceVersion": "1",
            "creationTimestamp": now,
            "labels": {"app": "web"},
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "app"}]},
        "status": {
            "phase": "Running",
            "podIP": f"127.1.{number // 250}.{number % 250 + 1}",
            "containerStatuses": [state],
        },
    }


def _podprobe(namespace: str, port: int, period: float) -> Obj:
    probe = {"httpGet": {"port": port, "path": "/healthz"}, "periodSeconds": period}
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "PodProbe",
        "metadata": {
            "namespace": namespace,
            "name": "web",
            "uid": f"uid-{namespace}",
            "resourceVersion": "1",
            "generation": 1,
        },
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "readinessProbe": probe},
    }


def _lags() -> dict[str, float]:
    """Return how many probes were late by at most so many seconds, by bucket."""
    samples = next(iter(probe_lag.collect())).samples
    return {sample.labels["le"]: sample.value for sample in samples if sample.name.endswith("_bucket")}


async def _run(port: int, probes: int, seconds: float) -> str:
    informers, client = Informers(), Scripted()
    podprobes = Informer(client, PODPROBES, lambda obj: obj, obj_indexers())
    pods = Informer(client, PODS, parse, pod_indexers())
    informers.add(podprobes)
    informers.add(pods)
    now = format_time(datetime.now(UTC))
    for number in range(probes):
        pods._store(_pod(number, now))
    for namespace in sorted({f"ns-{number % 50}" for number in range(probes)}):
        podprobes._store(_podprobe(namespace, port, 1.0))
    prober = Prober()
    failed: list[str] = []
    around = Surroundings(informers, client, lambda _key, _after: None, lambda say: failed.append(say.message))
    task = asyncio.create_task(prober.run(around))
    await asyncio.sleep(10)  # the first tries are all within a second: then each has its place
    before, used, wall = _lags(), os.times(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, now_used, wall = _lags(), os.times(), time.perf_counter() - wall
    own, kernel = now_used.user - used.user, now_used.system - used.system
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    counts = {le: after[le] - before[le] for le in after}
    total = counts["+Inf"]
    late = {share: next(le for le, n in counts.items() if n >= share * total) for share in (0.5, 0.99, 0.999, 1.0)}
    return (
        f"{probes} probes of one second, {wall:.0f} s: {total / wall:.0f} tries/s, {len(failed)} failed; "
        f"{(own + kernel) / wall * 100:.0f} % of a core, {(own + kernel) / total * 1e6:.0f} us each, of which the "
        f"kernel's are {kernel / total * 1e6:.0f}; late by at most: "
        + ", ".join(f"p{share * 100:g} {le} s" for share, le in late.items())
    )


def main(probes: int = 5000, seconds: float = 30) -> None:
    """Probe for some seconds, and print how it went."""
    gc.freeze()  # as the operator does
    gc.set_threshold(50_000, 20, 50)
    used: multiprocessing.Queue[float] = multiprocessing.Queue()
    with socket.create_server(("0.0.0.0", 0), backlog=4096) as listening:  # noqa: S104 - each pod has an address
        listening.setblocking(False)  # noqa: FBT003 - its only argument
        server = multiprocessing.Process(target=_serve, args=(listening, used, seconds + 13))
        server.start()
        print(uvloop.run(_run(listening.getsockname()[1], probes, seconds)))
        print(f"the server took {used.get():.1f} s of processor time")
        server.join()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
