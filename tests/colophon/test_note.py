"""Signed notes: the C2SP rules, Go's published example, checkpoints, witnesses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import note
from colophon.digest import sha256
from colophon.errors import InputError, SignatureError
from colophon.keys import Ed25519Key
from colophon.note import COSIGNATURE, Checkpoint, NoteKey

LOG = Ed25519Key.from_seed(b"l" * 32)
EVE = Ed25519Key.from_seed(b"e" * 32)
WITNESS = Ed25519Key.from_seed(b"w" * 32)
NAME = "colophon.example/log"
KEY = NoteKey.of_signer(NAME, LOG)
WITNESS_KEY = NoteKey.of_signer("witness.example/w1", WITNESS, COSIGNATURE)
HEAD = Checkpoint(NAME, 5, sha256(b"root"))
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

# The example of the Go package golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_gos_example_note_opens() -> None:
    key = NoteKey.from_vkey(GO_VKEY)
    opened = note.open_note(GO_NOTE, [key])
    assert opened.text.endswith("what your problem is.\n")
    assert opened.signed_by(key)
    assert key.vkey == GO_VKEY


def test_gos_example_fails_with_one_letter_changed() -> None:
    with pytest.raises(SignatureError):
        note.open_note(
            GO_NOTE.replace("answer", "answeR"), [NoteKey.from_vkey(GO_VKEY)]
        )


def test_a_key_id_is_that_of_the_specification() -> None:
    head = NAME.encode() + b"\n\x01"
    assert KEY.id == sha256(head + KEY.public_key)[:4]
    assert (
        WITNESS_KEY.id
        == sha256(b"witness.example/w1\n\x04" + WITNESS_KEY.public_key)[:4]
    )


@pytest.mark.parametrize("key", [KEY, WITNESS_KEY])
def test_verifier_keys_round_trip(key: NoteKey) -> None:
    assert NoteKey.from_vkey(key.vkey) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("PeterNeumann", "Peter Neumann"),
        GO_VKEY.replace("+ARpc", "+Arpc"),
        GO_VKEY + "A",
        "x+00000000+AQ==",
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        NoteKey.from_vkey(text)


def test_a_checkpoint_note_has_the_form_of_the_specification() -> None:
    signed = note.sign_note(HEAD.to_body(), NAME, LOG)
    lines = signed.split("\n")
    assert lines[0] == NAME
    assert lines[1] == "5"
    assert lines[3] == ""
    assert lines[4].startswith(f"— {NAME} ")
    assert signed.endswith("\n")
    assert note.open_checkpoint(signed, KEY) == HEAD


def test_a_note_of_an_unknown_key_is_refused() -> None:
    signed = note.sign_note(HEAD.to_body(), NAME, EVE)
    with pytest.raises(SignatureError, match="known key"):
        note.open_note(signed, [KEY])


def test_signatures_of_unknown_keys_are_ignored() -> None:
    signed = note.sign_note(HEAD.to_body(), NAME, LOG)
    signed = note.add_signature(signed, "eve.example", EVE)
    assert len(note.open_note(signed, [KEY]).signatures) == 1
    both = [KEY, NoteKey.of_signer("eve.example", EVE)]
    assert len(note.open_note(signed, both).signatures) == 2


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    signed = note.sign_note(HEAD.to_body(), NAME, LOG)
    other = note.sign_note("other\n", "eve.example", EVE).split("\n\n")[1]
    eve = NoteKey.of_signer("eve.example", EVE)
    assert note.open_note(signed + other, [KEY])
    with pytest.raises(SignatureError):
        note.open_note(signed + other, [KEY, eve])


def test_a_witness_cosigns_with_a_time() -> None:
    signed = note.cosign(
        note.sign_note(HEAD.to_body(), NAME, LOG), WITNESS_KEY.name, WITNESS, NOON
    )
    opened = note.open_note(signed, [KEY, WITNESS_KEY])
    found = opened.signed_by(WITNESS_KEY)
    assert found is not None
    assert found.signed_at == NOON


def test_the_cosigned_message_is_that_of_the_specification() -> None:
    signed = note.cosign(
        note.sign_note(HEAD.to_body(), NAME, LOG), WITNESS_KEY.name, WITNESS, NOON
    )
    _, lines = note.split_note(signed)
    seconds = int(NOON.timestamp())
    message = f"cosignature/v1\ntime {seconds}\n{HEAD.to_body()}".encode()
    assert lines[1][2] == seconds.to_bytes(8, "big") + WITNESS.sign(message)


def test_a_cosignature_is_bound_to_its_time() -> None:
    signed = note.cosign(
        note.sign_note(HEAD.to_body(), NAME, LOG), WITNESS_KEY.name, WITNESS, NOON
    )
    later = note.cosign(
        note.sign_note(HEAD.to_body(), NAME, LOG),
        WITNESS_KEY.name,
        WITNESS,
        NOON.replace(hour=13),
    )
    _, lines = note.split_note(signed)
    _, others = note.split_note(later)
    mixed = others[1][2][:8] + lines[1][2][8:]
    forged = signed.replace(
        signed.rsplit(" ", 1)[1], note.to_base64(WITNESS_KEY.id + mixed) + "\n"
    )
    with pytest.raises(SignatureError):
        note.open_note(forged, [KEY, WITNESS_KEY])


def test_a_witness_signs_checkpoints_only() -> None:
    with pytest.raises(InputError):
        note.cosign(note.sign_note("hello\n", NAME, LOG), "w", WITNESS, NOON)


def test_a_log_key_signs_its_own_origin_only() -> None:
    other = Checkpoint("other.example/log", 5, HEAD.root)
    with pytest.raises(InputError, match="origin"):
        note.open_checkpoint(note.sign_note(other.to_body(), NAME, LOG), KEY)


@pytest.mark.parametrize(
    "body",
    [
        "x\n5\n",
        "\n5\nAAAA\n",
        "x\n05\n" + "A" * 43 + "=\n",
        "x\n-1\n" + "A" * 43 + "=\n",
        "x\n5\nAAAA\n",
        "x\n5\n" + "A" * 43 + "=\nmore\n\nand more\n",
        f"x\n{2**63}\n" + "A" * 43 + "=\n",
        "x\n5\n" + "A" * 43 + "=",
        "x\n\u0665\n" + "A" * 43 + "=\n",
        "x\n5\n" + "A" * 42 + "B=\n",
    ],
)
def test_other_texts_are_no_checkpoints(body: str) -> None:
    with pytest.raises(InputError):
        Checkpoint.from_body(body)


def test_a_witness_cosigns_the_extension_lines_of_another_log() -> None:
    head = Checkpoint(NAME, 5, HEAD.root, ("note to self", "more"))
    signed = note.sign_note(head.to_body(), NAME, LOG)
    signed = note.cosign(signed, WITNESS_KEY.name, WITNESS, NOON)
    assert note.open_checkpoint(signed, KEY) == head
    assert note.open_note(signed, [WITNESS_KEY]).text == head.to_body()
    with pytest.raises(SignatureError):
        note.open_note(signed.replace("note to self", "note"), [WITNESS_KEY])


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_checkpoints_round_trip(size: int, root: bytes) -> None:
    head = Checkpoint("a.example/b", size, root)
    assert Checkpoint.from_body(head.to_body()) == head


@pytest.mark.parametrize(
    "head",
    [
        Checkpoint("", 1, bytes(32)),
        Checkpoint("x", 1, b""),
        Checkpoint("x", -1, bytes(32)),
    ],
)
def test_no_note_is_made_of_a_broken_checkpoint(head: Checkpoint) -> None:
    with pytest.raises(InputError):
        head.to_body()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("no newline", NAME),
        ("bell\a\n", NAME),
        ("x\n", ""),
        ("x\n", "two words"),
        ("x\n", "a+b"),
        ("\ud800\n", NAME),
    ],
)
def test_what_cannot_stand_in_a_note_is_refused(text: str, name: str) -> None:
    with pytest.raises(InputError):
        note.sign_note(text, name, LOG)


@given(st.text(max_size=200))
def test_any_text_gives_a_note_or_a_clear_error(text: str) -> None:
    with pytest.raises((InputError, SignatureError)):
        note.open_note(text, [KEY])


@pytest.mark.parametrize(
    "tail",
    [
        "- name AAAAAAAA\n",
        "— name\n",
        "— name AAAA\n",
        "— name ####\n",
        "— name AAAAAAAA more\n",
        "— name AAAAAAAA",
        "— na+me AAAAAAAA\n",
        "\n",
    ],
)
def test_a_malformed_signature_line_is_refused(tail: str) -> None:
    with pytest.raises(InputError):
        note.split_note("text\n\n" + tail)


def test_a_text_may_hold_empty_lines() -> None:
    signed = note.sign_note("one\n\ntwo\n", NAME, LOG)
    assert note.open_note(signed, [KEY]).text == "one\n\ntwo\n"


def test_a_note_with_too_many_signatures_is_refused() -> None:
    signed = note.sign_note(HEAD.to_body(), NAME, LOG)
    line = signed.split("\n\n")[1]
    assert note.open_note(signed + line * 15, [KEY])
    with pytest.raises(InputError, match="signatures"):
        note.open_note(signed + line * 64, [KEY])
    with pytest.raises(InputError, match="longer"):
        note.open_note("x" * 70_000, [KEY])
