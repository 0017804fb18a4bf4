"""Make the test certificate authorities of a deployment, once.

Two separate trees, because a signer judged with a time-stamping root must come
out untrusted: `claim` signs C2PA claims, `tsa` signs RFC 3161 tokens. Each is
root (path length 1) > issuing CA (path length 0) > leaf. All names say "test":
nothing made here is on the C2PA trust list, and pages must not pretend so.

Source: C2PA 2.4 section 14.5 (certificate profile); RFC 3161 section 2.3.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANIZATION = "Colophon test"
ROOT_LIFE = timedelta(days=3650)
ISSUING_LIFE = timedelta(days=1825)
LEAF_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
# A clock a little behind ours must not see a certificate from the future.
BACKDATE = timedelta(minutes=5)


@dataclass(frozen=True)
class Authority:
    """Where one tree lies: the root is public, chain and key sign."""

    root: Path
    chain: Path
    key: Path


@dataclass(frozen=True)
class Authorities:
    """The two trees of a deployment."""

    claim: Authority
    tsa: Authority


@dataclass(frozen=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_authorities(folder: Path, *, now: datetime | None = None) -> Authorities:
    """Return the test authorities in `folder`, making what is missing.

    Safe to call from several processes at once and as often as wanted. A leaf
    with less than 30 days left is renewed under the same issuing CA, with a new
    key; an issuing CA with less than a year left is renewed; roots stay.

    Args:
        folder: made with mode 0700 when missing; every file gets mode 0600.
        now: aware time to judge validity by; the clock when absent.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = now or datetime.now(UTC)
    with _locked(folder):
        return Authorities(
            claim=_authority(
                folder, "claim", ExtendedKeyUsageOID.EMAIL_PROTECTION, moment
            ),
            tsa=_authority(folder, "tsa", ExtendedKeyUsageOID.TIME_STAMPING, moment),
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _authority(
    folder: Path, name: str, usage: x509.ObjectIdentifier, now: datetime
) -> Authority:
    root = _issuer(folder, f"{name}-root", None, path_length=1, now=now)
    issuing = _issuer(folder, f"{name}-issuing", root, path_length=0, now=now)
    chain, key = folder / f"{name}-chain.pem", folder / f"{name}-leaf.key"
    if not _fresh(chain, key, now):
        leaf_key = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(leaf_key, issuing, usage, now)
        # The chain last: a crash between the two leaves a pair that does not
        # match, which _fresh sees and replaces.
        _write(key, _key_pem(leaf_key))
        _write(chain, _pem(leaf) + _pem(issuing.certificate))
    return Authority(root=folder / f"{name}-root.pem", chain=chain, key=key)


def _fresh(chain: Path, key: Path, now: datetime) -> bool:
    """Tell whether the leaf exists, matches its key and lasts long enough."""
    if not (chain.exists() and key.exists()):
        return False
    leaf = x509.load_pem_x509_certificate(chain.read_bytes())
    if leaf.not_valid_after_utc - now < RENEW_BEFORE:
        return False
    return leaf.public_key() == _load_key(key).public_key()


def _issuer(
    folder: Path, name: str, parent: _Issuer | None, *, path_length: int, now: datetime
) -> _Issuer:
    path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    if path.exists() and key_path.exists():
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        # An issuing CA must outlast the leaf it signs; a root is never replaced,
        # because others have it on their lists.
        if parent is None or certificate.not_valid_after_utc - now > LEAF_LIFE:
            return _Issuer(certificate, _load_key(key_path))
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name.replace("-", " ") + " CA")
    signer = parent.key if parent else key
    issuer = parent.certificate if parent else None
    life = ISSUING_LIFE if parent else ROOT_LIFE
    certificate = (
        _builder(subject, key, issuer, now, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), True)
        .add_extension(_key_usage(sign=False), True)
        .sign(signer, hashes.SHA256())
    )
    _write(key_path, _key_pem(key))
    _write(path, _pem(certificate))
    return _Issuer(certificate, key)


def _leaf(
    key: ec.EllipticCurvePrivateKey,
    issuing: _Issuer,
    usage: x509.ObjectIdentifier,
    now: datetime,
) -> x509.Certificate:
    # RFC 3161 2.3 wants the usage critical; C2PA's own profile leaves it plain.
    critical = usage == ExtendedKeyUsageOID.TIME_STAMPING
    role = "time-stamp" if critical else "claim signer"
    return (
        _builder(_name(role), key, issuing.certificate, now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_key_usage(sign=True), True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical)
        .sign(issuing.key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        issuer.public_key() if issuer else key.public_key()  # type: ignore[arg-type]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + life)
        .add_extension(own, False)
        .add_extension(parent, False)
    )


def _name(role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{ORGANIZATION} {role}"),
        ]
    )


def _key_usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all; never readable by others, not even at first."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    Path(name).replace(path)
