"""A cluster as one object: it starts the components in the order that they need, watches them and stops them.

Used by `kopfwerk up`, by the tests' session fixture and by the benchmark. Blocking, and to be used from one thread that
lives as long as the cluster: the components end with the thread that started them.
"""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from operators.cluster import (
    arguments,
    binaries,
    bootstrap,
    certificates,
    containerlogs,
    kubeconfig,
    nodes,
    ports,
    readiness,
)
from operators.cluster.api import Api, ApiError
from operators.cluster.arguments import Layout
from operators.cluster.errors import ClusterError
from operators.cluster.process import Process
from operators.cluster.progress import Lines
from operators.cluster.versions import DEFAULT, PROGRAMS, Release
from operators.scheduler.configuration import ARGUMENTS, ENVIRONMENT, Extender, configuration

STAGES = Path(__file__).parent / "stages"
"""The behaviour of simulated nodes and pods, as KWOK reads it."""


KOPFWERK = "kopfwerk"
DEFAULT_SCHEDULER = "default"
_IDENTITIES = ("admin", "kube-controller-manager", "kube-scheduler", "scheduler-extender", "kwok", "operator")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cluster is to be. The defaults are those of `kopfwerk up`."""

    name: str = "default"
    nodes: int = 5
    native: bool = False
    scheduler: str = KOPFWERK
    """Who decides where pods go: KOPFWERK, Kopfwerk's extender behind a kube-scheduler, or DEFAULT_SCHEDULER alone."""
    extender: Extender = field(default_factory=Extender)
    """What kube-scheduler asks of Kopfwerk's; where that is, the cluster knows."""
    operator: bool = True
    """Whether Kopfwerk's operator runs in it. Tests that start their own say no."""
    release: Release = DEFAULT
    binaries: Path | None = None
    """A folder with the programs; None looks where `binaries.find` says."""
    data_dir: Path | None = None
    """Where etcd's data and the certificates live on; None throws them away at the end."""
    folder: Path | None = None
    """Where logs and kubeconfigs go; None makes a temporary one."""
    stages: Path = STAGES
    apiserver_args: Sequence[str] = ()
    controller_manager_args: Sequence[str] = ()
    without_controllers: Sequence[str] = ()
    """kube-controller-manager's controllers to leave out, beside those that native mode leaves out."""
    scheduler_args: Sequence[str] = ()
    kwok_args: Sequence[str] = ()
    operator_args: Sequence[str] = ()
    extender_args: Sequence[str] = ()


def _quiet(_: str) -> None:
    """Report progress to nobody."""


