"""The client, against a real HTTP server that answers what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client.configuration import Configuration

from operators.runtime.client import ApiError, Client

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, configuration: Configuration | None = None) -> AsyncIterator[Client]:
    """Serve every request with `handler`, and give a client for it."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(application) as server:
        configuration = configuration or Configuration()
        configuration.host = str(server.make_url("/"))
        async with Client(configuration) as client:
            yield client


def status(code: int, reason: str, message: str, **details: object) -> web.Response:
    """Return a refusal as the apiserver words it."""
    body = {"kind": "Status", "reason": reason, "message": message, "details": details}
    return web.json_response(body, status=code)


async def test_a_rotated_token_is_used_from_the_next_request_on() -> None:
    """Whoever renews the token on the configuration is asked before each request."""
    seen: list[str] = []
    tokens = iter(["first", "second"])
    configuration = Configuration(api_key={"BearerToken": "none yet"})

    def renew(held: Configuration) -> None:
        held.api_key["BearerToken"] = f"Bearer {next(tokens)}"

    configuration.refresh_api_key_hook = renew

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({})

    async with serving(handler, configuration) as client:
        await client.request("GET", "/a")
        await client.request("GET", "/a")
    assert seen == ["Bearer first", "Bearer second"]


async def test_a_refusal_is_read() -> None:
    """Status, reason, message and causes reach the caller; such a write did not take effect."""

    async def handler(_: web.Request) -> web.Response:
        return status(403, "Forbidden", "going away", causes=[{"reason": "NamespaceTerminating"}])

    async with serving(handler) as client:
        with pytest.raises(ApiError) as caught:
            await client.request("POST", "/a", {})
    error = caught.value
    assert (error.status, error.reason, error.message) == (403, "Forbidden", "going away")
    assert error.causes == ("NamespaceTerminating",)
    assert not error.is_ambiguous


async def test_an_overloaded_apiserver_is_asked_again_when_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with Retry-After is waited out, as often as it takes."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    answers = [429, 429, 200]

    async def handler(_: web.Request) -> web.Response:
        code = answers.pop(0)
        return web.json_response({"ok": True}, status=code, headers={"Retry-After": "3"} if code == 429 else {})

    async with serving(handler) as client:
        monkeypatch.setattr(asyncio, "sleep", note)
        assert await client.request("GET", "/a") == {"ok": True}
        monkeypatch.undo()
    assert [seconds for seconds in waited if seconds == 3] == [3, 3]


@pytest.mark.parametrize(
    ("handler_text", "want_status", "want_ambiguous"),
    [
        pytest.param((502, "<html>bad gateway</html>"), 502, True, id="a proxy's page"),
        pytest.param((200, "half an ans"), 0, True, id="a body that is no JSON"),
        pytest.param((404, "[]"), 404, False, id="JSON that is no Status"),
    ],
)
async def test_what_is_no_answer_of_the_apiserver(
    handler_text: tuple[int, str],
    want_status: int,
    want_ambiguous: bool,  # noqa: FBT001
) -> None:
    """Whatever comes back becomes an ApiError that says whether the write may have taken effect."""
    code, text = handler_text

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=code, text=text)

    async with serving(handler) as client:
        with pytest.raises(ApiError) as caught:
            await client.request("POST", "/a", {})
    assert (caught.value.status, caught.value.is_ambiguous) == (want_status, want_ambiguous)


async def test_a_broken_connection_leaves_it_open_whether_a_write_took_effect() -> None:
    """A connection that breaks before the answer is ambiguous."""

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(handler) as client:
        with pytest.raises(ApiError) as caught:
            await client.request("POST", "/a", {})
    assert caught.value.is_ambiguous


async def test_a_watch_yields_lines_however_they_are_cut() -> None:
    """Lines are put together from the pieces that the network makes of them."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"a":', b'1}\n{"b"', b":2}\n", b'{"c":3}\n'):
            await response.write(piece)
        return response

    async with serving(handler) as client:
        lines = [line async for line in client.watch("/a", {}, 5)]
    assert lines == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


async def test_a_silent_watch_is_given_up() -> None:
    """A watch that says nothing for as long as bookmarks would take is dead."""
    over = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await over.wait()
        return response

    async with serving(handler) as client:
        with pytest.raises(ApiError) as caught:
            _ = [line async for line in client.watch("/a", {}, 0.05)]
        over.set()
    assert caught.value.status == 0


async def test_a_refused_watch_says_why() -> None:
    """410 before the first event is an error of the watch."""

    async def handler(_: web.Request) -> web.Response:
        return status(410, "Expired", "too old")

    async with serving(handler) as client:
        with pytest.raises(ApiError) as caught:
            _ = [line async for line in client.watch("/a", {}, 5)]
    assert caught.value.status == 410
