"""`kopfwerk webhook-certificate`: the certificate of the webhook, made and renewed. The chart's jobs run it."""

import asyncio
import re
from datetime import timedelta
from typing import Any, Final

import click
from kubernetes.aio.config import ConfigException

from operators.cluster.errors import ClusterError
from operators.runtime import webhook_certificate as certificate
from operators.runtime.client import ApiError, Client
from operators.runtime.webhook_certificate import CertificateError, Outcome, Wanted

_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


class _Name(click.ParamType[str]):
    """A Kubernetes name."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail."""
        if not _NAME.fullmatch(value):
            self.fail(f"{value!r} is no name: lower case letters, digits, '-' and '.'", param, ctx)
        return str(value)


class _Span(click.ParamType[timedelta]):
    """A time span: a number with a unit."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the span, or fail."""
        match = re.fullmatch(r"([1-9]\d{0,4})([dhm])", value)
        if not match:
            self.fail(f"{value!r} is no time span: 90d, 36h or 30m", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.command("webhook-certificate", context_settings={"max_content_width": 100})
@click.option("--namespace", required=True, type=_Name(), help="Where the Secret and the Service are.")
@click.option("--secret", required=True, type=_Name(), help="The Secret of the certificate.")
@click.option("--service", required=True, type=_Name(), help="The Service that the certificate is for.")
@click.option("--configuration", default="", metavar="NAME", help="Who trusts it: a ValidatingWebhookConfiguration.")
@click.option(
    "--mutating-configuration", default="", metavar="NAME", help="Who else trusts it: a MutatingWebhookConfiguration."
)
@click.option("--valid-for", default="90d", show_default=True, type=_Span(), help="Its life.")
@click.option("--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="How to reach the cluster.")
def webhook_certificate(kubeconfig: str | None, **options: Any) -> None:
    """Make the certificate of the webhook where there is none, and renew it before it expires.

    Run it as often as you like: it looks at what there is and does what is missing. A new certificate is made when two
    thirds of the present one's life are over, and when that is missing, malformed or for other names. The
    configuration trusts the new one before it is served, and the old one until the next renewal. Without
    --configuration nothing is renewed merely because it is old, since nobody could be told to trust the new one.

    \b
    What it has to be allowed, and no more:
      secrets                          create, in the namespace
      secrets                          get, update, of the one name
      validatingwebhookconfigurations  get, patch, of the one name (with --configuration)
      mutatingwebhookconfigurations    get, patch, of the one name (with --mutating-configuration)
    """  # noqa: D301 - \b is what keeps click from filling the lines that follow
    wanted = Wanted(**options)
    try:
        outcome = asyncio.run(_ensure(kubeconfig, wanted))
    except (CertificateError, ConfigException) as error:
        raise ClusterError(str(error)) from error
    except ApiError as error:
        raise ClusterError(f"{error.message}{_way_out(error, wanted)}") from error
    click.echo(_said(wanted, outcome))


async def _ensure(kubeconfig: str | None, wanted: Wanted) -> Outcome:
    async with await Client.connect(kubeconfig) as client:
        return await certificate.ensure(client, wanted)


def _way_out(error: ApiError, wanted: Wanted) -> str:
    """What to do about an error."""
    if error.status == 403:
        return "; kopfwerk webhook-certificate --help lists the rights that it needs"
    if error.status == 404:
        return f"; kubectl create namespace {wanted.namespace} makes it"
    if error.status == 0:
        return "; see whether the cluster runs, and run this again"
    return ""


def _said(wanted: Wanted, outcome: Outcome) -> str:
    """What was found and done, in one line."""
    serving = outcome.serving
    did = f"is new, because {outcome.why}, and" if outcome.why else "is"
    trust = ""
    if names := [name for name in (wanted.configuration, wanted.mutating_configuration) if name]:
        trust = f"; {' and '.join(names)} " + ("trusts it" if outcome.is_configured else "does not exist yet")
    return (
        f"certificate {wanted.namespace}/{wanted.secret} {did} good until {serving.expires:%Y-%m-%d %H:%M} UTC,"
        f" renewed from {serving.renewed_from:%Y-%m-%d %H:%M} on{trust}"
    )
