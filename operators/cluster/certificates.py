"""The cluster's certificates: three authorities as kubeadm has them, and the files that each component is started with.

Everything is written once into one private folder. A folder that has them already is left as it is, so that a cluster
that keeps its data keeps its identity: the service account key signed the tokens that its pods hold.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER_NAMES: Final = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
SERVER_ADDRESSES: Final = ("127.0.0.1", "::1", "10.96.0.1")
LIFETIME: Final = timedelta(days=3650)

ADMINS: Final = "system:masters"

CLIENTS: Final = {
    "admin": ("kopfwerk-admin", ADMINS),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kwok": ("kwok", ADMINS),  # it plays every kubelet at once, which no narrower role allows
    "operator": ("kopfwerk", ""),
    "kubelet-client": ("kube-apiserver-kubelet-client", ADMINS),
}
"""The client certificates of the cluster's authority: file name to user and group."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that can issue."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def issue(
        self, user: str, group: str = "", *, server: bool = False, client: bool = False
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A new key with its certificate; a server's is good for every name of this machine's cluster."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [usage for wanted, usage in ((server, _SERVER), (client, _CLIENT)) if wanted]
        builder = _certificate(_name(user, group), self.certificate.subject, key).add_extension(
            x509.ExtendedKeyUsage(usages), critical=False
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        if server:
            builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives()), critical=False)
        return builder.sign(self.key, hashes.SHA256()), key


_SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
_CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH


def write_all(folder: Path) -> None:
    """Write every certificate and key of a cluster into a folder of its own, unless it has them already."""
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    cluster, etcd, proxy = (_authority(folder, name) for name in ("ca", "etcd-ca", "front-proxy-ca"))
    _write(folder, "apiserver", *cluster.issue("kube-apiserver", server=True))
    for name in ("kube-controller-manager", "kube-scheduler", "kwok", "operator"):
        _write(folder, f"{name}-server", *cluster.issue(f"{name}-server", server=True))
    for name, (user, group) in CLIENTS.items():
        _write(folder, name, *cluster.issue(user, group, client=True))
    _write(folder, "etcd", *etcd.issue("etcd", server=True, client=True))
    _write(folder, "etcd-client", *etcd.issue("kube-apiserver-etcd-client", client=True))
    _write(folder, "front-proxy-client", *proxy.issue("front-proxy-client", client=True))
    key = ec.generate_private_key(ec.SECP256R1())
    _private(folder / "service-account.key", _pem(key))
    _private(
        folder / "service-account.pub",
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    (folder / "complete").touch()


def _authority(folder: Path, name: str) -> Authority:
    """Make an authority and write it down."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"kopfwerk-{name}")
    builder = _certificate(subject, subject, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_signing_usage(), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    _write(folder, name, certificate, key)
    return Authority(certificate, key)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """What every certificate says of itself."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signing_usage() -> x509.KeyUsage:
    """The use of a key that signs certificates."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name(user: str, group: str = "") -> x509.Name:
    """A user, in a group if one is given, as Kubernetes reads them from a certificate."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _alternatives() -> Sequence[x509.GeneralName]:
    """The names and addresses of every server on this machine."""
    return [
        *(x509.DNSName(name) for name in SERVER_NAMES),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in SERVER_ADDRESSES),
    ]


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as text."""
    # The traditional form, because kube-controller-manager reads a service account key in no other.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a certificate and its key, the key for its owner only."""
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _private(folder / f"{name}.key", _pem(key))


def _private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read."""
    path.touch(mode=0o600)
    path.write_bytes(content)
