"""RFC 3161 tokens made by the OpenSSL command line, an outside referee."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import timestamp
from colophon.digest import sha256
from colophon.errors import InputError, ProofError

DIGEST = sha256(b"a checkpoint")
CONFIG = """
[tsa]
default_tsa = unit
[unit]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = name
prompt = no
[name]
CN = test
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamp]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {purpose}
authorityKeyIdentifier = keyid
"""


class Authority:
    """A time-stamping authority run by the OpenSSL command line."""

    def __init__(
        self, folder: Path, purpose: str = "critical,timeStamping", name: str = "tsa"
    ) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "serial").write_text("01")
        self.config = folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=folder, purpose=purpose))
        self._make_certificates(name)
        self.root_pem = (folder / "root.pem").read_bytes()

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=self.folder,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout

    def _make_certificates(self, name: str) -> None:
        request = ("req", "-config", str(self.config), "-newkey", "ec", "-nodes")
        curve = ("-pkeyopt", "ec_paramgen_curve:P-256")
        self.run(
            *request, *curve, "-x509", "-days", "30", "-extensions", "root",
            "-subj", f"/CN={name} root", "-keyout", "root.key", "-out", "root.pem",
        )  # fmt: skip
        self.run(
            *request, *curve, "-subj", f"/CN={name}",
            "-keyout", "tsa.key", "-out", "tsa.csr",
        )  # fmt: skip
        self.run(
            "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
            "-days", "30", "-set_serial", "2", "-extfile", str(self.config),
            "-extensions", "stamp", "-out", "tsa.pem",
        )  # fmt: skip

    def answer(self, query: bytes) -> bytes:
        """The response to a query."""
        (self.folder / "query.tsq").write_bytes(query)
        self.run(
            "ts", "-reply", "-config", str(self.config), "-section", "unit",
            "-queryfile", "query.tsq", "-signer", "tsa.pem", "-inkey", "tsa.key",
            "-out", "reply.tsr",
        )  # fmt: skip
        return (self.folder / "reply.tsr").read_bytes()

    def token(self, digest: bytes = DIGEST) -> bytes:
        return timestamp.token_of(self.answer(timestamp.make_query(digest)))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "two", name="other")


def test_openssl_reads_our_query(authority: Authority) -> None:
    query = timestamp.make_query(DIGEST, nonce=0xDEAD_BEEF)
    (authority.folder / "ours.tsq").write_bytes(query)
    text = authority.run("ts", "-query", "-in", "ours.tsq", "-text")
    assert "Hash Algorithm: sha256" in text
    assert "Nonce: 0xDEADBEEF" in text
    assert "Certificate required: yes" in text
    assert DIGEST.hex()[:8] in text.replace(" ", "").replace("-", "")


def test_our_query_is_openssls_query(authority: Authority) -> None:
    authority.run(
        "ts", "-query", "-digest", DIGEST.hex(), "-sha256", "-cert", "-no_nonce",
        "-out", "theirs.tsq",
    )  # fmt: skip
    theirs = (authority.folder / "theirs.tsq").read_bytes()
    ours = timestamp.make_query(DIGEST, nonce=0)
    assert ours.replace(b"\x02\x01\x00\x01\x01\xff", b"\x01\x01\xff")[2:] == theirs[2:]


def test_a_token_proves_a_time(authority: Authority) -> None:
    moment = timestamp.check(authority.token(), DIGEST, authority.root_pem)
    assert moment.tzinfo is not None
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=1)


def test_one_of_several_roots_is_enough(authority: Authority, other: Authority) -> None:
    both = other.root_pem + authority.root_pem
    assert timestamp.check(authority.token(), DIGEST, both)


def test_openssl_agrees_that_the_token_holds(authority: Authority) -> None:
    (authority.folder / "token").write_bytes(authority.token())
    said = authority.run(
        "ts", "-verify", "-digest", DIGEST.hex(), "-in", "token", "-token_in",
        "-CAfile", "root.pem",
    )  # fmt: skip
    assert "Verification: OK" in said


def test_a_token_of_another_digest_fails(authority: Authority) -> None:
    with pytest.raises(ProofError):
        timestamp.check(authority.token(), sha256(b"other"), authority.root_pem)


def test_a_token_of_an_unknown_authority_fails(
    authority: Authority, other: Authority
) -> None:
    with pytest.raises(ProofError):
        timestamp.check(authority.token(), DIGEST, other.root_pem)


def test_an_authority_of_the_same_name_is_still_another(
    authority: Authority, tmp_path: Path
) -> None:
    twin = Authority(tmp_path / "twin")
    with pytest.raises(ProofError):
        timestamp.check(twin.token(), DIGEST, authority.root_pem)


def test_a_token_over_sha512_is_refused(authority: Authority) -> None:
    authority.run(
        "ts", "-query", "-digest", "ab" * 64, "-sha512", "-cert", "-out", "long.tsq"
    )
    query = (authority.folder / "long.tsq").read_bytes()
    token = timestamp.token_of(authority.answer(query))
    with pytest.raises(ProofError, match="SHA-256"):
        timestamp.check(token, bytes.fromhex("ab" * 64), authority.root_pem)


def test_a_token_without_the_certificate_fails(authority: Authority) -> None:
    query = timestamp.make_query(DIGEST).replace(b"\x01\x01\xff", b"")
    query = query[:1] + bytes([len(query) - 2]) + query[2:]
    token = timestamp.token_of(authority.answer(query))
    with pytest.raises(ProofError):
        timestamp.check(token, DIGEST, authority.root_pem)


def test_a_signer_for_other_purposes_fails(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        Authority(tmp_path / "wrong", purpose="clientAuth").token()


def test_every_changed_byte_that_matters_fails(authority: Authority) -> None:
    """A flipped byte either fails or leaves the proven time as it was."""
    token = authority.token()
    proven = timestamp.check(token, DIGEST, authority.root_pem)
    failed = 0
    for at in range(0, len(token), 7):
        broken = bytearray(token)
        broken[at] ^= 0x41
        try:
            assert timestamp.check(bytes(broken), DIGEST, authority.root_pem) == proven
        except ProofError:
            failed += 1
    assert failed > len(token) // 7 * 0.8


@given(st.binary(max_size=80))
def test_any_bytes_are_no_token(authority: Authority, data: bytes) -> None:
    with pytest.raises(ProofError):
        timestamp.check(data, DIGEST, authority.root_pem)
    with pytest.raises(ProofError):
        timestamp.token_of(data)


def test_a_refusal_is_no_token() -> None:
    # PKIStatusInfo {rejection(2)} and nothing else.
    with pytest.raises(ProofError):
        timestamp.token_of(bytes.fromhex("30053003020102"))


def test_a_huge_token_is_refused(authority: Authority) -> None:
    with pytest.raises(ProofError, match="bytes"):
        timestamp.check(b"\x30" * 70_000, DIGEST, authority.root_pem)


@pytest.mark.parametrize("pem", [b"", b"not pem", b"-----BEGIN CERTIFICATE-----"])
def test_roots_that_are_no_certificates_are_refused(
    authority: Authority, pem: bytes
) -> None:
    with pytest.raises(InputError) as caught:
        timestamp.check(authority.token(), DIGEST, pem)
    assert caught.value.field == "roots_pem"


def test_a_query_needs_a_sha256_digest() -> None:
    for digest, nonce in ((b"short", None), (DIGEST, -1)):
        with pytest.raises(InputError):
            timestamp.make_query(digest, nonce)


def test_each_query_has_its_own_nonce() -> None:
    assert len({timestamp.make_query(DIGEST) for _ in range(50)}) == 50
