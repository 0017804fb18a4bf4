"""Signed notes, checkpoints and witness cosignatures, as C2SP defines them.

A note is text, a blank line and signature lines. A checkpoint is a note whose
text is origin, size and root. A cosignature is a time-stamped note signature by a
witness. Sources: C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0,
tlog-cosignature v1.0.1 (Ed25519, type 0x04).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from colophon import keys
from colophon.digest import from_base64, sha256, to_base64
from colophon.errors import InputError, SignatureError

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
_ID_BYTES = 4
_TIME_BYTES = 8
_PUBLIC_BYTES = 32
_DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")
_CHECKPOINT_LINES = 3
MAX_SIZE = 2**63 - 1


@dataclass(frozen=True)
class NoteKey:
    """A verifier: key name, signature type and raw Ed25519 public key."""

    name: str
    public_key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE):
            raise InputError(f"is {self.kind}, expected 1 or 4", "signature type")
        if len(self.public_key) != _PUBLIC_BYTES:
            raise InputError("is not 32 bytes", "public key")

    @property
    def id(self) -> bytes:
        """Four-byte key id: SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]."""
        head = self.name.encode() + b"\n" + bytes([self.kind])
        return sha256(head + self.public_key)[:_ID_BYTES]

    @property
    def public_spki(self) -> bytes:
        """The key as DER SubjectPublicKeyInfo."""
        return keys.spki_of_raw(self.public_key)

    @property
    def vkey(self) -> str:
        """Text form: name, hex id and base64 of type and key, joined by plus."""
        material = to_base64(bytes([self.kind]) + self.public_key)
        return f"{self.name}+{self.id.hex()}+{material}"

    @classmethod
    def from_vkey(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            InputError: malformed, another signature type, or a wrong id.
        """
        match = _VKEY.fullmatch(text)
        if match is None:
            raise InputError("is not a verifier key name+id+key", "vkey")
        material = from_base64(match[3], "vkey")
        key = cls(match[1], material[1:], material[0])
        if key.id.hex() != match[2]:
            raise InputError("has an id that is not the key's", "vkey")
        return key

    @classmethod
    def of_signer(cls, name: str, signer: keys.Signer, kind: int = ED25519) -> Self:
        """The verifier for a signer under a name."""
        return cls(name, keys.raw_public(signer.public_spki), kind)


@dataclass(frozen=True)
class NoteSignature:
    """One verified signature; cosignatures carry the witness's time."""

    key: NoteKey
    signed_at: datetime | None = None


