"""The extender over real HTTP: kube-scheduler's keys in and out, and a clear refusal of what makes no sense."""

import io
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from operators.core.objects import Obj
from operators.runtime.client import ApiError
from operators.scheduler import own, wire
from operators.scheduler.extender import Extender
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.rules import Rules, rules
from operators.scheduler.server import LARGEST, Server, served
from tests.scheduler.building import node, pod_object, snapshot


class Apiserver:
    """Remembers what is asked of it, and refuses what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Obj | None]] = []
        self.refusal: ApiError | None = None

    async def request(self, method: str, url: str, body: Obj | None = None, **_: object) -> Obj:
        """Take note of a request."""
        self.asked.append((method, url, body))
        if self.refusal:
            raise self.refusal
        return {}

    def watch(self, *_: object) -> AsyncIterator[bytes]:
        """Fail: nothing here watches."""
        raise NotImplementedError


@pytest.fixture
def apiserver() -> Apiserver:
    """Return what the extender binds with."""
    return Apiserver()


@pytest.fixture
async def session(apiserver: Apiserver) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session to an extender of two nodes, a the larger."""
    nodes = snapshot(node("a", cpu="8"), node("b", cpu="1"))
    extender = Extender(nodes, lambda _: rules(), lambda: 0.0)
    async with (
        served(Server(extender, apiserver, lambda: True).application(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as opened,
    ):
        yield opened


def arguments(**spec: object) -> Obj:
    """Build what kube-scheduler sends to `filter`."""
    return {"Pod": pod_object(**spec), "Nodes": None, "NodeNames": ["a", "b"]}  # type: ignore[arg-type]


PREFERRED = {
    "podAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": "x", "podAffinityTerm": {"topologyKey": "zone"}}]
    }
}


@pytest.mark.parametrize(
    ("verb", "body", "want_message"),
    [
        pytest.param("filter", b"", "no JSON", id="empty"),
        pytest.param("filter", orjson.dumps(arguments())[:-40], "no JSON", id="truncated"),
        pytest.param("filter", b"[]", "JSON object", id="a list"),
        pytest.param("filter", b'{"NodeNames": []}', "Pod is missing", id="no pod"),
        pytest.param("filter", b'{"NodeNames": [], "Pod": 1}', "Pod:", id="a pod that is none"),
        pytest.param("filter", b'{"NodeNames": [1], "Pod": {}}', "list of strings", id="a number for a name"),
        pytest.param("filter", b'{"Pod": {}, "Nodes": {}}', "nodeCacheCapable", id="whole nodes"),
        pytest.param("filter", orjson.dumps(arguments(cpu="much")), "not a quantity", id="no quantity"),
        pytest.param("filter", orjson.dumps(arguments(cpu="9" * 5000)), "Pod:", id="a quantity without an end"),
        pytest.param("filter", orjson.dumps(arguments(affinity=PREFERRED)), "Pod:", id="a weight that is no number"),
        pytest.param(
            "filter", b'{"Pod": {"a": 1,"NodeNames":["a"]}}', "NodeNames is missing", id="names inside the pod"
        ),
        pytest.param("prioritize", b"{", "no JSON", id="prioritize"),
        pytest.param("bind", b'{"PodName": "p"}', "have to be given", id="bind without a node"),
        pytest.param("preempt", b'{"Pod": {}, "NodeNameToVictims": {"a": {}}}', "nodeCacheCapable", id="whole victims"),
        pytest.param(
            "preempt", b'{"Pod": {}, "NodeNameToMetaVictims": [1]}', "object by node", id="victims of no node"
        ),
    ],
)
async def test_bad_request(session: aiohttp.ClientSession, verb: str, body: bytes, want_message: str) -> None:
    """What cannot be understood is refused with 400 and a reason, and the next request is answered."""
    async with session.post(f"/scheduler/{verb}", data=body) as response:
        assert (response.status, want_message in await response.text()) == (400, True)
    async with session.post("/scheduler/filter", json=arguments()) as response:
        assert response.status == 200


async def test_too_large(session: aiohttp.ClientSession) -> None:
    """A body beyond the limit is refused with 413."""
    async with session.post("/scheduler/filter", data=io.BytesIO(b" " * (LARGEST + 1))) as response:
        assert response.status == 413


async def test_filter_answers_with_the_best_node(session: aiohttp.ClientSession) -> None:
    """The emptier node is the only one that is answered; an unknown one is passed over."""
    body = arguments(cpu="500m") | {"NodeNames": ["unknown", "b", "a"]}
    async with session.post("/scheduler/filter", json=body) as response:
        got = await response.json()
    assert got == {"NodeNames": ["a"], "FailedNodes": {}, "FailedAndUnresolvableNodes": {}, "Error": ""}


