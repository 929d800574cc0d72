"""The command line of each component, from the cluster's folders and ports. Builds lists of strings and does no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operators.cluster import nodes

SERVICE_RANGE: Final = "10.96.0.0/12"


def taken_over() -> tuple[str, ...]:
    """Return kube-controller-manager's controllers that Kopfwerk replaces in native mode, by their names there."""
    from operators.controllers import controllers  # noqa: PLC0415 - takes long, and only native mode asks

    return tuple(f"{controller.name}-controller" for controller in controllers(native=True))


@dataclass(frozen=True, slots=True)
class Ports:
    """A port of the loopback interface for each component."""

    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int
    kwok: int
    operator: int
    webhook: int
    scheduler_extender: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What every command line is made from."""

    pki: Path
    etcd_data: Path
    kubeconfigs: Path
    """The folder with a kubeconfig per component."""
    ports: Ports
    keeps_state: bool
    """Whether the data outlives the cluster; if not, it need not be forced to the disk either."""

    @property
    def server(self) -> str:
        """The apiserver's URL."""
        return f"https://127.0.0.1:{self.ports.apiserver}"

    def kubeconfig(self, identity: str) -> Path:
        """The kubeconfig of a component."""
        return self.kubeconfigs / f"{identity}.kubeconfig"


def etcd(layout: Layout) -> list[str]:
    """Etcd, one member, clients by certificate only."""
    client, peer = (f"https://127.0.0.1:{port}" for port in (layout.ports.etcd, layout.ports.etcd_peer))
    pki = layout.pki
    return [
        "--name=kopfwerk",
        f"--data-dir={layout.etcd_data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=kopfwerk={peer}",
        f"--cert-file={pki}/etcd.crt",
        f"--key-file={pki}/etcd.key",
        f"--trusted-ca-file={pki}/etcd-ca.crt",
        "--client-cert-auth=true",
        f"--peer-cert-file={pki}/etcd.crt",
        f"--peer-key-file={pki}/etcd.key",
        f"--peer-trusted-ca-file={pki}/etcd-ca.crt",
        "--peer-client-cert-auth=true",
        "--log-level=warn",
        *([] if layout.keeps_state else ["--unsafe-no-fsync=true"]),
    ]


def apiserver(layout: Layout, extra: Sequence[str] = ()) -> list[str]:
    """kube-apiserver with RBAC, TLS and the aggregation layer, and otherwise its own defaults."""
    pki = layout.pki
    return [
        "--advertise-address=127.0.0.1",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.ports.apiserver}",
        "--endpoint-reconciler-type=none",  # it refuses to publish a loopback address
        f"--etcd-servers=https://127.0.0.1:{layout.ports.etcd}",
        f"--etcd-cafile={pki}/etcd-ca.crt",
        f"--etcd-certfile={pki}/etcd-client.crt",
        f"--etcd-keyfile={pki}/etcd-client.key",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        *extra,
    ]


def controller_manager(
    layout: Layout, *, without: Sequence[str] = (), only: Sequence[str] = (), extra: Sequence[str] = ()
) -> list[str]:
    """kube-controller-manager: whole, without some of its controllers, or with only those that are named."""
    pki = layout.pki
    config = layout.kubeconfig("kube-controller-manager")
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.ports.controller_manager}",
        f"--tls-cert-file={pki}/kube-controller-manager-server.crt",
        f"--tls-private-key-file={pki}/kube-controller-manager-server.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/service-account.key",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",  # there is one, and waiting for a lease would cost seconds
        "--kube-api-qps=200",  # at the default of 20 its controllers alone take six seconds to start
        "--kube-api-burst=400",
        "--controllers=" + ",".join(only or ["*", *(f"-{name}" for name in without)]),
        *extra,
    ]


def scheduler(layout: Layout, extra: Sequence[str] = ()) -> list[str]:
    """kube-scheduler, with its default configuration where none is among the extra arguments."""
    pki = layout.pki
    config = layout.kubeconfig("kube-scheduler")
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.ports.scheduler}",
        f"--tls-cert-file={pki}/kube-scheduler-server.crt",
        f"--tls-private-key-file={pki}/kube-scheduler-server.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--leader-elect=false",
        *extra,
    ]


def scheduler_extender(layout: Layout, extra: Sequence[str] = ()) -> list[str]:
    """`kopfwerk scheduler-extender`, on loopback."""
    return [
        "scheduler-extender",
        f"--kubeconfig={layout.kubeconfig('scheduler-extender')}",
        f"--listen=127.0.0.1:{layout.ports.scheduler_extender}",
        *extra,
    ]


def kwok(layout: Layout, stages: Sequence[Path], extra: Sequence[str] = ()) -> list[str]:
    """KWOK, playing the kubelet of every node that is marked as simulated."""
    return [
        f"--kubeconfig={layout.kubeconfig('kwok')}",
        f"--manage-nodes-with-label-selector={nodes.KUBELET}={nodes.RUNNING}",
        *(f"--config={path}" for path in stages),
        "--cidr=10.0.0.0/16",
        "--node-ip=127.0.0.1",
        f"--node-port={layout.ports.kwok}",
        f"--server-address=127.0.0.1:{layout.ports.kwok}",
        f"--tls-cert-file={layout.pki}/kwok-server.crt",
        f"--tls-private-key-file={layout.pki}/kwok-server.key",
        "--node-lease-duration-seconds=40",
        *extra,
    ]


def operator(layout: Layout, *, native: bool, extra: Sequence[str] = ()) -> list[str]:
    """`kopfwerk run`, alone and so without a Lease to wait for. In native mode the apiserver validates by itself."""
    webhook = [
        f"--webhook-listen=127.0.0.1:{layout.ports.webhook}",
        f"--webhook-certificate={layout.pki}/operator-server.crt",
        f"--webhook-key={layout.pki}/operator-server.key",
    ]
    return [
        "run",
        f"--kubeconfig={layout.kubeconfig('operator')}",
        "--no-leader-elect",
        f"--listen=127.0.0.1:{layout.ports.operator}",
        *(["--native"] if native else webhook),
        *extra,
    ]
