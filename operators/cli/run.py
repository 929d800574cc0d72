"""`kopfwerk run`: the operator alone, in front, against any cluster. It is what the container image starts."""

import sys
from typing import Any

import click

from operators.controllers import controllers
from operators.runtime import operator, state

_FILE = click.Path(dir_okay=False)


@click.command(context_settings={"max_content_width": 100})
@click.option("--native", is_flag=True, help="Control apps/v1 itself instead of kopfwerk.dev/v1.")
@click.option("--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="How to reach the cluster.")
@click.option("--context", help="A context of that kubeconfig other than the current one.")
@click.option("--namespace", default="", help="Where its Lease is.  [default: the pod's own, or kube-system]")
@click.option("--leader-elect/--no-leader-elect", default=True, show_default=True, help="Wait for the Lease to act.")
@click.option("--listen", default="127.0.0.1:8080", show_default=True, help="Where /healthz, /readyz and /metrics are.")
@click.option("--webhook-listen", default="", help="Where the webhook is.  [default: nowhere]")
@click.option("--webhook-certificate", default="", type=_FILE, help="Its certificate; read anew when it changes.")
@click.option("--webhook-key", default="", type=_FILE, help="The certificate's key.")
@click.option("--webhook-scheduler", default="", metavar="NAME", help="Have it give new pods to this scheduler.")
@click.option(
    "--state-metrics-limit",
    type=click.IntRange(min=0),
    default=state.LIMIT,
    show_default=True,
    help="Leave out the state metrics of a kind that has more objects; 0 leaves out all.",
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def run(*, native: bool, **options: Any) -> None:
    """Run the operator in front until it is told to end.

    Without --kubeconfig it uses KUBECONFIG, ~/.kube/config or, in a pod, the pod's service account. In native mode the
    cluster's kube-controller-manager has to run without the controllers that Kopfwerk takes over.
    """
    sys.exit(operator.main(operator.Options(**options), lambda: controllers(native=native)))
