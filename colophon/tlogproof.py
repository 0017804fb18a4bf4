"""Offline-verifiable proofs of logging, as text (c2sp.org/tlog-proof@v1).

A proof names an entry's index, its audit path and, verbatim, the checkpoint that
covers it with all signatures on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from colophon.digest import from_base64, to_base64
from colophon.errors import InputError, ProofError, SignatureError
from colophon.merkle import HASH_BYTES, MAX_PROOF_HASHES, verify_inclusion
from colophon.note import Checkpoint, NoteKey, OpenedNote, open_note, split_note

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_BYTES = 128 * 1024
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_EXTRA = "extra "


@dataclass(frozen=True)
class LogProof:
    """Index, audit path and signed checkpoint of one entry.

    ``extra`` is opaque and never trusted.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: str
    extra: bytes | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as claimed, signatures not verified."""
        return Checkpoint.from_body(split_note(self.checkpoint_note)[0])

    def to_text(self) -> str:
        """The proof file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(_EXTRA + to_base64(self.extra))
        lines.append(f"index {self.index}")
        lines.extend(to_base64(one) for one in self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint_note

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a proof file.

        Raises:
            InputError: not a proof file; the part is named.
        """
        if len(text) > MAX_PROOF_BYTES:
            raise InputError(f"is longer than {MAX_PROOF_BYTES} characters")
        head, blank, note = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != HEADER:
            raise InputError(f"does not start with {HEADER}")
        extra = None
        if lines and lines[0].startswith(_EXTRA):
            extra = from_base64(lines.pop(0)[len(_EXTRA) :], "extra")
        match = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if match is None:
            raise InputError("is missing or not a decimal", "index")
        if len(lines) > MAX_PROOF_HASHES:
            raise InputError(f"has more than {MAX_PROOF_HASHES} hashes")
        hashes = tuple(
            from_base64(line, f"hashes/{at}") for at, line in enumerate(lines)
        )
        if any(len(one) != HASH_BYTES for one in hashes):
            raise InputError("has a hash that is not 32 bytes", "hashes")
        proof = cls(int(match[1]), hashes, note, extra)
        Checkpoint.from_body(split_note(note)[0])
        return proof

    def check(
        self, leaf: bytes, log_key: NoteKey, witnesses: Iterable[NoteKey] = ()
    ) -> OpenedNote:
        """Check the entry's place in a checkpoint that the log signed.

        Returns:
            The opened checkpoint note, with the witness signatures that verified.

        Raises:
            SignatureError: the log's or a known witness's signature is wrong.
            ProofError: the audit path does not lead to the checkpoint's root.
        """
        opened = open_note(self.checkpoint_note, [log_key, *witnesses])
        if opened.signed_by(log_key) is None:
            raise SignatureError("checkpoint is not signed by the log")
        head = Checkpoint.from_body(opened.text)
        if head.origin != log_key.name:
            raise ProofError(f"checkpoint is of another log: {head.origin[:64]}")
        verify_inclusion(leaf, self.index, head.size, self.hashes, head.root)
        return opened
