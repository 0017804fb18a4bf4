"""The test authorities: made once, kept, renewed in time, private."""

from __future__ import annotations

import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from colophon.authority import Authority, make_authorities


def leaf(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.chain.read_bytes())


def test_every_file_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    make_authorities(folder)
    assert folder.stat().st_mode & 0o077 == 0
    made = [p for p in folder.iterdir() if p.suffix in {".pem", ".key"}]
    assert len(made) == 12
    assert {p.stat().st_mode & 0o777 for p in made} == {0o600}


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    first = make_authorities(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert make_authorities(tmp_path) == first
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_two_starters_at_once_make_one_set(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=make_authorities, args=(tmp_path,)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = make_authorities(tmp_path)
    for authority in (made.claim, made.tsa):
        assert openssl(authority, "any").returncode == 0


def openssl(authority: Authority, purpose: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [
            "openssl",
            "verify",
            "-CAfile",
            authority.root,
            "-untrusted",
            authority.chain,
            "-purpose",
            purpose,
            "-x509_strict",
            authority.chain,
        ],
        check=False,
        capture_output=True,
    )


def test_openssl_builds_both_chains_for_their_purpose_only(tmp_path: Path) -> None:
    made = make_authorities(tmp_path)
    assert openssl(made.claim, "smimesign").returncode == 0
    assert openssl(made.tsa, "timestampsign").returncode == 0
    assert openssl(made.claim, "timestampsign").returncode != 0
    assert openssl(made.tsa, "smimesign").returncode != 0


def test_one_tree_does_not_vouch_for_the_other(tmp_path: Path) -> None:
    made = make_authorities(tmp_path)
    mixed = Authority(made.tsa.root, made.claim.chain, made.claim.key)
    assert openssl(mixed, "smimesign").returncode != 0


def test_every_name_says_test(tmp_path: Path) -> None:
    made = make_authorities(tmp_path)
    for authority in (made.claim, made.tsa):
        for path in (authority.root, authority.chain):
            for found in x509.load_pem_x509_certificates(path.read_bytes()):
                assert found.subject.rfc4514_string().count("Colophon test") == 2


@pytest.mark.parametrize(("days", "renewed"), [(300, False), (340, True), (400, True)])
def test_a_leaf_is_renewed_in_its_last_month(
    tmp_path: Path, days: int, renewed: bool
) -> None:
    now = datetime.now(UTC)
    first = make_authorities(tmp_path, now=now)
    old = leaf(first.claim)
    root = first.claim.root.read_bytes()
    second = make_authorities(tmp_path, now=now + timedelta(days=days))
    new = leaf(second.claim)
    assert (new.serial_number != old.serial_number) is renewed
    assert (new.public_key() != old.public_key()) is renewed
    assert second.claim.root.read_bytes() == root


def test_an_issuing_authority_outlasts_what_it_signs(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    later = now + timedelta(days=1700)
    root = make_authorities(tmp_path, now=now).claim.root.read_bytes()
    renewed = make_authorities(tmp_path, now=later).claim
    certificates = x509.load_pem_x509_certificates(renewed.chain.read_bytes())
    assert certificates[0].not_valid_after_utc <= certificates[1].not_valid_after_utc
    certificates[1].verify_directly_issued_by(x509.load_pem_x509_certificate(root))
    certificates[0].verify_directly_issued_by(certificates[1])


def test_a_key_that_does_not_fit_is_replaced(tmp_path: Path) -> None:
    """As after a crash between writing the key and the chain."""
    made = make_authorities(tmp_path)
    made.claim.key.write_bytes(made.tsa.key.read_bytes())
    healed = make_authorities(tmp_path).claim
    key = serialization.load_pem_private_key(healed.key.read_bytes(), None)
    assert key.public_key() == leaf(healed).public_key()
