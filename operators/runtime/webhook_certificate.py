"""Makes and renews the certificate with which an installation's webhook is served: one Secret for all replicas.

What is due is decided in operators/core/admission/certificate.py; here it is read, written and made. Every run looks at
what is there and does what is missing, so that a run that died, or another one at the same time, makes no difference:

1. the configuration trusts the new authority beside the present one,
2. the Secret gets the new certificate,
3. replicas serve it when their kubelets bring it (operators/runtime/served_certificate.py).

The authority's key is never written anywhere: each certificate has an authority of its own.
"""

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from operators.core.admission import certificate as core
from operators.core.admission.certificate import Authority, Serving, Unusable
from operators.core.objects import Obj, Resource
from operators.runtime import issuing
from operators.runtime.client import ApiError, Requests, path

SECRETS: Final = Resource("", "v1", "secrets", "Secret")
_GROUP: Final = "admissionregistration.k8s.io"
CONFIGURATIONS, MUTATING_CONFIGURATIONS = (
    Resource(_GROUP, "v1", f"{kind.lower()}s", kind, namespaced=False)
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
)
TLS: Final = "kubernetes.io/tls"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"

SETTLE: Final = 3.0
"""Seconds for every apiserver to hear of a new authority before anything that it signed can be served."""

_TRIES: Final = 10
_MANAGER: Final = {"fieldManager": "kopfwerk-webhook-certificate"}