@dataclass(frozen=True)
class OpenedNote:
    """The text of a note and the signatures that verified, in note order."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def signed_by(self, key: NoteKey) -> NoteSignature | None:
        """The verified signature of a key, when it is there."""
        return next((one for one in self.signatures if one.key == key), None)


def sign_note(text: str, name: str, signer: keys.Signer) -> str:
    """A note of a text with one Ed25519 signature.

    Raises:
        InputError: the text or name cannot stand in a note.
    """
    _check_text(text)
    key = NoteKey.of_signer(name, signer)
    return f"{text}\n{_line(key, signer.sign(text.encode()))}"


def add_signature(note: str, name: str, signer: keys.Signer) -> str:
    """The note with one more Ed25519 signature of its text."""
    text, _ = split_note(note)
    key = NoteKey.of_signer(name, signer)
    return note + _line(key, signer.sign(text.encode()))


def cosign(note: str, name: str, signer: keys.Signer, signed_at: datetime) -> str:
    """The checkpoint note with a witness cosignature (cosignature/v1).

    Raises:
        InputError: the note is no checkpoint.
    """
    text, _ = split_note(note)
    Checkpoint.from_body(text)
    return note + cosignature(text, name, signer, signed_at)


def cosignature(text: str, name: str, signer: keys.Signer, signed_at: datetime) -> str:
    """The signature line of a witness cosignature over a checkpoint's text."""
    key = NoteKey.of_signer(name, signer, COSIGNATURE)
    seconds = int(signed_at.timestamp())
    signature = signer.sign(_cosigned(text, seconds))
    return _line(key, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def split_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text and unverified signatures (name, key id, rest) of a note.

    Raises:
        InputError: not a note.
    """
    if len(note) > MAX_NOTE_BYTES:
        raise InputError(f"is longer than {MAX_NOTE_BYTES} characters", "note")
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise InputError("has no signature block after a blank line", "note")
    text += "\n"
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise InputError(f"has more than {MAX_SIGNATURES} signatures", "note")
    return text, [_parse_line(line) for line in lines]


def open_note(note: str, verifiers: Iterable[NoteKey]) -> OpenedNote:
    """The note's text, when at least one known key signed it.

    Signatures of unknown keys are ignored; one wrong signature of a known key
    spoils the note.

    Raises:
        InputError: not a note.
        SignatureError: no known signature, or a wrong one.
    """
    text, lines = split_note(note)
    known = {(key.name, key.id): key for key in verifiers}
    found: dict[NoteKey, NoteSignature] = {}
    for name, key_id, rest in lines:
        key = known.get((name, key_id))
        if key is not None:
            found.setdefault(key, _check_line(key, text, rest))
    if not found:
        raise SignatureError("note carries no signature of a known key")
    return OpenedNote(text, tuple(found.values()))


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head: log origin, number of entries, root hash.

    `extensions` are opaque lines that another log may add; ours has none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def to_body(self) -> str:
        """The note text.

        Raises:
            InputError: the fields make no valid checkpoint.
        """
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        body = "\n".join(lines) + "\n"
        if Checkpoint.from_body(body) != self:
            raise InputError("is not a checkpoint")
        return body

    @classmethod
    def from_body(cls, text: str) -> Self:
        """Read the note text.

        Raises:
            InputError: no origin, size and root, or an empty extension line.
        """
        _check_text(text)
        lines = text[:-1].split("\n")
        if len(lines) < _CHECKPOINT_LINES or not all(lines):
            raise InputError("is not three lines: origin, size, root", "checkpoint")
        if _SIZE.fullmatch(lines[1]) is None or int(lines[1]) > MAX_SIZE:
            raise InputError("has no decimal size in line 2", "checkpoint")
        root = from_base64(lines[2], "checkpoint")
        if len(root) != _PUBLIC_BYTES:
            raise InputError("has no 32-byte root in line 3", "checkpoint")
        return cls(lines[0], int(lines[1]), root, tuple(lines[_CHECKPOINT_LINES:]))


def open_checkpoint(note: str, log_key: NoteKey) -> Checkpoint:
    """The checkpoint of a note that the log itself signed.

    Raises:
        InputError: no checkpoint note, or of another origin than the key's name.
        SignatureError: the log did not sign it.
    """
    checkpoint = Checkpoint.from_body(open_note(note, [log_key]).text)
    if checkpoint.origin != log_key.name:
        raise InputError(f"is of {checkpoint.origin[:64]}", "origin")
    return checkpoint


def _check_line(key: NoteKey, text: str, rest: bytes) -> NoteSignature:
    """Verify one signature of a known key."""
    if key.kind == ED25519:
        keys.verify(key.public_spki, text.encode(), rest)
        return NoteSignature(key)
    seconds = int.from_bytes(rest[:_TIME_BYTES], "big")
    keys.verify(key.public_spki, _cosigned(text, seconds), rest[_TIME_BYTES:])
    try:
        return NoteSignature(key, datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError) as error:
        raise SignatureError("cosignature has no possible time") from error


def _cosigned(text: str, seconds: int) -> bytes:
    """The message of a cosignature/v1."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _line(key: NoteKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {to_base64(key.id + signature)}\n"


def _parse_line(line: str) -> tuple[str, bytes, bytes]:
    """Name, key id and signature of one signature line."""
    if not line.startswith(_DASH) or line.count(" ") != 2:  # noqa: PLR2004
        raise InputError("has a malformed signature line", "note")
    _, name, encoded = line.split(" ")
    _check_name(name)
    raw = from_base64(encoded, "note")
    if len(raw) <= _ID_BYTES:
        raise InputError("has a signature that is too short", "note")
    return name, raw[:_ID_BYTES], raw[_ID_BYTES:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise InputError("is empty or has a space or plus", "key name")


def _check_text(text: str) -> None:
    """A note text ends in a newline and has no other control character."""
    if not text.endswith("\n"):
        raise InputError("does not end in a newline", "note")
    if any(char < " " and char != "\n" for char in text):
        raise InputError("has a control character", "note")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError("is not valid Unicode", "note") from error
