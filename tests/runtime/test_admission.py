"""How the webhook's function asks, and that it lets pass whatever it gets no answer about."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import kopf
import pytest

from operators.core.admission.review import TWINS, Review
from operators.core.objects import Obj
from operators.runtime import admission
from operators.runtime.access import webhook_rules
from operators.runtime.client import ApiError, path
from tests.support import audit

DEPLOYMENT: Obj = {
    "apiVersion": "kopfwerk.dev/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"replicas": 1},
}

INVALID = 'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1'


class Apiserver:
    """Records requests, and answers each in the same way."""

    def __init__(self, answer: Obj | ApiError | None) -> None:
        self.requests: list[tuple[str, str, str, Any, Any]] = []
        self._answer = answer

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Give the answer, or never return where there is none."""
        self.requests.append((method, url, content_type, body, params))
        if isinstance(self._answer, ApiError):
            raise self._answer
        if self._answer is None:
            await asyncio.Event().wait()
        return self._answer or {}

    def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """Nobody watches here."""
        raise NotImplementedError


async def test_request() -> None:
    """The twin is created as a dry run, without a word about unknown fields."""
    apiserver = Apiserver({})
    await admission.validate(apiserver, Review("CREATE", DEPLOYMENT))
    *sent, body, params = apiserver.requests[0]
    assert sent == ["POST", "/apis/apps/v1/namespaces/shop/deployments", "application/json"]
    assert (body["apiVersion"], body["spec"]) == ("apps/v1", {"replicas": 1})
    assert (params["dryRun"], params["fieldValidation"]) == ("All", "Ignore")


async def test_rights() -> None:
    """What it asks for all kinds together is what the chart's rules for the webhook allow, and all of that."""
    apiserver = Apiserver({})
    for kind in TWINS:
        await admission.validate(apiserver, Review("CREATE", {**DEPLOYMENT, "kind": kind}))
    allowed = audit.allowed(webhook_rules(TWINS.values()))
    want = {(twin.group, twin.plural): path(twin, "shop") for twin in TWINS.values()}
    assert [method for method, *_ in apiserver.requests] == ["POST"] * len(allowed)
    assert {url for _, url, *_ in apiserver.requests} == {want[group, resource] for group, resource, _ in allowed}
    assert {verb for *_, verb in allowed} == {"create"}


async def test_exempt_writes_ask_nothing() -> None:
    """A write that is exempt costs no request."""
    apiserver = Apiserver({})
    await admission.validate(apiserver, Review("UPDATE", DEPLOYMENT, DEPLOYMENT))
    assert apiserver.requests == []


async def test_refusal() -> None:
    """What upstream says is raised with our kind's name, as 422."""
    with pytest.raises(kopf.AdmissionError, match=r'^Deployment\.kopfwerk\.dev "web" is invalid: spec\.rep') as refused:
        await admission.validate(Apiserver(ApiError(422, "Invalid", INVALID)), Review("CREATE", DEPLOYMENT))
    assert refused.value.code == 422


@pytest.mark.parametrize("status", [0, 403, 409, 429, 500, 503])
async def test_no_verdict(status: int) -> None:
    """An answer that is none about the object lets it pass."""
    await admission.validate(Apiserver(ApiError(status, "", INVALID)), Review("CREATE", DEPLOYMENT))


async def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An apiserver that does not answer lets the object pass."""
    monkeypatch.setattr(admission, "TIMEOUT", 0.01)
    await admission.validate(Apiserver(None), Review("CREATE", DEPLOYMENT))


async def test_handler() -> None:
    """What Kopf passes becomes the review: here a refusal, and an exemption by subresource."""
    handle = admission.handler(Apiserver(ApiError(422, "Invalid", INVALID)))
    given: dict[str, Any] = {"new": DEPLOYMENT, "old": None, "operation": "CREATE", "userinfo": {"username": "eve"}}
    with pytest.raises(kopf.AdmissionError):
        await handle(subresource=None, memo=None, **given)
    await handle(subresource="status", memo=None, **given)


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param({"status": {"userInfo": {"username": "kopfwerk"}}}, "kopfwerk", id="known"),
        pytest.param(ApiError(403, "Forbidden", "no"), "", id="not told"),
    ],
)
async def test_user_name(answer: Obj | ApiError, want: str) -> None:
    """The operator's name is what the apiserver calls it, or nothing."""
    assert await admission.user_name(Apiserver(answer)) == want


def test_configuration() -> None:
    """The webhook sees the writes of our kinds that have a built-in twin, and is no obstacle while it is away."""
    [webhook] = admission.configuration({"url": "https://127.0.0.1:1/validate"})["webhooks"]
    assert webhook["failurePolicy"] == "Ignore"
    definitions = {path.stem for path in (Path(__file__).parents[2] / "crds").glob("*.yaml")}
    assert set(webhook["rules"][0]["resources"]) == definitions - {"podprobes"}
    assert webhook["clientConfig"] == {"url": "https://127.0.0.1:1/validate"}


@pytest.mark.parametrize(("own_user", "want"), [("", 1), ("kopfwerk", 2)])
def test_conditions(own_user: str, want: int) -> None:
    """The operator's own writes can be told apart only where its name is known."""
    [webhook] = admission.configuration({}, own_user)["webhooks"]
    assert len(webhook["matchConditions"]) == want
