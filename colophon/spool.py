"""Signed steps on disk until the site has them: each one is sent at least once.

One folder per run, one file per step, written whole (rename) before anything is
sent. The site takes the same envelope once, so sending twice changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SENT = "sent"


class Spool:
    """The waiting steps of all runs below one folder."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def put(self, run_id: str, index: int, body: dict[str, Any]) -> None:
        """Keep a step; it survives a crash from here on."""
        folder = self.folder / run_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{index:06}.json"
        draft = path.with_suffix(".tmp")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)

    def name_run(self, run_id: str, name: str) -> None:
        """Remember the name of a run that the site has not opened yet."""
        folder = self.folder / run_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "name").write_text(name, encoding="utf-8")

    def opened(self, run_id: str) -> None:
        """The site knows this run now."""
        (self.folder / run_id / "name").unlink(missing_ok=True)

    def unopened(self, run_id: str) -> str | None:
        """The name of a run that still has to be opened; None when it is open."""
        path = self.folder / run_id / "name"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def runs(self) -> list[str]:
        """Runs that have steps waiting, oldest first."""
        if not self.folder.exists():
            return []
        return sorted(
            one.name for one in self.folder.iterdir() if any(one.glob("*.json"))
        )

    def waiting(self, run_id: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The waiting steps of a run in their order."""
        for path in sorted((self.folder / run_id).glob("*.json")):
            yield path, json.loads(path.read_text(encoding="utf-8"))

    def sent(self, path: Path) -> None:
        """The site has this step: move it out of the way."""
        path.rename(path.with_suffix(f".{SENT}"))
