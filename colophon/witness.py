"""A witness: cosigns that a log grew, and never that it has two histories.

It knows a log by its keys and remembers the newest checkpoint that it cosigned.
Comparing and remembering are one step on disk, before the cosignature leaves.
Source: C2SP tlog-witness v1.0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from colophon.errors import InputError, ProofError, SignatureError
from colophon.keys import Ed25519Key, Signer
from colophon.merkle import EMPTY_ROOT, verify_consistency
from colophon.note import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    NoteKey,
    cosignature,
    open_note,
    split_note,
)
from colophon.tlogwitness import SIZE_TYPE, Request
from colophon.witness_state import State

TEXT = "text/plain; charset=utf-8"
KEY, STATE = "key", "state.sqlite3"
Now = Callable[[], datetime]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    kind: str = TEXT


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Witness:
    """One witness: a name, a key, and the state that belongs to the key."""

    def __init__(self, name: str, signer: Signer, state: State) -> None:
        self.name, self.state = name, state
        self._signer = signer

    @classmethod
    def create(cls, folder: Path, name: str, log_keys: Iterable[NoteKey]) -> Self:
        """Make a witness with a fresh key in a folder that has none.

        Raises:
            InputError: there is a witness, or what is left of one; a bad name.
        """
        NoteKey(name, bytes(32), COSIGNATURE)
        known = list(log_keys)
        for key in known:
            _check_log_key(key)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / KEY).exists():
            raise InputError("has a key already; a key never gets new state", "folder")
        signer = Ed25519Key.generate()
        state = State.create(folder / STATE, name, signer.key_id)
        for key in known:
            state.add_log(key.name, key)
        signer.save(folder / KEY)
        return cls(name, signer, state)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The witness of a folder.

        Raises:
            InputError: no key, or its state is lost: the witness is retired.
        """
        signer = Ed25519Key.load(folder / KEY)
        state, name = State.open(folder / STATE, signer.key_id)
        return cls(name, signer, state)

    @property
    def key(self) -> NoteKey:
        """What a trust file names."""
        return NoteKey.of_signer(self.name, self._signer, COSIGNATURE)

    def add_log(self, key: NoteKey, origin: str = "") -> None:
        """Witness a log, or accept a new key of a log.

        Args:
            key: signs the log's checkpoints.
            origin: first line of the checkpoints, where it is not the key's name.

        Raises:
            InputError: it is not a key that signs checkpoints, or no origin line.
        """
        _check_log_key(key)
        Checkpoint(origin or key.name, 0, EMPTY_ROOT).to_body()
        self.state.add_log(origin or key.name, key)

    def add_checkpoint(self, body: bytes, now: Now = _utc_now) -> Answer:
        """Answer one request.

        Args:
            body: of the request.
            now: the clock, asked once for each cosignature.
        """
        try:
            asked = Request.from_bytes(body)
            head = Checkpoint.from_body(split_note(asked.note)[0])
        except InputError as error:
            return _refused(400, str(error))
        known = self.state.log_keys(head.origin)
        if not known:
            return _refused(404, "this witness does not know that log")
        try:
            text = open_note(asked.note, known).text
        except SignatureError as error:
            return _refused(403, str(error))
        if asked.old > head.size:
            return _refused(400, "old is more than the size of the checkpoint")
        refused = self._advance(asked, head, now())
        if refused is not None:
            return refused
        return Answer(200, cosignature(text, self.name, self._signer, now()))

    def _advance(self, asked: Request, head: Checkpoint, at: datetime) -> Answer | None:
        """Remember the checkpoint, if it extends the newest; else why not."""
        with self.state.turn():
            latest = self.state.latest(head.origin)
            stored = Answer(409, f"{latest.size}\n", SIZE_TYPE)
            if head.size == latest.size and head.root != latest.root:
                self.state.keep_conflict(head.origin, asked.note, at)
                return stored
            if asked.old != latest.size:
                return stored
            try:
                verify_consistency(
                    asked.old, head.size, latest.root, head.root, asked.proof
                )
            except ProofError as error:
                return _refused(422, str(error))
            self.state.keep(head, asked.note, at)
        return None


def _check_log_key(key: NoteKey) -> None:
    if key.kind != ED25519:
        raise InputError("is not a key that signs checkpoints (type 1)", "log")


def _refused(status: int, why: str) -> Answer:
    return Answer(status, f"{why}\n")