async def test_a_rule_that_fails_is_named(apiserver: Apiserver) -> None:
    """In the answer, which kube-scheduler passes on into the pod's events; the other verbs have it with the 500."""

    def fail(*_: object) -> list[Refusal]:
        raise KeyError("gpu")

    broken = Rules({"Own": own.predicate("Own", fail)}, {})
    server = Server(Extender(snapshot(node("a")), lambda _: broken, lambda: 0.0), apiserver, lambda: True)
    async with (
        served(server.application(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}/scheduler/") as opened,
    ):
        answer = await opened.post("filter", json=arguments())
        assert (answer.status, (await answer.json())["Error"]) == (200, "rule Own failed: KeyError")
        answer = await opened.post("explain", json=pod_object())
        assert (answer.status, await answer.text()) == (500, "rule Own failed: KeyError\n")


async def test_filter_says_why_nothing_fits(session: aiohttp.ClientSession) -> None:
    """Each node has its reason; those where evicting would not help apart."""
    async with session.post("/scheduler/filter", json=arguments(cpu="9")) as response:
        got = await response.json()
    assert got["FailedAndUnresolvableNodes"] == {"a": "Insufficient cpu", "b": "Insufficient cpu"}
    assert got["NodeNames"] == []


async def test_the_choice_can_be_left_to_kube_scheduler(apiserver: Apiserver) -> None:
    """Each node that fits is answered, the other has its reason; nothing is assumed, and scores tell which is best."""
    nodes = snapshot(node("a", cpu="8"), node("b", cpu="4"), node("c", cpu="1"))
    server = Server(Extender(nodes, lambda _: rules(), lambda: 0.0, decides=False), apiserver, lambda: True)
    body = arguments(cpu="2") | {"NodeNames": ["c", "b", "a"]}
    async with (
        served(server.application(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}/scheduler/") as opened,
    ):
        fit = await (await opened.post("filter", json=body)).json()
        scored = await (await opened.post("prioritize", json=body | {"NodeNames": fit["NodeNames"]})).json()
    assert fit["NodeNames"] == ["b", "a"]
    assert fit["FailedAndUnresolvableNodes"] == {"c": "Insufficient cpu"}
    assert [one["Host"] for one in sorted(scored, key=lambda one: -one["Score"])] == ["a", "b"]
    assert nodes.assumed_count == 0


async def test_scores_are_whole_numbers(session: aiohttp.ClientSession) -> None:
    """kube-scheduler can only read integers."""
    async with session.post("/scheduler/prioritize", json=arguments(cpu="500m")) as response:
        got = await response.json()
    assert [one["Host"] for one in got] == ["a", "b"]
    assert all(type(one["Score"]) is int for one in got)


@pytest.mark.parametrize(
    ("refusal", "want_error"),
    [
        pytest.param(None, "", id="bound"),
        pytest.param(ApiError(409, "Conflict", "already assigned"), "already assigned", id="refused"),
    ],
)
async def test_bind(
    session: aiohttp.ClientSession, apiserver: Apiserver, refusal: ApiError | None, want_error: str
) -> None:
    """The pod of that UID is bound, and a refusal is passed on."""
    apiserver.refusal = refusal
    body = {"PodNamespace": "ns", "PodName": "p", "PodUID": "u", "Node": "a"}
    async with session.post("/scheduler/bind", json=body) as response:
        assert await response.json() == {"Error": want_error}
    [(method, url, binding)] = apiserver.asked
    assert (method, url) == ("POST", "/api/v1/namespaces/ns/pods/p/binding")
    assert binding is not None
    assert binding["metadata"]["uid"] == "u"
    assert binding["target"]["name"] == "a"


@pytest.mark.parametrize(
    ("in_doubt", "want_assumed"),
    [
        pytest.param(True, "1.0", id="after a try without an answer: it may be bound there"),
        pytest.param(False, "0.0", id="at the first try"),
    ],
)
async def test_a_pod_is_not_forgotten_that_may_be_bound(
    session: aiohttp.ClientSession, apiserver: Apiserver, want_assumed: str, *, in_doubt: bool
) -> None:
    """The client has tried again where it was not answered; a conflict then may be with the first try."""
    await session.post("/scheduler/filter", json=arguments())
    apiserver.refusal = ApiError(409, "Conflict", "already assigned")
    apiserver.refusal.in_doubt = in_doubt
    body = {"PodNamespace": "default", "PodName": "p", "PodUID": "uid-p", "Node": "a"}
    await session.post("/scheduler/bind", json=body)
    async with session.get("/metrics") as response:
        assert f'scheduler_cache_size{{type="assumed_pods"}} {want_assumed}' in await response.text()


async def test_metrics(session: aiohttp.ClientSession) -> None:
    """Calls are timed by verb, and what is assumed is counted."""
    await session.post("/scheduler/filter", json=arguments())
    async with session.get("/metrics") as response:
        page = await response.text()
    assert 'kopfwerk_scheduler_call_duration_seconds_count{verb="filter"}' in page
    assert 'scheduler_cache_size{type="assumed_pods"} 1.0' in page


async def test_names_of_all_nodes_need_not_be_read(session: aiohttp.ClientSession) -> None:
    """As many names as there are nodes, written as kube-scheduler writes them, stand for every node."""
    body = orjson.dumps(arguments(cpu="500m") | {"NodeNames": ["b", "a"]})
    assert wire.arguments(body, 2)[1] is None
    assert wire.arguments(body, 3)[1] == ["b", "a"]
    async with session.post("/scheduler/filter", data=body) as response:
        assert (await response.json())["NodeNames"] == ["a"]
