"""HTTP probes of real servers: what is a success, what is said of a failure, and what is not followed."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from operators.core.probe.spec import HttpGet
from operators.core.probe.worker import Result
from operators.probes import http
from operators.probes.found import Found
from operators.runtime.issuing import SERVER, Authority, certificate_pem, key_pem
from tests.support.answering import Answer, closed_port, saying, sending, serving
from tests.support.probes import dialing

OK, BAD, HUH = Result.SUCCESS, Result.FAILURE, Result.UNKNOWN
AT_ONCE = 0.2
"""A timeout for what is going to take it, and far above what an answer takes."""


async def get(
    port: int,
    path: str = "/",
    *,
    scheme: str = "http",
    within: float = 5,
    headers: Mapping[str, str] | None = None,
) -> Found:
    """Probe a port of this machine."""
    action = HttpGet(port, path, scheme, "", tuple((headers or {}).items()))
    return await got(action, "127.0.0.1", port, within)


async def got(action: HttpGet, host: str, port: int, within: float = 5) -> Found:
    """Probe."""
    found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    with dialing() as dialer:
        http.probe(dialer, action, (host, port), within, found.set_result)
        return await found


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(saying("200 OK"), Found(OK), id="200"),
        pytest.param(saying("204 No Content", body=b""), Found(OK), id="204"),
        pytest.param(saying("404 Not Found"), Found(BAD, "HTTP probe failed with statuscode: 404"), id="404"),
        pytest.param(
            saying("500 Internal Server Error", body=b"secret"),
            Found(BAD, "HTTP probe failed with statuscode: 500"),
            id="500, and not a word of its body",
        ),
        pytest.param(
            sending(b"HTTP/1.0 200 OK\r\n\r\nall there is"), Found(OK), id="a body that ends with the connection"
        ),
        pytest.param(
            sending(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
            Found(BAD, "HTTP probe failed with statuscode: 503"),
            id="an answer after one that only announces it",
        ),
        pytest.param(
            sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            Found(OK),
            id="chunks",
        ),
        pytest.param(
            sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"x" * 10_240, hangs=True),
            Found(OK),
            id="ten KiB of a body that has no end",
        ),
        pytest.param(
            sending(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"),
            Found(HUH, "unexpected EOF"),
            id="half a body",
        ),
    ],
)
async def test_answers(answer: Answer, want: Found) -> None:
    """200 to 399 is a success."""
    async with serving(answer) as port:
        assert await get(port) == want


@pytest.mark.parametrize(
    ("answer", "result", "want"),
    [
        pytest.param(
            sending(hangs=True), BAD,
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)", id="no answer",
        ),
        pytest.param(
            sending(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", hangs=True), HUH,
            "context deadline exceeded (Client.Timeout or context cancellation while reading body)", id="a slow body",
        ),
        pytest.param(sending(b"SSH-2.0-OpenSSH\r\n\r\n"), BAD, "malformed HTTP response", id="not HTTP at all"),
        pytest.param(
            sending(b"HTTP/1.1 200 OK\r\n", *(b"X: %s\r\n" % (b"x" * 1000) for _ in range(80)), hangs=True), BAD,
            "headers exceeded", id="headers without end",
        ),
        pytest.param(sending(), BAD, "EOF", id="a closed door"),
    ],
)  # fmt: skip
async def test_no_answer(answer: Answer, result: Result, want: str) -> None:
    """What never answers fails; of what began to answer and does not end, nobody knows, as upstream."""
    async with serving(answer) as port:
        found = await get(port, "/healthz", within=AT_ONCE if "deadline" in want else 5)
    assert found.result == result
    assert want in found.message


async def test_refused() -> None:
    """A port on which nobody listens is a failure, in Go's words."""
    port = await closed_port()
    want = f'Get "http://127.0.0.1:{port}/healthz": dial tcp 127.0.0.1:{port}: connect: connection refused'
    assert await get(port, "/healthz") == Found(BAD, want)


