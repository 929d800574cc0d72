"""Asks the apiserver, by a dry run, whether it would take a custom resource as its built-in kind.

The cluster stays usable without it: whatever prevents an answer lets the object pass (and failurePolicy Ignore does the
same where this process is gone). CEL in the CRDs then still holds what the controllers rely on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import kopf

from operators.core.admission import updates
from operators.core.admission.review import TWINS, Review
from operators.core.admission.verdict import Answer, refusal
from operators.core.objects import KOPFWERK
from operators.runtime.client import ApiError, Requests, path

log = logging.getLogger(__name__)

TIMEOUT: Final = 5.0
"""Seconds until the object passes unasked; less than the apiserver waits for a webhook by default (10 s)."""

_DRY_RUN: Final = {"dryRun": "All", "fieldValidation": "Ignore", "fieldManager": "kopfwerk"}
"""Unknown fields are the custom resource's own concern: as strictly as its client asked for, they were refused or
dropped before a webhook sees the object."""

Handler: TypeAlias = Callable[..., Awaitable[None]]


async def validate(client: Requests, review: Review, own_user: str = "") -> None:
    """Return if the object may be written; raise kopf.AdmissionError with upstream's message if not.

    `own_user` is what `user_name` returns, or empty, and then what the operator writes is asked about too.
    """
    if review.is_exempt(own_user):
        return
    if message := updates.refusal(review):
        raise kopf.AdmissionError(message, code=422)
    twin = review.twin
    url = path(TWINS[twin["kind"]], twin["metadata"]["namespace"])
    try:
        async with asyncio.timeout(TIMEOUT):
            await client.request("POST", url, twin, params=_DRY_RUN)
    except TimeoutError:
        log.warning("%s %s passes unvalidated: no answer in time", twin["kind"], twin["metadata"].get("name"))
    except ApiError as error:
        answer = Answer(error.status, error.message, error.details.get("causes") or ())
        if message := refusal(review, answer):
            raise kopf.AdmissionError(message, code=422) from error
        if error.status != 409:
            log.warning("%s %s passes unvalidated: %s", twin["kind"], twin["metadata"].get("name"), error.message)


def handler(client: Requests, own_user: str = "") -> Handler:
    """Return the handler to register for every custom resource that has a twin.

        for twin in TWINS.values():
            kopf.on.validate(KOPFWERK, "v1", twin.plural, operations=["CREATE", "UPDATE"], ignore_failures=True,
                             registry=registry)(handler(client, await user_name(client)))

    Kopf's `new`, `old`, `operation`, `subresource` and `userinfo` are what it looks at.
    """

    async def validate_as_built_in(
        new: Mapping[str, Any] | None,
        old: Mapping[str, Any] | None,
        operation: str | None,
        subresource: str | None,
        userinfo: Mapping[str, Any],
        **_: object,
    ) -> None:
        """Look at one write; a deletion has no new object."""
        if new is None:
            return
        review = Review(
            operation=operation or "",
            obj=dict(new),
            old=dict(old) if old is not None else None,
            subresource=subresource or "",
            user=str(userinfo.get("username", "")),
        )
        await validate(client, review, own_user)

    return validate_as_built_in


async def user_name(client: Requests) -> str:
    """Return who the apiserver says that we are, empty where it does not say (it is then nobody's)."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    except ApiError as error:
        log.warning("the apiserver does not say who the operator is: %s", error.message)
        return ""
    return str(answer["status"]["userInfo"].get("username", ""))


def configuration(client_config: Mapping[str, Any], own_user: str = "") -> dict[str, Any]:
    """Return the ValidatingWebhookConfiguration that sends the writes here.

    `client_config` says where that is: a URL with the CA in the embedded cluster, a Service in the chart. The
    conditions spare the round trip for writes that are exempt anyway; those of the operator only where `own_user`, its
    user name, is given.
    """
    plurals = [twin.plural for twin in TWINS.values()]
    rule = {"apiGroups": [KOPFWERK], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": plurals}
    conditions = [{"name": "spec-changed", "expression": "oldObject == null || object.spec != oldObject.spec"}]
    if own_user:
        conditions.append({"name": "not-a-child-by-the-operator", "expression": _not_own_child(own_user)})
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"validation.{KOPFWERK}"},
        "webhooks": [
            {
                "name": f"validation.{KOPFWERK}",
                "admissionReviewVersions": ["v1"],
                "clientConfig": dict(client_config),
                "failurePolicy": "Ignore",
                "matchConditions": conditions,
                "rules": [{**rule, "scope": "Namespaced"}],
                "sideEffects": "None",
                "timeoutSeconds": 10,
            }
        ],
    }


def _not_own_child(user: str) -> str:
    """Return, in CEL, the opposite of what `Review.is_exempt` says about the operator's own children."""
    return (
        f"request.userInfo.username != '{user}' || !has(object.metadata.ownerReferences) || "
        "!object.metadata.ownerReferences.exists(owner, "
        f"has(owner.controller) && owner.controller && owner.apiVersion.startsWith('{KOPFWERK}/'))"
    )


class Server(kopf.WebhookServer):
    """Kopf's server, which also knows whether it listens."""

    listens = False

    async def __call__(self, fn: kopf.WebhookFn) -> AsyncIterator[kopf.WebhookClientConfig]:
        """Listen, and say where once that is so."""
        try:
            async for reachable in super().__call__(fn):
                self.listens = True
                yield reachable
        finally:
            self.listens = False
