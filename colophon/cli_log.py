"""`colophon log check URL`: re-derive a log from outside and hold it to its past."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from colophon.cli_output import Screen
from colophon.cli_verify import home, load_trust
from colophon.client import Client, LogSite
from colophon.errors import InputError, ProofError, SignatureError
from colophon.fields import load_json
from colophon.logcheck import LogReport, check_log
from colophon.note import Checkpoint, NoteKey, open_note, split_note
from colophon.tlogwitness import AHEAD
from colophon.trust import Trust

EXIT_BROKEN = 1


def add_parser(subparsers: Any) -> None:
    """Add the command and its parts."""
    parser = subparsers.add_parser("log", help="check a transparency log")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    check = parts.add_parser(
        "check",
        help="re-derive the whole log and compare it with the last time",
        description="Download every entry and tile, derive the root, compare it with"
        " the signed checkpoint and with the one kept from the last time.",
    )
    check.add_argument("url", metavar="URL", help="the site, or the log's prefix")
    check.add_argument("--trust", type=Path, help="your trust file (trust.json)")
    check.add_argument("--state", type=Path, help="where the checkpoint is kept")
    check.add_argument(
        "--since",
        metavar="OLD_NOTE",
        type=Path,
        help="an old checkpoint note that the log must extend, too",
    )
    check.add_argument("--json", action="store_true", help="answer in JSON")
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check a log; a log that does not hold ends with 1."""
    screen = Screen(sys.stdout)
    trust = load_trust(arguments.trust)
    with Client() as client:
        log = LogSite(client, arguments.url)
        state = arguments.state or _state_file(log.base)
        kept = _load(state)
        keys = list(trust.log_keys) if trust else []
        first_use = not keys and kept is None
        keys = keys or (kept[1] if kept else _keys(log.keys()))
        since = _since(arguments.since, keys) if arguments.since else None
        note = log.checkpoint()
        past = kept[0] if kept else None
        try:
            found = check_log(
                note,
                log.resource,
                keys,
                past,
                since=since,
                witnesses=trust.witness_keys if trust else (),
            )
        except (ProofError, SignatureError, InputError) as error:
            _refuse(screen, str(error), arguments.json)
            return EXIT_BROKEN
    _save(state, note, list(found.keys))
    if arguments.json:
        screen.json(_json(found))
    else:
        _show(screen, found, keys, first_use=first_use)
        if trust and trust.witness_keys:
            _show_witnesses(screen, found, trust)
    return 0


def _json(found: LogReport) -> dict[str, Any]:
    return {
        "v": 1,
        "holds": True,
        "origin": found.head.origin,
        "size": found.head.size,
        "root": found.head.root.hex(),
        "tiles": found.tiles,
        "grown": found.grown,
        "since": found.since,
        "witnesses": _witnesses(found),
        "keys": [key.vkey for key in found.keys],
        "kinds": found.kinds,
    }


def _refuse(screen: Screen, why: str, as_json: bool) -> None:
    if as_json:
        screen.json({"v": 1, "holds": False, "why": why})
    else:
        screen.line(f"The log does not hold: {why}.", "bad")


def _show(
    screen: Screen, found: LogReport, keys: list[NoteKey], *, first_use: bool
) -> None:
    screen.line(f"The log {found.head.origin} holds.", "good")
    screen.row("Entries", str(found.head.size))
    screen.row("Root", found.head.root.hex())
    screen.row("Tiles", f"{found.tiles} compared")
    for kind, count in sorted(found.kinds.items()):
        screen.row(kind, str(count))
    if found.grown is None:
        screen.line("  First check: nothing to compare the past with yet.", "weak")
    else:
        screen.row("Past", f"unchanged; {found.grown} entries more than last time")
    if found.since is not None:
        words = f"it is the beginning of the log; {found.since} entries more since"
        screen.row("Old note", words)
    for key in found.keys:
        if key not in keys:
            screen.line("  The log has a new key; one that you know announced it:")
            screen.row("key", key.vkey)
    if first_use:
        screen.line("  You had no key for this log; from now on this one counts:")
        for key in keys:
            screen.row("key", key.vkey)


def _since(path: Path, keys: list[NoteKey]) -> Checkpoint:
    """The old checkpoint of a file; it counts only when the log signed it.

    Raises:
        InputError: the file is no checkpoint note by a key that is known.
    """
    try:
        note = path.read_bytes().decode("utf-8", "replace")
        head = Checkpoint.from_body(split_note(note)[0])
        open_note(note, [key for key in keys if key.name == head.origin])
    except (InputError, SignatureError) as error:
        raise InputError(f"{path.name} does not count: {error}", "--since") from error
    return head


def _show_witnesses(screen: Screen, found: LogReport, trust: Trust) -> None:
    count, known = len(_witnesses(found)), len(trust.witness_keys)
    enough = 0 < trust.quorum <= count
    words = f"{count} of {known} cosigned this head; your trust file asks for"
    screen.row("Witnesses", f"{words} {trust.quorum}", "" if enough else "weak")


def _witnesses(found: LogReport) -> list[str]:
    """Names of the witnesses that cosigned; a time to come is no time yet."""
    latest = datetime.now(UTC) + AHEAD
    return [
        one.key.name
        for one in found.cosigned
        if one.signed_at is not None and one.signed_at <= latest
    ]


def _state_file(base: str) -> Path:
    """Where a log's last checkpoint is kept."""
    name = re.sub(r"[^a-z0-9.-]+", "_", base.lower().partition("://")[2])
    return home() / "logs" / f"{name[:100]}.json"


def _load(state: Path) -> tuple[Checkpoint, list[NoteKey]] | None:
    """The checkpoint of the last time and the keys that counted then.

    Raises:
        InputError: the file is there but is not what was written.
    """
    if not state.exists():
        return None
    try:
        kept = load_json(state.read_bytes())
        keys = _keys(kept["keys"])
        open_note(kept["note"], keys)
        return Checkpoint.from_body(split_note(kept["note"])[0]), keys
    except (InputError, SignatureError, KeyError, TypeError) as error:
        raise InputError(f"{state.name} is damaged: {error}", "--state") from error


def _save(state: Path, note: str, keys: list[NoteKey]) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"note": note, "keys": [key.vkey for key in keys]}, indent=2)
    fresh = state.with_name(state.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(state)


def _keys(vkeys: list[str]) -> list[NoteKey]:
    return [NoteKey.from_vkey(text) for text in vkeys]
