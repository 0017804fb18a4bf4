"""What a witness must never forget: the newest checkpoint that it cosigned, by log.

One SQLite file beside the key, written and synced before an answer leaves. A witness
that forgot could be led to cosign a second history, so state that is lost retires the
witness: nothing here makes new state for a key that was used.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Self

from colophon.errors import InputError
from colophon.fields import format_time
from colophon.merkle import EMPTY_ROOT
from colophon.note import Checkpoint, NoteKey

BUSY_SECONDS = 10.0
MAX_CONFLICTS = 100
_TABLES = """
CREATE TABLE witness (name TEXT NOT NULL, key_id TEXT NOT NULL);
CREATE TABLE log_key (origin TEXT NOT NULL, vkey TEXT NOT NULL UNIQUE);
CREATE TABLE latest (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
    note TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE conflict (origin TEXT NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Latest:
    """The newest checkpoint that was cosigned for a log; size 0 before the first."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


class State:
    """The open state file of one witness; safe among threads and processes."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection, self._lock = path, connection, Lock()

    @classmethod
    def create(cls, path: Path, name: str, key_id: str) -> Self:
        """New state for a new key.

        Raises:
            InputError: there is a state file already.
        """
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError as error:
            raise InputError("state exists; none is made anew", "witness") from error
        made = cls(path, _connect(path))
        with made.turn():
            for statement in filter(str.strip, _TABLES.split(";")):
                made._connection.execute(statement)
            made._connection.execute(
                "INSERT INTO witness VALUES (?, ?)", (name, key_id)
            )
        return made

    @classmethod
    def open(cls, path: Path, key_id: str) -> tuple[Self, str]:
        """The state of a key, and the witness's name.

        Raises:
            InputError: it is lost, damaged, or of another key: the witness is
                retired.
        """
        retired = "this witness is retired: make a new one with a new key and name"
        if not path.is_file():
            raise InputError(f"state is lost; {retired}", "witness")
        try:
            found = cls(path, _connect(path))
            rows = found._all("SELECT name, key_id FROM witness")
            found._all("SELECT origin, size, root, note FROM latest")
            found._all("SELECT origin, vkey FROM log_key")
        except sqlite3.DatabaseError as error:
            raise InputError(f"state cannot be read; {retired}", "witness") from error
        if len(rows) != 1 or rows[0][1] != key_id:
            raise InputError(f"state is of another key; {retired}", "witness")
        return found, str(rows[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the state alone; what was written is on disk when the block ends."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def add_log(self, origin: str, key: NoteKey) -> None:
        """Accept checkpoints of a log by one more of its keys."""
        with self.turn():
            self._connection.execute(
                "INSERT OR IGNORE INTO log_key VALUES (?, ?)", (origin, key.vkey)
            )

    def log_keys(self, origin: str) -> list[NoteKey]:
        """The keys that may sign a log's checkpoints; none for a strange log."""
        with self._lock:
            rows = self._all("SELECT vkey FROM log_key WHERE origin = ?", origin)
        return [NoteKey.from_vkey(vkey) for (vkey,) in rows]

    def logs(self) -> dict[str, Latest]:
        """Every log that is known, with its newest checkpoint."""
        with self._lock:
            rows = self._all("SELECT DISTINCT origin FROM log_key ORDER BY origin")
            return {origin: self.latest(origin) for (origin,) in rows}

    def latest(self, origin: str) -> Latest:
        """The newest checkpoint of a log. Lock: the caller's turn."""
        rows = self._all("SELECT size, root, note FROM latest WHERE origin = ?", origin)
        return Latest(*rows[0]) if rows else Latest()

    def keep(self, head: Checkpoint, note: str, at: datetime) -> None:
        """Make a checkpoint the newest of its log. Lock: the caller's turn."""
        self._connection.execute(
            "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?)",
            (head.origin, head.size, head.root, note, format_time(at)),
        )

    def keep_conflict(self, origin: str, note: str, at: datetime) -> None:
        """Keep a signed second history: it is the proof against the log.

        Lock: the caller's turn.
        """
        (count,) = self._all("SELECT count(*) FROM conflict")[0]
        if count < MAX_CONFLICTS:
            self._connection.execute(
                "INSERT INTO conflict VALUES (?, ?, ?)", (origin, note, format_time(at))
            )

    def conflicts(self) -> list[tuple[str, str]]:
        """Origin and note of every second history that was seen."""
        with self._lock:
            return self._all("SELECT origin, note FROM conflict ORDER BY rowid")

    def _all(self, query: str, *values: str) -> list[tuple]:  # type: ignore[type-arg]
        return self._connection.execute(query, values).fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    """An open file whose commits are on disk, its folder's entry too."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection
