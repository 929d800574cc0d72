"""`kopfwerk up`: a control plane with Kopfwerk's controllers, in front or in the background."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from operators.cli import table
from operators.cluster import binaries, kubeconfig, progress, registry, supervisor
from operators.cluster.cluster import DEFAULT_SCHEDULER, KOPFWERK, Cluster, Settings
from operators.cluster.errors import ClusterError
from operators.cluster.registry import Record
from operators.cluster.versions import DEFAULT, RELEASES

_DIRECTORY = click.Path(file_okay=False, path_type=Path, resolve_path=True)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(context_settings={"max_content_width": 100})
@click.option("--name", default="default", show_default=True, help="Its name; several run side by side.")
@click.option("--nodes", type=click.IntRange(0, 10_000), default=5, show_default=True, help="How many to simulate.")
@click.option("--native", is_flag=True, help="Take over apps/v1 itself instead of serving kopfwerk.dev/v1 beside it.")
@click.option(
    "--scheduler",
    type=click.Choice([KOPFWERK, DEFAULT_SCHEDULER]),
    default=KOPFWERK,
    show_default=True,
    help="Who decides where pods go: Kopfwerk's rules, or kube-scheduler's own.",
)
@click.option("-d", "--detach", is_flag=True, help="Return when all is ready; kopfwerk down ends it.")
@click.option(
    "--kubeconfig", "user_kubeconfig", type=_FILE, help="Put its context there.  [default: a file of its own]"
)
@click.option("--data-dir", type=_DIRECTORY, help="Keep its state there, over a restart.  [default: gone at the end]")
@click.option(
    "--kubernetes-version", type=click.Choice(sorted(RELEASES)), default=DEFAULT.kubernetes, show_default=True
)
@click.option("--binaries", "programs", type=_DIRECTORY, help="A folder with etcd, kube-apiserver and the others.")
@click.option("--apiserver-arg", multiple=True, metavar="ARG", help="Another argument for kube-apiserver; repeatable.")
@click.option("--controller-manager-arg", multiple=True, metavar="ARG", help="One for kube-controller-manager.")
@click.option("--scheduler-arg", multiple=True, metavar="ARG", help="One for kube-scheduler.")
@click.option("--operator/--no-operator", default=True, hidden=True, help="Whether to run the operator in it.")
@click.option("--in-background", is_flag=True, hidden=True, help="What --detach starts.")
def up(**options: Any) -> None:
    """Start etcd, kube-apiserver, kube-controller-manager, the scheduler, simulated nodes and the operator.

    Everything runs as processes of this machine, on free ports of the loopback interface. Programs that are missing are
    downloaded, or else built with Go, once. In front, a table shows the workloads, and Ctrl-C takes everything down.
    """
    console = Console(stderr=True, highlight=False)
    settings = _settings(options)
    user_kubeconfig = options["user_kubeconfig"].absolute() if options["user_kubeconfig"] else None
    if not options["in_background"]:
        _check(settings, user_kubeconfig)
        _obtain(settings, console)
    if options["detach"]:
        _detach(settings, console)
    else:
        _in_front(settings, user_kubeconfig, console, quiet=options["in_background"])


def _settings(options: dict[str, Any]) -> Settings:
    """What the options ask for."""
    return Settings(
        name=options["name"],
        nodes=options["nodes"],
        native=options["native"],
        scheduler=options["scheduler"],
        operator=options["operator"],
        release=RELEASES[options["kubernetes_version"]],
        binaries=options["programs"],
        data_dir=options["data_dir"],
        apiserver_args=options["apiserver_arg"],
        controller_manager_args=options["controller_manager_arg"],
        scheduler_args=options["scheduler_arg"],
    )


def _check(settings: Settings, user_kubeconfig: Path | None) -> None:
    """Refuse what cannot work before anything is fetched for it."""
    registry.folder(settings.name)
    if registry.is_running(settings.name):
        raise ClusterError(f"cluster {settings.name!r} runs already; kopfwerk down --name {settings.name} ends it")
    if user_kubeconfig is not None:
        kubeconfig.read(user_kubeconfig)


def _obtain(settings: Settings, console: Console) -> None:
    """Get the programs that are missing, with a display for each."""
    programs = binaries.needed()
    if all(binaries.look_up(program, settings.release, settings.binaries) for program in programs):
        return
    with progress.show(console) as display:
        binaries.obtain(programs, settings.release, display, settings.binaries)


def _in_front(settings: Settings, user_kubeconfig: Path | None, console: Console, *, quiet: bool) -> None:
    """Run the cluster here until a signal ends it."""
    began = time.monotonic()
    with _waiting(console) as tell:

        @contextlib.contextmanager
        def while_ready(record: Record, cluster: Cluster) -> Iterator[None]:
            tell("")
            if not quiet:
                _next_steps(record, console, time.monotonic() - began)
                console.print("Ctrl-C takes it down.", style="dim")
                try:
                    with table.live(cluster.api(), console):
                        yield
                finally:  # a signal ends it, as an exception
                    console.print(f"taking cluster {record.name} down", style="dim")
            else:
                yield

        supervisor.supervise(settings, user_kubeconfig, tell, while_ready)


def _detach(settings: Settings, console: Console) -> None:
    """Start this same command as a process of its own, and wait until it says that the cluster is ready."""
    folder = registry.folder(settings.name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = [argument for argument in sys.argv[1:] if argument not in {"-d", "--detach"}]
    began = time.monotonic()
    with (folder / registry.OWN_LOG).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "operators.cli.main", *arguments, "--in-background"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    with _waiting(console) as tell:
        try:
            record = _until_ready(settings.name, process, tell, Path(output.name))
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
        tell("")
    _next_steps(record, console, time.monotonic() - began)
    name = "" if record.name == "default" else f" --name {record.name}"
    console.print(f"It runs in the background: kopfwerk status{name}, kopfwerk down{name}", style="dim", soft_wrap=True)


def _until_ready(name: str, process: subprocess.Popen[bytes], tell: Callable[[str], None], log: Path) -> Record:
    """Follow a cluster that starts in the background."""
    said = ""
    while process.poll() is None:
        record = registry.read(name)
        if record is not None and record.pid == process.pid:
            if record.phase == registry.READY:
                return record
            if record.message != said:
                said = record.message
                tell(said)
        time.sleep(0.05)
    record = registry.read(name)
    if record is not None and record.pid == process.pid and record.phase == registry.FAILED:
        raise ClusterError(record.message)
    raise ClusterError(f"it ended with exit code {process.returncode}:\n{log.read_text(errors='replace').strip()}")


@contextlib.contextmanager
def _waiting(console: Console) -> Iterator[Callable[[str], None]]:
    """Show what is being waited for: a spinner on a terminal, a line each elsewhere. An empty text ends it."""
    if not console.is_terminal:
        yield lambda text: console.print(text, markup=False) if text else None
        return
    status = console.status("starting")
    status.start()

    def tell(text: str) -> None:
        if text:
            status.update(text)
        else:
            status.stop()

    try:
        yield tell
    finally:
        status.stop()


def _next_steps(record: Record, console: Console, seconds: float) -> None:
    """Say that it is ready and what to type next. On standard output, since it is the command's answer."""
    folders = [Path(sys.executable).parent] if shutil.which("kubectl-kopfwerk") is None else []
    if shutil.which("kubectl") is None:
        folders.append(binaries.kubectl(RELEASES[record.kubernetes]).parent)
    native = "" if not record.native else ", native mode"
    console.print(
        f"[green]✓[/] cluster [bold]{record.name}[/] is ready after {seconds:.1f} s:"
        f" Kubernetes {record.kubernetes}, {record.nodes} nodes{native}"
    )
    steps = [
        f"export KUBECONFIG={shlex.quote(record.kubeconfig)}",
        *([f"export PATH={shlex.quote(os.pathsep.join(map(str, folders)))}{os.pathsep}$PATH"] if folders else []),
        *_example(native=record.native),
    ]
    click.echo("\n" + "\n".join(f"  {step}" for step in steps) + "\n")


def _example(*, native: bool) -> list[str]:
    """How to apply the first example, as it is called from here, and look at it. An installed package has none."""
    file = Path(__file__).parents[2] / "examples" / ("guestbook-native.yaml" if native else "guestbook.yaml")
    if not file.exists():
        return ["kubectl get nodes"]
    here = Path.cwd()
    name = file.relative_to(here) if file.is_relative_to(here) else file
    if native:
        return [f"kubectl apply -f {name}", "kubectl get deployments", "kubectl rollout status deployment/frontend"]
    return [
        f"kubectl apply -f {name}",
        "kubectl get deployments.kopfwerk.dev",
        "kubectl kopfwerk rollout status deployment/frontend",
    ]