class CertificateError(Exception):
    """What stands in the way, and what to do about it, in one line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to see to. Without a configuration only a certificate that cannot be served with is replaced."""

    namespace: str
    secret: str
    service: str
    configuration: str = ""
    mutating_configuration: str = ""
    valid_for: timedelta = timedelta(days=90)

    def urls(self) -> Iterator[str]:
        """Yield where the configurations are that are to trust the certificate."""
        if self.configuration:
            yield path(CONFIGURATIONS, name=self.configuration)
        if self.mutating_configuration:
            yield path(MUTATING_CONFIGURATIONS, name=self.mutating_configuration)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found and did: why there is a new certificate (empty where there is none), and who trusts it."""

    why: str
    serving: Serving
    is_configured: bool


async def ensure(client: Requests, wanted: Wanted) -> Outcome:
    """Do what is due. Raises ApiError, or CertificateError where a person has to act."""
    for _ in range(_TRIES):
        try:
            return await _once(client, wanted)
        except ApiError as error:
            if error.status != 409:
                raise
    raise CertificateError("something else keeps writing the Secret or the configuration; see who, and run this again")


async def _once(client: Requests, wanted: Wanted) -> Outcome:
    """Look and act once. A conflict says that somebody else did meanwhile."""
    secret = await _get(client, path(SECRETS, wanted.namespace, wanted.secret))
    configurations = {url: await _get(client, url) for url in wanted.urls()}
    is_configured = bool(configurations) and all(configurations.values())
    found, names, now = serving(secret), core.server_names(wanted.service, wanted.namespace), datetime.now(UTC)
    why = core.why_due(found, names, now, may_wait=not configurations)
    if isinstance(found, Serving) and not why:
        await _trust(client, configurations, lambda bundle: core.trusting(bundle, found.authority))
        return Outcome("", found, is_configured)
    data = _issue(names, wanted.valid_for)
    new = serving({"data": data})
    assert isinstance(new, Serving)  # noqa: S101 - it was made just now
    present = found.authority if isinstance(found, Serving) else None
    if await _trust(client, configurations, lambda bundle: core.rotating(bundle, present, new.authority, now)):
        await asyncio.sleep(SETTLE)
    await _store(client, wanted, secret, data)
    return Outcome(why, new, is_configured)


async def _get(client: Requests, url: str) -> Obj:
    """Return an object, empty where there is none."""
    try:
        return await client.request("GET", url)
    except ApiError as error:
        if error.status != 404:
            raise
        return {}


async def _trust(
    client: Requests, configurations: Mapping[str, Obj], decide: Callable[[Sequence[Authority]], list[Authority]]
) -> bool:
    """Give each webhook of the configurations, by URL, the bundle that is decided on; return whether any changed."""
    any_changed = False
    for url, configuration in configurations.items():
        changed = []
        for webhook in configuration.get("webhooks") or ():
            bundle = authorities(webhook["clientConfig"].get("caBundle", ""))
            if (decided := decide(bundle)) != bundle:
                text = _encode("".join(authority.pem for authority in decided).encode())
                changed.append({"name": webhook["name"], "clientConfig": {"caBundle": text}})
        if changed:
            version = configuration["metadata"]["resourceVersion"]
            body = {"metadata": {"resourceVersion": version}, "webhooks": changed}
            await client.request("PATCH", url, body, params=_MANAGER, content_type=STRATEGIC_PATCH)
            any_changed = True
    return any_changed


async def _store(client: Requests, wanted: Wanted, secret: Obj, data: Obj) -> None:
    """Write the Secret over the version that was seen, or a first one."""
    if not secret:
        meta = {"name": wanted.secret, "namespace": wanted.namespace}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": TLS, "data": data}
        await client.request("POST", path(SECRETS, wanted.namespace), body, params=_MANAGER)
        return
    flaw = "is immutable" if secret.get("immutable") else "" if secret.get("type") == TLS else f"is not of type {TLS}"
    if flaw:
        raise CertificateError(
            f"Secret {wanted.namespace}/{wanted.secret} {flaw}, so that it cannot be renewed: "
            f"kubectl --namespace {wanted.namespace} delete secret {wanted.secret}, and run this again"
        )
    body = secret | {"data": (secret.get("data") or {}) | data}
    await client.request("PUT", path(SECRETS, wanted.namespace, wanted.secret), body, params=_MANAGER)


def serving(secret: Obj) -> Serving | Unusable:
    """Return what a Secret has to serve with."""
    if not secret:
        return Unusable("there was none")
    data = secret.get("data") or {}
    try:
        leaf, key, authority = (_decode(data[key]) for key in ("tls.crt", "tls.key", "ca.crt"))
        certificate, issuer = x509.load_pem_x509_certificate(leaf), x509.load_pem_x509_certificate(authority)
        if certificate.public_key() != load_pem_private_key(key, None).public_key():
            return Unusable("the old one did not go with its key")
        certificate.verify_directly_issued_by(issuer)
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except KeyError as error:
        return Unusable(f"the old one had no {error.args[0]}")
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return Unusable("the old one was malformed")
    return Serving(
        names=frozenset(alternatives.get_values_for_type(x509.DNSName)),
        issued=max(certificate.not_valid_before_utc, issuer.not_valid_before_utc),
        expires=min(certificate.not_valid_after_utc, issuer.not_valid_after_utc),
        authority=_authority(issuer),
    )


def authorities(bundle: str) -> list[Authority]:
    """Return the authorities of a caBundle; none, where it cannot be read, and so cannot be trusted either."""
    try:
        return [_authority(each) for each in x509.load_pem_x509_certificates(_decode(bundle))] if bundle else []
    except ValueError:
        return []


def _authority(certificate: x509.Certificate) -> Authority:
    pem = issuing.certificate_pem(certificate).decode()
    return Authority(pem, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _issue(names: Sequence[str], lifetime: timedelta) -> dict[str, str]:
    """Return a Secret's data: a certificate, its key and the authority, whose own key ends here."""
    authority = issuing.Authority.new("kopfwerk-webhook-ca", lifetime)
    certificate, key = authority.issue("kopfwerk-webhook", usages=[issuing.SERVER], names=names)
    return {
        "tls.crt": _encode(issuing.certificate_pem(certificate)),
        "tls.key": _encode(issuing.key_pem(key)),
        "ca.crt": _encode(issuing.certificate_pem(authority.certificate)),
    }


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    """Decode base64; binascii.Error is a ValueError."""
    return base64.b64decode(text, validate=True)
