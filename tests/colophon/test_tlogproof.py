"""Proof files: the C2SP form, and checks that fail on any change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import merkle, note
from colophon.errors import InputError, ProofError, SignatureError
from colophon.keys import Ed25519Key
from colophon.note import COSIGNATURE, Checkpoint, NoteKey
from colophon.tlogproof import LogProof

NAME = "colophon.example/log"
LOG = Ed25519Key.from_seed(b"l" * 32)
WITNESS = Ed25519Key.from_seed(b"w" * 32)
KEY = NoteKey.of_signer(NAME, LOG)
WITNESS_KEY = NoteKey.of_signer("w.example", WITNESS, COSIGNATURE)
LEAVES = [merkle.leaf_hash(b"%d" % at) for at in range(50)]
TREE = merkle.Tree(LEAVES)


def proof_of(index: int, size: int = 50) -> LogProof:
    head = Checkpoint(NAME, size, TREE.root(size))
    signed = note.sign_note(head.to_body(), NAME, LOG)
    return LogProof(index, tuple(TREE.inclusion_proof(index, size)), signed)


def test_a_proof_has_the_form_of_the_specification() -> None:
    lines = replace(proof_of(7), extra=b"hi").to_text().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == "extra aGk="
    assert lines[2] == "index 7"
    assert lines[3 + len(proof_of(7).hashes)] == ""
    assert lines[4 + len(proof_of(7).hashes)] == NAME


@given(st.integers(1, 50), st.data(), st.none() | st.binary(max_size=9))
def test_proofs_round_trip_and_hold(
    size: int, data: st.DataObject, extra: bytes | None
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = replace(proof_of(index, size), extra=extra)
    read = LogProof.from_text(proof.to_text())
    assert read == proof
    assert read.checkpoint.size == size
    assert read.check(LEAVES[index], KEY).signed_by(KEY)


def test_a_proof_of_another_entry_fails() -> None:
    with pytest.raises(ProofError):
        proof_of(7).check(LEAVES[8], KEY)
    with pytest.raises(ProofError):
        replace(proof_of(7), index=8).check(LEAVES[7], KEY)


def test_a_checkpoint_by_another_key_fails() -> None:
    eve = NoteKey.of_signer(NAME, Ed25519Key.from_seed(b"e" * 32))
    with pytest.raises(SignatureError):
        proof_of(7).check(LEAVES[7], eve)


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    proof = proof_of(7)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    signed = note.cosign(proof.checkpoint_note, "w.example", WITNESS, now)
    text, lines = signed.split("\n\n")
    only = replace(proof, checkpoint_note=f"{text}\n\n{lines.splitlines()[1]}\n")
    with pytest.raises(SignatureError, match="by the log"):
        only.check(LEAVES[7], KEY, [WITNESS_KEY])
    both = replace(proof, checkpoint_note=signed).check(LEAVES[7], KEY, [WITNESS_KEY])
    assert both.signed_by(WITNESS_KEY)


def test_a_checkpoint_of_another_log_fails() -> None:
    head = Checkpoint("other.example/log", 50, TREE.root())
    signed = note.sign_note(head.to_body(), NAME, LOG)
    with pytest.raises(ProofError, match="another log"):
        replace(proof_of(7), checkpoint_note=signed).check(LEAVES[7], KEY)


@pytest.mark.parametrize(
    "change",
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 7", "index 07"),
        ("index 7", "index -7"),
        ("index 7", "7"),
        ("index 7\n", ""),
        ("index 7\n", "index 7\nAAAA\n"),
        ("index 7\n", "index 7\n####\n"),
        ("index 7\n", "extra !\nindex 7\n"),
        ("index 7\n", "index 7\n" + ("A" * 43 + "=\n") * 70),
        ("\n\n", "\n"),
        ("\n50\n", "\nfifty\n"),
    ],
)
def test_a_malformed_proof_is_refused(change: tuple[str, str]) -> None:
    text = proof_of(7).to_text()
    assert change[0] in text
    with pytest.raises(InputError):
        LogProof.from_text(text.replace(*change, 1))


@given(st.text(max_size=120))
def test_any_text_gives_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        LogProof.from_text(text)
