"""When the webhook needs a new certificate, and which authorities the apiserver trusts while it changes.

Several replicas serve one certificate, and each reads a new one when its kubelet brings it: for minutes some serve the
old one and some the new. So an authority is trusted before anything that it has signed is served, and for as long as
it may be (docs/decisions/0006-webhook-certificates.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

RECENT: Final = timedelta(hours=2)
"""An authority as young as this may be that of another run, which has not written its certificate yet."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who vouches for a certificate: its own certificate, as PEM in one spelling, and when that is valid."""

    pem: str
    issued: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Serving:
    """A certificate that can be served with: names, validity (the authority's, where that is shorter), authority."""

    names: frozenset[str]
    issued: datetime
    expires: datetime
    authority: Authority

    @property
    def renewed_from(self) -> datetime:
        """When two thirds of its life are over: three months from the 1st of January are so on the 2nd of March."""
        return self.issued + (self.expires - self.issued) * 2 / 3


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is nothing to serve with, and this is why."""

    why: str


def server_names(service: str, namespace: str) -> tuple[str, str]:
    """Return the names of a Service: the apiserver asks for the first, and people's tools for either."""
    return f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local"


def why_due(found: Serving | Unusable, wanted: Sequence[str], now: datetime, *, may_wait: bool) -> str:
    """Return why a new certificate is due, empty where none is.

    `may_wait` leaves one that merely grows old to a run that can have the new authority trusted first.
    """
    if isinstance(found, Unusable):
        return found.why
    if missing := [name for name in wanted if name not in found.names]:
        return f"the old one was not for {missing[0]}"
    if now >= found.expires:
        return "the old one had expired"
    if now >= found.renewed_from and not may_wait:
        return "two thirds of the old one's life were over"
    return ""


def trusting(bundle: Sequence[Authority], present: Authority) -> list[Authority]:
    """Return the bundle with the authority of the certificate that is served; as it is, where it is there."""
    return list(bundle) if _has(bundle, present) else [present, *bundle]


def rotating(bundle: Sequence[Authority], present: Authority | None, new: Authority, now: datetime) -> list[Authority]:
    """Return the bundle for the time in which both the present certificate and the new one are served.

    Those before the present one drop out, but for RECENT ones. Where the present one is not known (its Secret is gone,
    but replicas serve from memory), all stay that are still valid.
    """
    wanted = [new] if present is None else [new, present]
    for authority in bundle:
        may_serve = present is None or now - authority.issued < RECENT
        if may_serve and now < authority.expires and not _has(wanted, authority):
            wanted.append(authority)
    return wanted


def _has(bundle: Sequence[Authority], authority: Authority) -> bool:
    return any(each.pem == authority.pem for each in bundle)