@pytest.mark.parametrize(
    ("headers", "want", "unwanted"),
    [
        pytest.param(
            {}, ["User-Agent: kube-probe/1.37", "Accept: */*", "Connection: close"], "Accept-Encoding", id="own"
        ),
        pytest.param(
            {"User-Agent": "me", "Accept": "text/x"}, ["User-Agent: me", "Accept: text/x"], "kube-probe", id="asked"
        ),
        pytest.param({"User-Agent": "", "Accept": ""}, [], "User-Agent", id="asked to be left out"),
        pytest.param({"Host": "web.example"}, ["Host: web.example"], "Host: 127", id="a host's name"),
    ],
)
async def test_headers(headers: dict[str, str], want: list[str], unwanted: str) -> None:
    """A request has upstream's headers and those that were asked for."""
    requests: list[str] = []

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request.decode())
        await saying("200 OK")(request, writer)

    async with serving(answer) as port:
        await get(port, "/a b?c=d", headers=headers)
    lines = requests[0].split("\r\n")
    assert lines[0] == "GET /a%20b?c=d HTTP/1.1"
    assert set(want) <= set(lines)
    assert unwanted not in requests[0]


async def test_a_header_cannot_smuggle_another() -> None:
    """What would end its line is not sent."""
    found = await get(await closed_port(), headers={"X": "a\r\nHost: elsewhere"})
    assert found == Found(BAD, "net/http: invalid header field value for 'X'")


def redirecting(status: str, location: str) -> Answer:
    """Send who asks for /from to another place, where the answer is 200 for /to alone."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        path = request.split()[1]
        if path == b"/from":
            await saying(status, f"Location: {location}", body=b"moved")(request, writer)
        else:
            await saying("200 OK" if path == b"/to" else "404 Not Found")(request, writer)

    return answer


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize(
    ("location", "want"),
    [
        pytest.param("/to", Found(OK), id="another path"),
        pytest.param("to", Found(OK), id="a relative one"),
        pytest.param("/nowhere", Found(BAD, "HTTP probe failed with statuscode: 404"), id="a path that is none"),
        pytest.param(
            "http://169.254.169.254/latest",
            Found(OK, "Probe terminated redirects, Response body: moved", warns=True),
            id="another host",
        ),
        pytest.param(
            "file:///etc/passwd",
            Found(OK, "Probe terminated redirects, Response body: moved", warns=True),
            id="no host at all",
        ),
    ],
)
async def test_redirects(status: str, location: str, want: Found) -> None:
    """Redirects are followed on the same host; one that leads elsewhere is a success with a warning."""
    async with serving(redirecting(status, location)) as port:
        assert await get(port, "/from") == want


async def test_redirect_to_another_port() -> None:
    """The same host on another port is the same host, as upstream."""
    async with (
        serving(saying("200 OK")) as there,
        serving(redirecting("302 Found", f"http://127.0.0.1:{there}/")) as port,
    ):
        assert await get(port, "/from") == Found(OK)


async def test_redirects_without_end() -> None:
    """After ten it is enough."""
    async with serving(saying("302 Found", "Location: /")) as port:
        assert await get(port) == Found(BAD, f'Get "http://127.0.0.1:{port}/": stopped after 10 redirects')


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """Return a context with a certificate that nobody vouches for, of another name."""
    authority = Authority.new("nobody", timedelta(days=1))
    issued, key = authority.issue("elsewhere", usages=[SERVER], names=["elsewhere.example"])
    file = tmp_path / "server.pem"
    file.write_bytes(certificate_pem(issued) + key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_tls_is_not_verified(certificate: ssl.SSLContext) -> None:
    """What counts is that the pod answers."""
    async with serving(saying("200 OK"), certificate) as port:
        assert await get(port, scheme="https") == Found(OK)


async def test_tls_where_there_is_none() -> None:
    """A plain server fails an HTTPS probe."""
    async with serving(saying("200 OK")) as port:
        found = await get(port, scheme="https")
    assert found.result == BAD
    assert found.message.startswith(f'Get "https://127.0.0.1:{port}/": ')


async def test_ipv6() -> None:
    """A pod's address may be of the other family."""
    async with serving(saying("200 OK"), host="::1") as port:
        assert await got(HttpGet(port, "/", "http", "", ()), "::1", port) == Found(OK)


async def test_a_host_that_was_asked_for() -> None:
    """`host` takes the place of the pod's address."""
    async with serving(saying("200 OK")) as port:
        assert await got(HttpGet(port, "/", "http", "127.0.0.1", ()), "192.0.2.1", port) == Found(OK)
