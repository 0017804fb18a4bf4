"""Signed steps on disk until the site has them: each one is sent at least once.

One folder per run: `run.json` says where the run belongs, one file per step is
written whole (rename) before anything is sent. The site takes the same envelope
once, so sending twice changes nothing. Salts and disclosed values are in these
files, so only their owner can read them.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colophon.acts import TicketRef
from colophon.digest import sha256
from colophon.errors import ColophonError, InputError
from colophon.fields import Fields, load_json
from colophon.ids import is_id

try:
    import fcntl
except ImportError:  # not a POSIX system: the lock below holds for one process
    fcntl = None  # type: ignore[assignment]

WAITING, SENT, COPY = ".json", ".sent", ".jpg"
INFO = "run.json"

_threads: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)


class SpoolError(ColophonError):
    """The spool's own files cannot be read; the message names the file."""


@dataclass(frozen=True)
class RunInfo:
    """What a later process must know to go on with a run.

    Attributes:
        site: the run's steps are sent here and nowhere else.
        ticket: None when the run began while the site was out of reach.
        opened: the site knows the run.
    """

    id: str
    name: str
    site: str
    ticket: TicketRef | None = None
    opened: bool = False


class Spool:
    """The waiting steps of all runs below one folder."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._last: dict[str, int] = {}

    def begin(self, info: RunInfo) -> None:
        """Remember a run, or that it is open now.

        Raises:
            OSError: the folder cannot be written.
        """
        ticket = info.ticket and {
            "nonce": info.ticket.nonce.hex(),
            "digest": info.ticket.digest.hex(),
        }
        said = {
            "v": 1,
            "name": info.name,
            "site": info.site,
            "ticket": ticket,
            "opened": info.opened,
        }
        folder = self.folder / info.id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / INFO, said)

    def info(self, run_id: str) -> RunInfo:
        """What is known of a run.

        Raises:
            InputError: there is no such run here.
            SpoolError: its file is damaged.
        """
        if not is_id(run_id):
            raise InputError("is not the id of a run, like run_ and 32 digits", "run")
        path = self.folder / run_id / INFO
        if not path.exists():
            raise InputError(f"is not in {self.folder}; open it there first", "run")
        try:
            fields = Fields(load_json(path.read_bytes()))
            fields.integer("v", 1, 1)
            ticket = fields.object("ticket") if fields.has("ticket") else None
            return RunInfo(
                id=run_id,
                name=fields.text("name"),
                site=fields.text("site"),
                ticket=_ticket(ticket) if ticket else None,
                opened=fields.boolean("opened"),
            )
        except InputError as error:
            raise SpoolError(f"{path} is damaged: {error}") from error

    def put(self, run_id: str, index: int, body: dict[str, Any]) -> None:
        """Keep a step; it survives a crash from here on.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        folder = self.folder / run_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / f"{index:06}{WAITING}", body)

    def put_copy(self, run_id: str, copy: bytes) -> None:
        """Keep a picture's smaller copy until the site has it, once each.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        folder = self.folder / run_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{sha256(copy).hex()}{COPY}"
        if not path.exists():
            _write(path, copy)

    def copies(self, run_id: str) -> Iterator[tuple[Path, bytes]]:
        """The copies that wait."""
        for path in sorted((self.folder / run_id).glob(f"*{COPY}")):
            yield path, path.read_bytes()

    def next_index(self, run_id: str) -> int:
        """The position of a run's next step: behind all that were ever kept.

        Lock: the run's, by the caller. Goes on from the last known step, because to
        list a long run's folder for each step costs more than the step.
        """
        last = self._last.get(run_id, -1)
        if not self._has(run_id, last):
            last = max((number for number, _ in self._steps(run_id)), default=-1)
        while self._has(run_id, last + 1):  # another process went on
            last += 1
        self._last[run_id] = last
        return last + 1

    def runs(self) -> list[str]:
        """Runs that have steps or copies waiting, oldest first."""
        if not self.folder.is_dir():
            return []
        names = (one.name for one in self.folder.iterdir() if is_id(one.name))
        return sorted(name for name in names if self.has_waiting(name))

    def has_waiting(self, run_id: str) -> bool:
        """Whether a step or the copy of a picture waits."""
        folder = self.folder / run_id
        return bool(self.count(run_id)) or any(folder.glob(f"*{COPY}"))

    def count(self, run_id: str) -> int:
        """How many steps of a run wait."""
        return sum(path.suffix == WAITING for _, path in self._steps(run_id))

    def waiting(self, run_id: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The waiting steps of a run in their order.

        Raises:
            SpoolError: a file is damaged; those before it were given.
        """
        for _, path in sorted(self._steps(run_id)):
            if path.suffix != WAITING:
                continue
            try:
                yield path, dict(json.loads(path.read_bytes()))
            except (ValueError, TypeError) as error:
                raise SpoolError(f"{path} is damaged: {error}") from error

    def sent(self, path: Path) -> None:
        """The site has this step: move it out of the way."""
        path.rename(path.with_suffix(SENT))

    @contextmanager
    def locked(self, run_id: str, what: str = "writing") -> Iterator[None]:
        """Be the only one who is at something with a run, in any process."""
        folder = self.folder / run_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{what}.lock"
        with _threads[str(path)], path.open("ab") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _has(self, run_id: str, index: int) -> bool:
        """Whether there is a step at a position, sent or waiting."""
        path = self.folder / run_id / f"{index:06}"
        return any(path.with_suffix(end).exists() for end in (WAITING, SENT))

    def _steps(self, run_id: str) -> Iterator[tuple[int, Path]]:
        """Number and file of every step of a run, sent or waiting."""
        folder = self.folder / run_id
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.suffix in {WAITING, SENT} and path.stem.isdecimal():
                yield int(path.stem), path


def _ticket(fields: Fields) -> TicketRef:
    return TicketRef(fields.hexadecimal("nonce"), fields.hexadecimal("digest"))


def _write(path: Path, value: dict[str, Any] | bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    draft = path.with_suffix(".tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(value if isinstance(value, bytes) else json.dumps(value).encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    if fcntl is None:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
