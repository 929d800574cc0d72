"""`kubectl kopfwerk logs`, `exec` and `port-forward`: kubectl's own, once the pod is known.

A workload's pods are found by its selector, as kubectl does; where there is none yet, one is waited for. Pods, and
whatever else is no workload, go to kubectl as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from operators.cli.plugin.kubectl import Failed, Kubectl, TimedOut, time_limit
from operators.cli.plugin.options import TAIL, Command, Duration, option, pass_kubectl, switch
from operators.core import objects
from operators.core.kubectl import choice
from operators.core.kubectl.kinds import Refused, is_workload, resource_arguments
from operators.core.objects import Obj

Order = Callable[[Iterable[Obj]], list[Obj]]


def _running_timeout(default: int) -> Callable[..., Any]:
    return option("--pod-running-timeout", type=Duration(), default=default, help="How long to wait for a pod.")


@click.command("logs", cls=Command)
@click.argument("args", nargs=-1)
@switch("--all-pods", help="The logs of every pod, each line with its origin.")
@switch("--all-containers", help="The logs of every container.")
@switch("--follow", "-f", help="Go on as the logs do.")
@switch("--ignore-errors", help="While following, let errors pass.")
@switch("--previous", "-p", help="The logs of the container's last instance.")
@switch("--prefix", help="Begin every line with its pod and container.")
@switch("--timestamps", help="Begin every line with its time.")
@switch("--insecure-skip-tls-verify-backend", help="Do not verify who the kubelet is.")
@option("--container", "-c", help="The logs of this container.")
@option("--selector", "-l", help="The logs of the pods with these labels.")
@option("--limit-bytes", help="At most so many bytes.")
@option("--max-log-requests", help="How many logs may be followed at a time; 5 where nothing is said.")
@option("--since", help="Not older than 5s, 2m, 3h.")
@option("--since-time", help="Not older than a date (RFC 3339).")
@option("--tail", help="The last lines alone; all where nothing is said, 10 of each with a selector.")
@_running_timeout(20)
@pass_kubectl
def logs(kubectl: Kubectl, /, args: Sequence[str], pod_running_timeout: float, **options: Any) -> None:
    """Print the logs of a container: logs (POD | TYPE/NAME) [CONTAINER]."""
    flags = _flags(options)
    if not (args and "/" in args[0] and is_workload(args[0])):
        kubectl.become("logs", f"--pod-running-timeout={pod_running_timeout}s", *args, *flags)
    obj = _workload(kubectl, args[0])
    pods = _pods(kubectl, obj, choice.for_logs, pod_running_timeout)
    namespace = obj["metadata"]["namespace"]
    if options["all_pods"]:
        tail = () if options["tail"] else ("--tail=-1",)
        selector = f"--selector={choice.pod_selector(obj)}"
        kubectl.become("logs", selector, *flags, *tail, *_container(args[1:]), namespace=namespace)
    if len(pods) > 1:
        click.echo(f"Found {len(pods)} pods, using pod/{objects.name(pods[0])}", err=True)
    kubectl.become("logs", f"pod/{objects.name(pods[0])}", *args[1:], *flags, namespace=namespace)


@click.command("exec", cls=Command, keeps_tail=True)
@click.argument("args", nargs=-1)
@option("--container", "-c", help="The container to run the command in.")
@option("--filename", "-f", multiple=True, help="A file that names the pod.")
@switch("--stdin", "-i", help="Pass standard input on.")
@switch("--tty", "-t", help="Standard input is a terminal.")
@switch("--quiet", "-q", help="Print nothing but what the command prints.")
@_running_timeout(60)
@pass_kubectl
@click.pass_context
def execute(
    context: click.Context, kubectl: Kubectl, /, args: Sequence[str], pod_running_timeout: float, **options: Any
) -> None:
    """Run a command in a container: exec (POD | TYPE/NAME) [-c CONTAINER] -- COMMAND [args...]."""
    tail = ("--", *context.meta[TAIL]) if TAIL in context.meta else ()
    if not context.meta.get(TAIL):
        kubectl.become("exec", *args, *_flags(options), *tail)  # which says what is missing
    _in_pod(kubectl, "exec", args, pod_running_timeout, (*_flags(options), *tail))


@click.command("port-forward", cls=Command)
@click.argument("args", nargs=-1)
@option("--address", multiple=True, help="Addresses to listen on; localhost where nothing is said.")
@_running_timeout(60)
@pass_kubectl
def port_forward(kubectl: Kubectl, args: Sequence[str], pod_running_timeout: float, address: Sequence[str]) -> None:
    """Forward local ports to a pod: port-forward TYPE/NAME [LOCAL_PORT:]REMOTE_PORT ..."""
    flags = _flags({"address": address})
    if len(args) < 2:
        kubectl.become("port-forward", *args, *flags)  # which says what is missing
    _in_pod(kubectl, "port-forward", args, pod_running_timeout, flags)


def _in_pod(kubectl: Kubectl, command: str, args: Sequence[str], timeout: float, flags: Sequence[str]) -> None:
    """Become the kubectl command in the pod that stands for a workload."""
    if not (args and "/" in args[0] and is_workload(args[0])):
        kubectl.become(command, f"--pod-running-timeout={timeout}s", *args, *flags)
    obj = _workload(kubectl, args[0])
    pod = _pods(kubectl, obj, choice.for_attaching, timeout)[0]
    kubectl.become(command, f"pod/{objects.name(pod)}", *args[1:], *flags, namespace=obj["metadata"]["namespace"])


def _workload(kubectl: Kubectl, arg: str) -> Obj:
    found, code = kubectl.read_objects(*resource_arguments([arg]))
    if code:
        raise Failed(code)
    return found[0]


def _pods(kubectl: Kubectl, obj: Obj, order: Order, timeout: float) -> list[Obj]:
    """Return a workload's pods, best first; where there is none, the first that comes in time."""
    selector, namespace = choice.pod_selector(obj), obj["metadata"]["namespace"]
    found = order(kubectl.list_objects("pods", selector, namespace))
    if found:
        return found
    try:
        with time_limit(timeout), kubectl.watching("pods", f"--selector={selector}", namespace=namespace) as events:
            for _, pod in events:
                return [pod]
    except TimedOut:
        pass
    raise Refused("timed out waiting for the condition")


def _flags(options: dict[str, Any]) -> list[str]:
    """Spell the options that were given again."""
    flags: list[str] = []
    for name, value in options.items():
        values = value if isinstance(value, tuple) else (value,)
        flags += [
            f"--{name.replace('_', '-')}{'' if one is True else f'={one}'}"
            for one in values
            if one not in (None, False)
        ]
    return flags


def _container(args: Sequence[str]) -> list[str]:
    """Turn the container that stands as an argument into an option: beside a selector it must be one."""
    return [f"--container={name}" for name in args]
