"""A cluster, its operator, and a Prometheus that looks at it: what these tests break and repair."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from operators.cluster import readiness
from operators.cluster.api import Api
from operators.cluster.arguments import Ports
from operators.cluster.cluster import Cluster
from operators.core.objects import KOPFWERK, Obj
from operators.runtime import issuing
from operators.runtime.lease import LEASES
from tests.support.prometheus import SCHEDULER, Prometheus, configuration, until

LEASE: Final = f"/apis/{LEASES.group}/v1/namespaces/kube-system/leases/kopfwerk"
ELECTED: Final = ("--leader-elect", "--namespace=kube-system")
"""The last word counts: an embedded cluster's operator has nobody to compete with, this one has."""
NAMESPACE: Final = "default"
QUOTA: Final = "no-pods"
"""A namespace in which no pod may be."""
SLOW: Final = "slow-pods"
"""A namespace in which each pod takes seconds to be created."""


@dataclass(slots=True)
class World:
    """What there is."""

    cluster: Cluster
    prometheus: Prometheus

    @property
    def api(self) -> Api:
        """An administrator's client."""
        return self.cluster.api()

    @property
    def target(self) -> str:
        """Where the operator's page is."""
        return f"127.0.0.1:{self.cluster.layout.ports.operator}"

    def create(self, plural: str, namespace: str, spec: Obj, name: str = "web", group: str = KOPFWERK) -> None:
        """Create a workload."""
        kind = {
            "deployments": "Deployment",
            "statefulsets": "StatefulSet",
            "jobs": "Job",
            "cronjobs": "CronJob",
            "podprobes": "PodProbe",
        }[plural]
        body = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.api.request("POST", f"/apis/{group}/v1/namespaces/{namespace}/{plural}", body)

    def fires(self, alert: str, **labels: str) -> dict[str, Any]:
        """Wait for an alert with these labels, and return it."""

        def found() -> dict[str, Any] | None:
            for one in self.prometheus.firing(alert):
                if labels.items() <= one["labels"].items():
                    return one
            return None

        return until(found, f"{alert} {labels} does not fire") or {}

    def is_quiet(self, alert: str) -> None:
        """Wait until an alert does not fire any more."""
        until(lambda: not self.prometheus.firing(alert), f"{alert} goes on firing")

    def leads(self) -> None:
        """Wait until the operator leads, and Prometheus has seen it."""
        until(lambda: self.prometheus.query('leader_election_master_status{job="kopfwerk"} == 1'), "nobody leads")

    @contextlib.contextmanager
    def without_operator(self) -> Iterator[None]:
        """Stop the operator meanwhile."""
        self.cluster.processes["operator"].stop()
        try:
            yield
        finally:
            self.cluster.run("operator", self.cluster.operator())
            self.leads()

    @contextlib.contextmanager
    def without_apiserver(self) -> Iterator[None]:
        """Kill the apiserver meanwhile. The operator that runs then needs no Lease: else it would end."""
        self.cluster.restart("operator", self.cluster.operator(["--no-leader-elect"]))
        readiness.wait(self.cluster, readiness.page(f"http://{self.target}/readyz"), "the operator is not ready")
        self.cluster.processes["kube-apiserver"].kill()
        try:
            yield
        finally:
            self.cluster.restart("kube-apiserver")
            until(lambda: self.api.get("/readyz") == "ok", "the apiserver does not come back")
            self.cluster.restart("operator", self.cluster.operator())
            self.leads()

    @contextlib.contextmanager
    def lease_of_another(self) -> Iterator[None]:
        """Give the Lease to somebody who does nothing with it, while the operator is replaced."""
        self.cluster.processes["operator"].stop()
        self._hold("another", 3600)
        self.cluster.run("operator", self.cluster.operator())
        try:
            yield
        finally:
            self._hold("", 1)
            self.leads()

    @contextlib.contextmanager
    def slow_pods(self, namespace: str) -> Iterator[None]:
        """Have the apiserver take seconds for each pod that is created in a new namespace, which is deleted in the end.

        It asks a webhook that never answers, and goes on without.
        """
        url = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
        pods = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
        with socket.create_server(("127.0.0.1", 0)) as silent:
            webhook = {
                "name": "silent.example.com",
                "clientConfig": {"url": f"https://127.0.0.1:{silent.getsockname()[1]}"},
                "rules": [pods],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "timeoutSeconds": 3,
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
            self.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            self.api.request("POST", url, {"metadata": {"name": "silent"}, "webhooks": [webhook]})
            try:
                yield
            finally:
                self.api.request("DELETE", f"{url}/silent")
                self.api.request("DELETE", f"/api/v1/namespaces/{namespace}")

    def _hold(self, identity: str, seconds: int) -> None:
        """Put a holder into the Lease."""
        lease = self.api.get(LEASE)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": identity,
            "leaseDurationSeconds": seconds,
            "renewTime": now,
            "acquireTime": now,
        }
        self.api.request("PUT", LEASE, lease | {"spec": spec})

    @contextlib.contextmanager
    def second_installation(self, ports: Ports, folder: Path) -> Iterator[None]:
        """Run another operator meanwhile, a careless one, with a Lease, a limit and a certificate of its own."""
        files = [str(path) for path in short_lived(folder)]
        layout = self.cluster.layout
        options = [
            f"--kubeconfig={layout.kubeconfig('admin')}",
            "--namespace=default",
            f"--listen=127.0.0.1:{ports.operator}",
            "--state-metrics-limit=1",
            f"--webhook-listen=127.0.0.1:{ports.webhook}",
            f"--webhook-certificate={files[0]}",
            f"--webhook-key={files[1]}",
        ]
        second = self.cluster.run("second", [sys.executable, "-m", "operators.cli.main", "run", *options])
        self.prometheus.scrape(self.target, f"127.0.0.1:{ports.operator}")
        try:
            yield
        finally:
            self.prometheus.scrape(self.target)
            second.stop()


def short_lived(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for a day, and its key."""
    authority = issuing.Authority.new("test", timedelta(days=1))
    certificate, key = authority.issue("webhook", usages=[issuing.SERVER], names=["127.0.0.1"])
    files = folder / "tls.crt", folder / "tls.key"
    files[0].write_bytes(issuing.certificate_pem(certificate))
    files[1].write_bytes(issuing.key_pem(key))
    return files


def start(cluster: Cluster, program: Path, port: int, folder: Path) -> World:
    """Start Prometheus as one of the cluster's programs, and return when it has seen the operator lead."""
    options = [
        f"--config.file={configuration(folder)}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--query.lookback-delta=5s",
    ]
    world = World(cluster, Prometheus(f"http://127.0.0.1:{port}", folder))
    world.prometheus.scrape(world.target)
    world.prometheus.scrape(f"127.0.0.1:{cluster.layout.ports.scheduler_extender}", job=SCHEDULER)
    cluster.run("prometheus", [program, *options])
    world.leads()
    return world