@dataclass(slots=True)
class Cluster:
    """A control plane with simulated nodes. Usable as a context manager, which starts and stops it."""

    settings: Settings = field(default_factory=Settings)
    progress: Callable[[str], None] = _quiet
    """Told in a few words what is being waited for."""
    processes: dict[str, Process] = field(default_factory=dict)
    """Every component by name, in the order in which they were started."""
    layout: Layout = field(init=False)
    folder: Path = field(init=False)
    _temporary: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.settings.folder is None:
            self._temporary.append(Path(tempfile.mkdtemp(prefix=f"kopfwerk-{self.settings.name}-")))
        self.folder = self.settings.folder or self._temporary[0]
        data = self.settings.data_dir
        if data is not None:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.layout = Layout(
            pki=(data or self.folder) / "pki",
            etcd_data=(data or self.folder) / "etcd",
            kubeconfigs=self.folder,
            ports=ports.choose() if data is None else ports.keep(data / "ports.json"),
            keeps_state=data is not None,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def server(self) -> str:
        """The apiserver's URL."""
        return self.layout.server

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.layout.kubeconfig("admin")

    @property
    def operator_kubeconfig(self) -> Path:
        """The kubeconfig with which the operator runs."""
        return self.layout.kubeconfig("operator")

    @property
    def context(self) -> str:
        """The name of the cluster's context in every kubeconfig."""
        return f"kopfwerk-{self.settings.name}"

    def api(self, identity: str = "admin") -> Api:
        """A new blocking client, as an administrator or as one of the components."""
        return Api(self.layout.server, self.layout.pki, identity)

    def program(self, name: str) -> Path:
        """The file of one of the cluster's programs; of kubectl, the machine's own if it has one."""
        if name == "kubectl":
            return binaries.kubectl(self.settings.release, self.settings.binaries)
        return binaries.find(PROGRAMS[name], self.settings.release, self.settings.binaries)

    def start(self) -> None:
        """Start everything and return when it is ready; ClusterError, with all stopped again, says what failed.

        Programs that are missing are obtained first, which can take minutes once, and is told on standard error.
        """
        try:
            self._start()
        except (ApiError, OSError) as error:
            with contextlib.ExitStack() as stack:
                stack.callback(self.stop)
                self.check()  # a component that has died explains it better
            raise ClusterError(f"the cluster could not be started: {error}") from error
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        """Start etcd and the apiserver, and with them everything else."""
        binaries.obtain(binaries.needed(), self.settings.release, Lines(), self.settings.binaries)
        self._prepare()
        settings, layout = self.settings, self.layout
        self.run("etcd", [self.program("etcd"), *arguments.etcd(layout)])
        self.run(
            "kube-apiserver", [self.program("kube-apiserver"), *arguments.apiserver(layout, settings.apiserver_args)]
        )
        with self.api() as api:
            self._bring_up(api)

    def _bring_up(self, api: Api) -> None:
        """Start what needs the apiserver, and wait for all of it."""
        settings, layout = self.settings, self.layout
        self.progress("waiting for kube-apiserver")
        definitions = [] if settings.native else bootstrap.definitions()
        # They take half a second to import, which is to spare here, and is not where a cluster is only looked at.
        from operators.cluster import access, webhook  # noqa: PLC0415

        readiness.wait(self, readiness.answers(api, readiness.TAKES_DEFINITIONS), "kube-apiserver does not answer")
        bootstrap.apply_definitions(api, definitions)
        readiness.wait(self, readiness.answers(api, readiness.READY), "kube-apiserver is not ready")
        self.run("kube-controller-manager", self.controller_manager())
        if self._has_extender:
            access.grant_scheduler(api, binds=settings.extender.binds)
            self.run("scheduler-extender", self.scheduler_extender(settings.extender.arguments))
        self.run("kube-scheduler", self.scheduler(), ENVIRONMENT if self._has_extender else None)
        self.run("kwok", [self.program("kwok"), *arguments.kwok(layout, self._stages(), settings.kwok_args)])
        self.progress("waiting for the custom resources")
        access.grant(api, native=settings.native)
        readiness.wait(self, bootstrap.served(api, definitions), "the custom resources are not served")
        if settings.operator:
            self.run("operator", self.operator())
        if self._has_webhook:
            webhook.register(api, layout)
        self.progress(f"waiting for {settings.nodes} nodes")
        nodes.ensure(api, settings.nodes)
        waited_for = readiness.everything(
            api, layout, operator=settings.operator, webhook=self._has_webhook, extender=self._has_extender
        )
        for what, condition in waited_for:
            self.progress(f"waiting for {what}")
            readiness.wait(self, condition, f"{what}: not ready")

    @property
    def _has_webhook(self) -> bool:
        """Whether the operator validates: in native mode the apiserver does it by itself."""
        return self.settings.operator and not self.settings.native

    @property
    def _has_extender(self) -> bool:
        """Whether our extender decides where pods go."""
        return self.settings.scheduler == KOPFWERK

    def _prepare(self) -> None:
        """Make the folders, the certificates and the kubeconfigs."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "logs").mkdir(exist_ok=True)
        certificates.write_all(self.layout.pki)
        self.layout.etcd_data.mkdir(exist_ok=True, mode=0o700)
        for identity in _IDENTITIES:
            content = kubeconfig.build(self.context, self.server, self.layout.pki, identity)
            kubeconfig.write(self.layout.kubeconfig(identity), content)
        if self._has_extender:
            url = f"http://127.0.0.1:{self.layout.ports.scheduler_extender}/scheduler"
            extender = replace(self.settings.extender, url=url)
            config = configuration(extender, str(self.layout.kubeconfig("kube-scheduler")))
            (self.folder / "kube-scheduler.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def _stages(self) -> list[Path]:
        """The files that say how simulated nodes and pods behave."""
        return [*sorted(self.settings.stages.glob("*.yaml")), containerlogs.write(self.folder)]

    def controller_manager(
        self, *, without: Sequence[str] | None = None, only: Sequence[str] = (), extra: Sequence[str] = ()
    ) -> list[str | Path]:
        """kube-controller-manager's command line; `without`, or `only`, replaces what this cluster leaves out."""
        settings = self.settings
        if without is None:
            without = (*(arguments.taken_over() if settings.native else ()), *settings.without_controllers)
        extra = (*settings.controller_manager_args, *extra)
        command = arguments.controller_manager(self.layout, without=without, only=only, extra=extra)
        return [self.program("kube-controller-manager"), *command]

    def scheduler(self, extra: Sequence[str] = ()) -> list[str | Path]:
        """kube-scheduler's command line; where our extender decides, with the configuration that asks it."""
        configured = [f"--config={self.folder / 'kube-scheduler.yaml'}", *ARGUMENTS] if self._has_extender else []
        extra = (*configured, *self.settings.scheduler_args, *extra)
        return [self.program("kube-scheduler"), *arguments.scheduler(self.layout, extra)]

    def scheduler_extender(self, extra: Sequence[str] = ()) -> list[str | Path]:
        """The extender's command line."""
        command = arguments.scheduler_extender(self.layout, (*self.settings.extender_args, *extra))
        return [sys.executable, "-m", "operators.cli.main", *command]

    def operator(self, extra: Sequence[str] = ()) -> list[str | Path]:
        """The operator's command line."""
        extra = (*self.settings.operator_args, *extra)
        command = arguments.operator(self.layout, native=self.settings.native, extra=extra)
        return [sys.executable, "-m", "operators.cli.main", *command]

    def run(self, name: str, argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Process:
        """Start a component, or any other program as one of the cluster's: watched, logged and stopped with it."""
        running = self.processes.get(name)
        if running is not None and running.running:
            raise ClusterError(f"{name} runs already")
        log = self.folder / "logs" / f"{name}.log"
        process = Process(name, [str(part) for part in argv], log, environment or {})
        self.processes[name] = process
        process.start()
        return process

    def restart(self, name: str, argv: Sequence[str | Path] | None = None) -> Process:
        """Stop a component if it runs and start it again, with another command line if one is given."""
        process = self.processes[name]
        process.stop()
        return self.run(name, argv or process.argv, process.environment)

    def check(self) -> None:
        """ClusterError, with the end of its log, if any component ended by itself."""
        for process in self.processes.values():
            if process.died:
                raise ClusterError(f"{process.name} ended with exit code {process.exit_code}:\n{process.tail()}")

    def stop(self) -> None:
        """Stop everything, what depends on others first, and throw away what is not to be kept."""
        names = [name for name in self.processes if name not in {"etcd", "kube-apiserver"}]
        for name in names:
            self.processes[name].terminate()
        for name in names:
            self.processes[name].stop()
        for name in ("kube-apiserver", "etcd"):
            if name in self.processes:
                # Its orderly end takes the apiserver a second, which is only of use to state that is kept.
                self.processes[name].stop() if self.layout.keeps_state else self.processes[name].kill()
        if not self.layout.keeps_state:
            shutil.rmtree(self.layout.etcd_data, ignore_errors=True)
        for folder in self._temporary:
            shutil.rmtree(folder, ignore_errors=True)
