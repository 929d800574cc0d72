"""The certificates: who they are for, who vouches for them, and who may read them."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from operators.cluster import certificates


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every certificate."""
    folder = tmp_path_factory.mktemp("certificates") / "pki"
    certificates.write_all(folder)
    return folder


def load(pki: Path, name: str) -> x509.Certificate:
    """One certificate of the folder."""
    return x509.load_pem_x509_certificate((pki / f"{name}.crt").read_bytes())


@pytest.mark.parametrize(
    ("name", "authority"),
    [
        ("apiserver", "ca"),
        ("admin", "ca"),
        ("kubelet-client", "ca"),
        ("etcd", "etcd-ca"),
        ("etcd-client", "etcd-ca"),
        ("front-proxy-client", "front-proxy-ca"),
    ],
)
def test_authority(name: str, authority: str, pki: Path) -> None:
    """Each certificate is vouched for by its own authority, so that a cluster's user is nobody to etcd."""
    load(pki, name).verify_directly_issued_by(load(pki, authority))


@pytest.mark.parametrize(
    ("name", "want_user", "want_groups"),
    [
        pytest.param("admin", "kopfwerk-admin", ["system:masters"], id="an administrator may do everything"),
        pytest.param("kube-scheduler", "system:kube-scheduler", [], id="the scheduler has the role made for it"),
        pytest.param("operator", "kopfwerk", [], id="the operator has what it is given"),
    ],
)
def test_identity(name: str, want_user: str, want_groups: list[str], pki: Path) -> None:
    """A client certificate says who its bearer is to RBAC."""
    subject = load(pki, name).subject

    assert [part.value for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [want_user]
    assert [part.value for part in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == want_groups


def test_keys_are_private(pki: Path) -> None:
    """No other user of the machine can read a key, nor see the folder."""
    assert pki.stat().st_mode & 0o077 == 0
    keys = list(pki.glob("*.key"))
    assert keys
    assert [key.name for key in keys if key.stat().st_mode & 0o077] == []


def test_every_certificate_goes_with_its_key(pki: Path) -> None:
    """TLS libraries take each pair."""
    for certificate in pki.glob("*.crt"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))


def test_a_folder_that_has_them_is_left_alone(tmp_path: Path) -> None:
    """A cluster that keeps its state keeps its identity, and what half-finished is made again."""
    certificates.write_all(tmp_path)
    before = (tmp_path / "ca.crt").read_bytes()
    certificates.write_all(tmp_path)
    assert (tmp_path / "ca.crt").read_bytes() == before

    (tmp_path / "complete").unlink()
    certificates.write_all(tmp_path)
    assert (tmp_path / "ca.crt").read_bytes() != before
