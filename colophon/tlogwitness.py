"""The messages between a log and its witness, as C2SP tlog-witness defines them.

A log sends `POST <prefix>/add-checkpoint`: the size that the witness cosigned last,
a consistency proof from there, and the new checkpoint. The witness answers with
cosignature lines. Source: C2SP tlog-witness v1.0.0, tlog-cosignature v1.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from colophon.digest import from_base64, to_base64
from colophon.errors import InputError, SignatureError
from colophon.merkle import HASH_BYTES
from colophon.note import MAX_NOTE_BYTES, MAX_SIZE, NoteKey, open_note, split_note

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4096
MAX_ANSWER_BYTES = MAX_NOTE_BYTES
# A witness's clock may be ahead of ours by so much; a later time is no time.
AHEAD = timedelta(minutes=5)
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE_BODY = re.compile(r"(0|[1-9][0-9]{0,18})\n", re.ASCII)


@dataclass(frozen=True)
class Request:
    """What a log asks: cosign this note, which extends the `old` first entries."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def to_bytes(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(to_base64, self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of a request; its note is not opened.

        Raises:
            InputError: not such a body; the part is named.
        """
        if len(body) > MAX_REQUEST_BYTES:
            raise InputError(f"is longer than {MAX_REQUEST_BYTES} bytes", "request")
        try:
            head, blank, note = body.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise InputError("is not UTF-8", "request") from error
        first, *lines = head.split("\n")
        match = _OLD.fullmatch(first)
        if not blank or match is None or int(match[1]) > MAX_SIZE:
            raise InputError("does not start with old and a decimal size", "request")
        if len(lines) > MAX_PROOF_LINES:
            raise InputError(f"has more than {MAX_PROOF_LINES} lines", "proof")
        proof = tuple(from_base64(one, "proof") for one in lines)
        if any(len(one) != HASH_BYTES for one in proof):
            raise InputError("has a hash that is not 32 bytes", "proof")
        return cls(int(match[1]), proof, note)


@dataclass(frozen=True)
class Cosignature:
    """One checked answer line: whose, since when, and its exact text."""

    key: NoteKey
    signed_at: datetime
    line: str


def cosignatures(
    answer: str, note: str, witness_keys: Iterable[NoteKey], *, now: datetime
) -> list[Cosignature]:
    """The lines of a witness's answer that known witness keys signed.

    Each line is checked by itself before anybody stores it: one wrong line under a
    known key would spoil the whole note for every reader.

    Args:
        answer: the body that the witness sent.
        note: the checkpoint note that it was asked to cosign.
        witness_keys: keys of type cosignature/v1; lines of others are dropped.
        now: a cosignature that is dated more than `AHEAD` after it is refused.

    Raises:
        InputError: the answer is no list of signature lines.
        SignatureError: a line is wrong, dated in the future, or none is known.
    """
    known = list(witness_keys)
    text, _ = split_note(note)
    same, lines = split_note(f"{text}\n{answer}")
    if same != text:
        raise InputError("is not a list of signature lines", "answer")
    names = {(key.name, key.id) for key in known}
    found = []
    for (name, key_id, _), line in zip(lines, answer[:-1].split("\n"), strict=True):
        if (name, key_id) not in names:
            continue
        (one,) = open_note(f"{text}\n{line}\n", known).signatures
        if one.signed_at is None:
            raise SignatureError(f"{name} is the key of a log, not of a witness")
        if one.signed_at > now + AHEAD:
            raise SignatureError(f"cosignature of {name} is dated in the future")
        found.append(Cosignature(one.key, one.signed_at, f"{line}\n"))
    if not found:
        raise SignatureError("answer carries no cosignature of a known witness")
    return found


def stored_size(body: str) -> int:
    """The size in the body of a 409 answer.

    Raises:
        InputError: it is no decimal size and a newline.
    """
    match = _SIZE_BODY.fullmatch(body)
    if match is None or int(match[1]) > MAX_SIZE:
        raise InputError("is not a decimal size and a newline", "answer")
    return int(match[1])
