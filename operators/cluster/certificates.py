"""The cluster's certificates: three authorities as kubeadm has them, and the files that each component is started with.

Everything is written once into one private folder. A folder that has them already is left as it is, so that a cluster
that keeps its data keeps its identity: the service account key signed the tokens that its pods hold.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization

from operators.runtime.issuing import CLIENT, SERVER, Authority, Issued, certificate_pem, key_pem, new_key

SERVER_NAMES: Final = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "::1",
    "10.96.0.1",
)
"""The names and addresses of every server on this machine."""
LIFETIME: Final = timedelta(days=3650)

ADMINS: Final = "system:masters"

CLIENTS: Final = {
    "admin": ("kopfwerk-admin", ADMINS),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kwok": ("kwok", ADMINS),  # it plays every kubelet at once, which no narrower role allows
    "operator": ("kopfwerk", ""),
    "scheduler-extender": ("kopfwerk-scheduler-extender", ""),
    "kubelet-client": ("kube-apiserver-kubelet-client", ADMINS),
}
"""The client certificates of the cluster's authority: file name to user and group."""


def write_all(folder: Path) -> None:
    """Write every certificate and key of a cluster into a folder of its own, unless it has them already."""
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    cluster, etcd, proxy = (_authority(folder, name) for name in ("ca", "etcd-ca", "front-proxy-ca"))
    for name in ("kube-controller-manager", "kube-scheduler", "kwok", "operator"):
        _write(folder, f"{name}-server", cluster.issue(f"{name}-server", usages=[SERVER], names=SERVER_NAMES))
    _write(folder, "apiserver", cluster.issue("kube-apiserver", usages=[SERVER], names=SERVER_NAMES))
    for name, (user, group) in CLIENTS.items():
        _write(folder, name, cluster.issue(user, group, usages=[CLIENT]))
    _write(folder, "etcd", etcd.issue("etcd", usages=[SERVER, CLIENT], names=SERVER_NAMES))
    _write(folder, "etcd-client", etcd.issue("kube-apiserver-etcd-client", usages=[CLIENT]))
    _write(folder, "front-proxy-client", proxy.issue("front-proxy-client", usages=[CLIENT]))
    key = new_key()
    _private(folder / "service-account.key", key_pem(key))
    _private(
        folder / "service-account.pub",
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    (folder / "complete").touch()


def _authority(folder: Path, name: str) -> Authority:
    """Make an authority and write it down."""
    authority = Authority.new(f"kopfwerk-{name}", LIFETIME)
    _write(folder, name, (authority.certificate, authority.key))
    return authority


def _write(folder: Path, name: str, issued: Issued) -> None:
    """Write a certificate and its key, the key for its owner only."""
    certificate, key = issued
    (folder / f"{name}.crt").write_bytes(certificate_pem(certificate))
    _private(folder / f"{name}.key", key_pem(key))


def _private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read."""
    path.touch(mode=0o600)
    path.write_bytes(content)
