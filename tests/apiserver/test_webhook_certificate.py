"""The webhook's certificate on a real apiserver: made, renewed, through deaths, conflicts and broken Secrets."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import pytest

from operators.core.objects import Obj
from operators.runtime import scheduler_admission, webhook_certificate
from operators.runtime.client import Client, path
from operators.runtime.webhook_certificate import (
    CONFIGURATIONS,
    MUTATING_CONFIGURATIONS,
    CertificateError,
    Wanted,
    authorities,
    ensure,
)
from tests.apiserver.installation import NAME, Installation, Meddled

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("webhook certificate")]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one apiserver here, and nothing is served: nobody has to be waited for."""
    monkeypatch.setattr(webhook_certificate, "SETTLE", 0)


def alone(namespace: str) -> Wanted:
    """Return what a run is asked for that has nothing to do with the configuration."""
    return Wanted(namespace, NAME, NAME)


@pytest.fixture
async def installation(client: Client, unique: str) -> Installation:
    """Return one that is installed, and has its first certificate."""
    made = Installation(client, unique)
    await made.create()
    await ensure(client, alone(unique))
    await made.configure()
    await ensure(client, made.wanted)
    return made


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return what makes it so much later than it is."""

    def shift(by: timedelta) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + by

        monkeypatch.setattr(webhook_certificate, "datetime", Later)

    return shift


DUE = timedelta(days=61)


async def test_install(client: Client, unique: str) -> None:
    """Before the configuration is there a Secret is made; afterwards the configuration trusts it, and that is all."""
    made = Installation(client, unique)
    await made.create()

    first = await ensure(client, made.wanted)
    assert (first.why, first.is_configured) == ("there was none", False)
    secret = await made.secret()
    assert secret["type"] == "kubernetes.io/tls"
    assert sorted(secret["data"]) == ["ca.crt", "tls.crt", "tls.key"]

    await made.configure()
    second = await ensure(client, made.wanted)
    assert (second.why, second.is_configured) == ("", True)
    assert await made.bundle() == [first.serving.authority.pem]
    assert await made.secret() == secret


async def test_a_mutating_configuration_trusts_it_too(
    installation: Installation, later: Callable[[timedelta], None]
) -> None:
    """The one that gives pods to the scheduler has the same bundle, from before the renewal on."""
    service = {"name": NAME, "namespace": installation.namespace, "path": "/schedule", "port": 443}
    obj = scheduler_admission.configuration({"service": service})
    obj["metadata"]["name"] = f"scheduling-{installation.namespace}"
    obj["webhooks"][0]["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": installation.namespace}}
    wanted = replace(installation.wanted, mutating_configuration=obj["metadata"]["name"])

    assert not (await ensure(installation.client, wanted)).is_configured
    await installation.client.request("POST", path(MUTATING_CONFIGURATIONS), obj)
    assert (await ensure(installation.client, wanted)).is_configured
    later(DUE)
    assert (await ensure(installation.client, wanted)).why
    url = path(MUTATING_CONFIGURATIONS, name=wanted.mutating_configuration)
    (hook,) = (await installation.client.request("GET", url))["webhooks"]
    bundle = [authority.pem for authority in authorities(hook["clientConfig"]["caBundle"])]
    assert bundle == await installation.bundle()
    assert len(bundle) == 2


async def test_nothing_due_writes_nothing(installation: Installation) -> None:
    """A run that finds everything as it should be sends no write."""
    client = Meddled(installation.client)
    outcome = await ensure(client, installation.wanted)
    assert (outcome.why, client.writes) == ("", 0)


async def test_renewals(installation: Installation, later: Callable[[timedelta], None]) -> None:
    """New and present are trusted after each renewal, and whoever was before them is not."""
    later(DUE)
    known = [(await installation.serving()).authority.pem]
    for _ in range(3):
        outcome = await ensure(installation.client, installation.wanted)
        assert outcome.why == "two thirds of the old one's life were over"
        known.append((await installation.serving()).authority.pem)
        assert await installation.bundle() == [known[-1], known[-2]]
    assert len(set(known)) == 4


async def test_the_rest_of_the_objects_stays(installation: Installation, later: Callable[[timedelta], None]) -> None:
    """A renewal changes the certificate and who is trusted, and nothing else that users and the chart wrote."""
    url = path(CONFIGURATIONS, name=installation.configuration)
    extra = {"metadata": {"labels": {"team": "shop"}}, "data": {"extra": base64.b64encode(b"x").decode()}}
    await installation.client.request(
        "PATCH", installation.secret_url, extra, content_type="application/merge-patch+json"
    )

    def rest(secret: Obj, configuration: Obj) -> tuple[object, ...]:
        hooks = [hook | {"clientConfig": hook["clientConfig"]["service"]} for hook in configuration["webhooks"]]
        return secret["metadata"]["labels"], secret["data"]["extra"], secret["type"], hooks

    before = rest(await installation.secret(), await installation.client.request("GET", url))
    later(DUE)
    assert (await ensure(installation.client, installation.wanted)).why
    assert rest(await installation.secret(), await installation.client.request("GET", url)) == before


async def test_without_configuration_age_is_no_reason(
    installation: Installation, later: Callable[[timedelta], None]
) -> None:
    """What merely grows old is left to a run that can have the new one trusted; what has expired is not."""
    later(DUE)
    assert (await ensure(installation.client, alone(installation.namespace))).why == ""
    later(timedelta(days=91))
    assert (await ensure(installation.client, alone(installation.namespace))).why == "the old one had expired"


@pytest.mark.parametrize(
    ("data", "want"),
    [
        pytest.param({"tls.crt": "aGVsbG8="}, "the old one was malformed", id="no certificate"),
        pytest.param({"tls.key": "aGVsbG8="}, "the old one was malformed", id="no key"),
        pytest.param({"tls.key": ""}, "the old one was malformed", id="empty key"),
        pytest.param({"ca.crt": None}, "the old one had no ca.crt", id="no authority"),
        pytest.param({"tls.key": "foreign"}, "the old one did not go with its key", id="another's key"),
        pytest.param({"ca.crt": "foreign"}, "the old one was malformed", id="another's authority"),
    ],
)
async def test_broken_secrets(installation: Installation, data: dict[str, str | None], want: str) -> None:
    """Whatever cannot be served with is replaced, and whom replicas may still serve from memory stays trusted."""
    served = (await installation.serving()).authority.pem
    foreign = webhook_certificate._issue([installation.host], timedelta(days=90))
    broken = {key: foreign[key] if value == "foreign" else value for key, value in data.items()}
    patch = {"data": broken}
    await installation.client.request(
        "PATCH", installation.secret_url, patch, content_type="application/merge-patch+json"
    )
    assert (await ensure(installation.client, installation.wanted)).why == want
    new = (await installation.serving()).authority.pem
    bundle = await installation.bundle()
    assert bundle[0] == new
    assert served in bundle


async def test_other_names(installation: Installation) -> None:
    """A Service that is called otherwise gets a certificate of its own."""
    wanted = Wanted(installation.namespace, "webhook", "other", installation.configuration)
    outcome = await ensure(installation.client, wanted)
    assert outcome.why == f"the old one was not for other.{installation.namespace}.svc"
    assert f"other.{installation.namespace}.svc" in (await installation.serving()).names


async def test_a_secret_that_is_gone(installation: Installation) -> None:
    """Replicas go on serving from memory what the apiserver goes on trusting."""
    served = (await installation.serving()).authority.pem
    await installation.client.request("DELETE", installation.secret_url)
    assert (await ensure(installation.client, installation.wanted)).why == "there was none"
    assert await installation.bundle() == [(await installation.serving()).authority.pem, served]


@pytest.mark.parametrize(
    ("body", "want"),
    [
        pytest.param({"type": "Opaque"}, "is not of type kubernetes.io/tls", id="of another type"),
        pytest.param({"immutable": True}, "is immutable", id="immutable"),
    ],
)
async def test_secrets_that_cannot_be_written(client: Client, unique: str, body: Obj, want: str) -> None:
    """Where a person has to act, the error says how."""
    made = Installation(client, unique)
    await made.create()
    empty = {"tls.crt": "", "tls.key": ""}
    secret = {"metadata": {"name": "webhook"}, "type": "kubernetes.io/tls", "data": empty} | body
    await client.request("POST", f"/api/v1/namespaces/{unique}/secrets", secret)
    with pytest.raises(CertificateError, match=f"{want}.*kubectl --namespace {unique} delete secret webhook"):
        await ensure(client, made.wanted)


async def test_a_bundle_that_cannot_be_read(installation: Installation) -> None:
    """Nobody can be trusted by it: it is replaced."""
    hooks = [{"name": "validation.kopfwerk.dev", "clientConfig": {"caBundle": base64.b64encode(b"hello").decode()}}]
    await installation.client.request(
        "PATCH",
        path(CONFIGURATIONS, name=installation.configuration),
        {"webhooks": hooks},
        content_type=webhook_certificate.STRATEGIC_PATCH,
    )
    await ensure(installation.client, installation.wanted)
    assert await installation.bundle() == [(await installation.serving()).authority.pem]


class Checked(Meddled):
    """Holds, after every write, that what may be served is trusted."""

    def __init__(self, installation: Installation, served: str) -> None:
        super().__init__(installation.client)
        self.installation = installation
        self.served = served

    async def after(self, number: int) -> None:
        """Look at what replicas serve now, and at what they are brought next."""
        trusted = await self.installation.bundle()
        assert self.served in trusted
        assert (await self.installation.serving()).authority.pem in trusted


class DeathError(Exception):
    """The process ends."""


class Dying(Checked):
    """Dies at a write, which took effect or not."""

    at: int
    took_effect: bool

    async def before(self, number: int) -> None:
        """Die before it takes effect."""
        if number == self.at and not self.took_effect:
            raise DeathError

    async def after(self, number: int) -> None:
        """Die when it has."""
        await super().after(number)
        if number == self.at:
            raise DeathError


@pytest.fixture
async def due(client: Client, unique: str) -> Installation:
    """Return an installation whose certificate has to be renewed, by the real clock: it is for another Service."""
    made = Installation(client, unique)
    await made.create()
    await made.configure()
    await ensure(client, Wanted(unique, "webhook", "former", made.configuration))
    return made


@pytest.mark.parametrize("took_effect", [pytest.param(False, id="before"), pytest.param(True, id="after")])
@pytest.mark.parametrize("at", [pytest.param(1, id="the configuration"), pytest.param(2, id="the Secret")])
async def test_deaths(due: Installation, at: int, took_effect: bool) -> None:  # noqa: FBT001
    """However a run dies at a write, what is served stays trusted, and the next run does what is left to do."""
    served = (await due.serving()).authority.pem
    dying = Dying(due, served)
    dying.at, dying.took_effect = at, took_effect
    with pytest.raises(DeathError):
        await ensure(dying, due.wanted)

    outcome = await ensure(Checked(due, served), due.wanted)

    assert bool(outcome.why) is not (at == 2 and took_effect)
    assert outcome.serving == await due.serving()
    assert outcome.serving.authority.pem != served
    assert (await due.bundle())[:1] == [outcome.serving.authority.pem]


class Overtaken(Checked):
    """Another run does everything just before a write of this one."""

    at: int

    async def before(self, number: int) -> None:
        """Let the other one run from beginning to end."""
        if number == self.at:
            await ensure(Checked(self.installation, self.served), self.installation.wanted)


@pytest.mark.parametrize("at", [pytest.param(1, id="the configuration"), pytest.param(2, id="the Secret")])
async def test_overtaken(due: Installation, at: int) -> None:
    """A run that another one overtakes lets that one's work stand, and never takes trust from what it wrote."""
    served = (await due.serving()).authority.pem
    overtaken = Overtaken(due, served)
    overtaken.at = at
    outcome = await ensure(overtaken, due.wanted)
    assert outcome.why == ""
    assert outcome.serving == await due.serving()


@pytest.mark.parametrize("is_new", [pytest.param(True, id="first"), pytest.param(False, id="renewal")])
async def test_several_at_once(client: Client, unique: str, is_new: bool) -> None:  # noqa: FBT001
    """Runs at the same time agree on one certificate, which is trusted."""
    made = Installation(client, unique)
    await made.create()
    await made.configure()
    if not is_new:
        await ensure(client, Wanted(unique, "webhook", "former", made.configuration))
    runs: list[Awaitable[webhook_certificate.Outcome]] = [ensure(client, made.wanted) for _ in range(4)]
    outcomes = await asyncio.gather(*runs)
    assert sum(bool(outcome.why) for outcome in outcomes) == 1
    assert {outcome.serving.authority.pem for outcome in outcomes} == {(await made.serving()).authority.pem}
    assert (await made.serving()).authority.pem in await made.bundle()
